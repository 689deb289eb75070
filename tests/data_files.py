"""Small data sets in files, good and bad, and the words in which the bad ones are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image


def npz(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


def greys(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8)).astype(np.uint8)


def floats(value: float) -> np.ndarray:
    images = (greys(12) / 255).astype(np.float32)
    images[7, 3, 3] = value
    return images


def idx(folder: Path, images: int = 12, labels: int = 12, cut: int = 0) -> Path:
    header = b"\0\0\x08\x03" + np.array([images, 8, 8], ">u4").tobytes()
    content = header + greys(images).tobytes()
    (folder / "train-images-idx3-ubyte").write_bytes(content[: len(content) - cut])
    (folder / "train-labels-idx1-ubyte").write_bytes(
        b"\0\0\x08\x01" + np.array([labels], ">u4").tobytes() + (np.arange(labels) % 2).astype(np.uint8).tobytes()
    )
    return folder


def csv(folder: Path, *, last: str = "1,2,3") -> Path:
    rows = [",".join(map(str, [number % 2, *range(4)])) for number in range(16)]
    (folder / "data.csv").write_text("\n".join([*rows, last]))
    return folder / "data.csv"


def pictures(folder: Path, sizes: int = 1, bad: bool = False) -> Path:
    for number in range(24):
        below = folder / "pictures" / "ab"[number % 2]
        below.mkdir(parents=True, exist_ok=True)
        Image.fromarray(greys(1, number)[0][: 8 - number % sizes]).save(below / f"{number}.png")
    if bad:
        (folder / "pictures" / "a" / "broken.png").write_bytes(b"\x89PNG\r\n and then nothing")
    return folder / "pictures"


def empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


DATA: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "lengths differ": (lambda folder: idx(folder, labels=11), ["labels-idx1-ubyte: expected as many labels as images, 12", "11 labels"]),
    "truncated IDX": (lambda folder: idx(folder, cut=5), ["train-images-idx3-ubyte: expected 784 bytes", "got 779 bytes", "; write "]),
    "row of the wrong length": (csv, ["data.csv:17: expected 5 values, got 3; write --skip-bad"]),
    "pixel that is no number": (lambda folder: csv(folder, last="1,2,3,x,4"), ["data.csv:17: expected pixels", "'x' in column 4"]),
    "empty folder": (empty, ["expected one of these formats", "got an empty folder"]),
    "one class": (lambda folder: npz(folder, images=greys(12), labels=np.zeros(12, int)), ["expected at least 2 classes, got only '0'"]),
    "class with one item": (
        lambda folder: npz(folder, images=greys(12), labels=np.arange(12) // 11),
        ["expected at least 2 originals of every class", "got 1 of class '1'", "; write "],
    ),
    "NaN": (lambda folder: npz(folder, images=floats(np.nan), labels=np.arange(12) % 2), ["expected numbers, got NaN in item 7"]),
    "float above 1": (
        lambda folder: npz(folder, images=floats(255), labels=np.arange(12) % 2),
        ["data.npz:images: expected float images in [0, 1]", "255 (in item 7); write images / 255"],
    ),
    "float below 0": (lambda folder: npz(folder, images=floats(-1), labels=np.arange(12) % 2), ["got -1 to", "write (images + 1) / 2"]),
    "unreadable image": (
        lambda folder: pictures(folder, bad=True),
        ["expected images that can be read, got 1 of 25", "a/broken.png", "--skip-bad"],
    ),
    "sizes": (lambda folder: pictures(folder, sizes=3), ["expected images of one size", "3 sizes, 6x8x1 to 8x8x1; write --resize 32"]),
    "siblings across the official test": (
        lambda folder: npz(
            folder,
            x_train=greys(12),
            y_train=np.arange(12) % 2,
            sources_train=np.arange(12),
            x_test=greys(4),
            y_test=np.arange(4) % 2,
            sources_test=np.arange(4),
        ),
        ["official test: expected no held-out item with a sibling in train, got 100.0% of the 4", "write --allow-leak"],
    ),
}

DOCUMENTS = {
    "study.yaml": b"data: digits",
    "latin.yaml": b"study: caf\xe9",
    "colon.yaml": b"study: a: b",
    "fields.yaml": b"{data: digits, zzz: 1, seed: 2}",
    "comma.json": b"[1,]",
}
# What is typed, where {} is the folder of these documents, and in which words it is refused.
UNREADABLE = [
    (["compare", "{}/study.yml"], ["study.yml: expected a readable study file, got No such file", "; write {}/study.yaml"]),
    (["compare", "{}/zzz.yaml"], ["zzz.yaml: expected a readable study file, got No such file", "; write the path of a study file"]),
    (["compare", "{}/latin.yaml"], ["latin.yaml: expected a readable study file, got 'utf-8' codec can't decode"]),
    (["compare", "{}/colon.yaml"], ["colon.yaml:1: expected valid YAML, got mapping values are not allowed here; write quotes"]),
    (["compare", "{}/fields.yaml"], ["zzz: expected one of study, ", "got 'zzz'; write it without zzz", "got 'seed'; write seeds"]),
    (
        ["compare", "{}/zzz"],
        ["zzz: expected a file or folder that exists, or the name 'digits', got nothing named", "write digits"],
    ),
    (["compare", "digits", "--arm", "a={}/zzz.json"], ["zzz.json: expected a readable policy file", "write the path of a policy file"]),
    (["compare", "digits", "--arm", "a={}/comma.json"], ["comma.json:1: expected valid JSON", "; write double quotes around names"]),
    (["show", "{}/zzz", "--policy", "Invert()"], ["zzz: expected a file or folder that exists"]),
    (["check", "{}/zzz"], ["zzz: expected a file or folder that exists"]),
    (["replicate", "{}/zzz.yaml"], ["zzz.yaml: expected a readable claim file, got No such file", "; write the path of a claim file"]),
    (["replicate", "zzz"], ["claim: expected one of cifar-standard, ", "or a file, got 'zzz'; write vicinal replicate cifar-standard"]),
    (["report", "{}/zzz"], ["result.json: expected a result.json, got No such file", "; write the folder of a comparison"]),
]
