"""Real texts, waves and tables, small, and what studies of them need that worker processes can import."""

from __future__ import annotations

import csv
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.naive_bayes import MultinomialNB

from vicinal.data import from_series, from_texts
from vicinal.data.dataset import Dataset
from vicinal.learn.function import Train

LENGTH = 4000  # samples of a recording: half a second


def questions(folder: Path, count: int = 900) -> Dataset:
    """The first questions of TREC, by what they ask for: six classes."""
    with (folder / "train.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[:count]
    return from_texts([row["text"] for row in rows], [row["label"] for row in rows], name="trec")


def digits_spoken(folder: Path, takes: int = 8) -> Dataset:
    """Recordings of ten digits by six speakers, the first half second of each; takes 0 to 4 are the official test part."""
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if int(row["take"]) < takes]
    waves = np.stack([_wave(folder / row["file"]) for row in rows])
    return from_series(waves, [row["digit"] for row in rows], name="fsdd", official_test=[row["split"] == "test" for row in rows])


def _wave(path: Path) -> NDArray[np.float32]:
    with wave.open(str(path)) as file:
        found = np.frombuffer(file.readframes(file.getnframes()), np.int16)[:LENGTH]
    return np.pad(found, (0, LENGTH - len(found))).astype(np.float32)


def wines(folder: Path) -> Dataset:
    """13 columns, from tenths to thousands, of three classes."""
    table = np.loadtxt(folder / "wine.csv", delimiter=",")
    return from_series(table[:, :-1], table[:, -1].astype(int), name="wine")


def shells(folder: Path, count: int = 600) -> Dataset:
    """A regression: the rings of abalones by seven measures."""
    with (folder / "abalone.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[:count]
    return from_series([[float(value) for value in row[1:-1]] for row in rows], [float(row[-1]) for row in rows], name="abalone")


def dropped(text: str, rng: np.random.Generator) -> str:
    """The text without some of its words."""
    words = text.split()
    return " ".join(word for word in words if rng.random() > 0.2) or words[0]


def same(text: str) -> str:
    """The text itself."""
    return text


def words_in_steps(train: Train, seed: int) -> Callable[[NDArray], Any]:
    """Naive Bayes on words, batch by batch; it wants texts, one axis of them."""
    counts, model = HashingVectorizer(n_features=1 << 12, alternate_sign=False), MultinomialNB()
    assert all(isinstance(text, str) for text in train.inputs.tolist())
    assert train.inputs.shape == train.labels.shape == (len(train.weights),)
    for texts, labels in train.batches():
        assert texts.shape == labels.shape
        model.partial_fit(counts.transform(texts), labels, classes=range(train.goal.outputs))
    return lambda texts: model.predict_proba(counts.transform(texts))


def nearest_spectrum(train: Train, seed: int) -> Callable[[NDArray], Any]:
    """The nearest mean of loudness-free spectra of 20 stretches of a wave."""
    means = np.stack([_spectra(train.inputs[train.labels == digit]).mean(0) for digit in range(train.goal.outputs)])
    return lambda waves: np.square(_spectra(waves)[:, None] - means).sum(2).argmin(1)


def _spectra(waves: NDArray[np.float32]) -> NDArray[np.float64]:
    frames = np.abs(np.fft.rfft(waves.reshape(len(waves), 20, -1), axis=2)).reshape(len(waves), 20, -1)[..., :64]
    return np.sqrt(frames / frames.max((1, 2), keepdims=True)).reshape(len(waves), -1)
