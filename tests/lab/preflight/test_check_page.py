"""The check as a whole: its answer, its files, its page in a browser, and bad input as sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vicinal as v
from annotation_files import coco, note
from browser import CHROMIUM, opened
from vicinal.core.errors import VicinalError
from vicinal.data import from_arrays, from_series
from vicinal.data.dataset import Dataset
from vicinal.lab.preflight import Check, Jury, check

QUICK = Jury(folds=3, seeds=1, steps=200)
ARMS: Mapping[str, str] = {"still": "Rotate(angle=0)", "turn": "Rotate(angle=(-90, 90))", "a<b>": "Brightness(by=1)"}


@pytest.fixture(scope="module")
def planted(digits: Dataset) -> Dataset:
    """Digits whose test part has five copies of items of train."""
    images = np.concatenate([digits.images, digits.images[:5]])
    labels = np.concatenate([digits.labels, digits.labels[:5]])
    return replace(from_arrays(images, labels, official_test=np.arange(len(images)) >= 1600), name="planted")


@pytest.fixture(scope="module")
def found(planted: Dataset) -> Check:
    policy = "CenterCrop(size=6) | Rotate(angle=(-5, 5))"
    return check(planted, arms=ARMS, size=150, jury=QUICK, test_policy=policy, command="vicinal check planted")


def test_the_worst_comes_first_and_nothing_is_missing(found: Check) -> None:
    weights = [finding.weight for finding in found.findings]
    assert weights == sorted(weights, key=["wrong", "doubt", "note", "fine"].index)
    told = {finding.topic: finding for finding in found.findings if finding.weight == "wrong"}
    assert "Rotate (angle) changes from draw to draw" in told["test policy"].sentence
    assert "5 test items have copies in train and dev: 5 to the byte" in told["leak"].sentence
    lost = [finding.sentence for finding in found.findings if finding.topic == "labels" and finding.weight == "wrong"]
    assert [name for name in ARMS if any(sentence.startswith(name) for sentence in lost)] == ["turn", "a<b>"]
    assert any(str(finding).startswith("still: labels survive, 100.0 %") for finding in found.findings)
    assert str(found).splitlines()[0] == found.result["answer"]


def test_the_safe_range_is_part_of_the_advice(found: Check) -> None:
    turn = next(finding for finding in found.findings if finding.sentence.startswith("turn"))
    assert re.search(r"Safe: Rotate\.angle from -\d+[\d.]* to \d+[\d.]* degrees\.", turn.advice)


def test_pictures_show_what_was_known_and_lost(found: Check) -> None:
    assert set(found.sheets) == {"turn", "a<b>"}
    row = found.sheets["turn"].rows[0]
    assert len(row.versions) == len(found.result["arms"][1]["strengths"])
    assert re.fullmatch(r"index=\d+: \d read as \d at [\d.]+", row.address)
    assert found.copies is not None
    assert all((row.original == row.versions[0]).all() for row in found.copies.rows)


def test_the_files_hold_the_same_and_are_plain(found: Check, tmp_path: Path) -> None:
    data, page = found.write(tmp_path)
    told = json.loads(data.read_text("utf-8"))
    assert [finding["sentence"] for finding in told["findings"]] == [finding.sentence for finding in found.findings]
    assert {arm["name"]: arm["verdict"] for arm in told["arms"]} == {"still": "survives", "turn": "lost", "a<b>": "lost"}
    assert told["leaks"][0]["exact"] == 5
    text = page.read_text("utf-8")
    assert "a&lt;b&gt;" in text
    assert "<b>:" not in text
    assert not re.findall(r"https?:|url\(|@import", re.sub(r"data:image/png;base64,[\w+/=]+", "", text))
    assert all(re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img[^>]*>", text))


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
@pytest.mark.parametrize("width", [390, 1100])
def test_a_browser_shows_the_page_without_complaint(found: Check, tmp_path: Path, width: int) -> None:
    seen = opened(found.write(tmp_path)[1].read_text("utf-8"), width, tmp_path)
    assert seen.width == width
    assert "CONSOLE" not in seen.said


def test_what_taught_judges_recognise_is_unfamiliar_and_not_lost(digits: Dataset) -> None:
    """A negative keeps its label whole; a half turn takes that of 6 and 9 away, whoever looks."""
    arms = {"negative": "Invert()", "turn": "Rotate(angle={choice: [0, 180]})"}
    told = check(digits, arms=arms, size=300, jury=Jury(folds=3, seeds=1, steps=800))
    negative, turn = told.result["arms"]
    assert negative["survival"]["share"] < 0.5 < 0.9 < negative["taught"]["share"]
    assert (negative["verdict"], turn["verdict"]) == ("unfamiliar", "lost")
    assert min(turn["taught_per_class"], key=lambda one: one["share"])["class"] in ("6", "9")
    sentence = next(finding.sentence for finding in told.findings if finding.sentence.startswith("negative"))
    assert sentence.startswith("negative: labels are there but look unfamiliar")


def test_the_default_panel_is_checked_where_nothing_is_named(digits: Dataset) -> None:
    names = [arm["name"] for arm in check(digits, size=60, jury=QUICK).result["arms"]]
    assert names == ["shift", "rotate", "scale", "noise", "erase", "hflip"]


def test_what_cannot_be_judged_is_said(digits: Dataset, tmp_path: Path) -> None:
    mixed = check(digits, v.MixUp(), size=60, jury=QUICK)
    assert any("policy mixes items" in finding.sentence for finding in mixed.findings)
    ragged = from_arrays([image[: 6 + row % 2] for row, image in enumerate(digits.images[:60])], digits.labels[:60])
    several = check(ragged, "HorizontalFlip()")
    assert any("the images have 2 sizes" in finding.sentence for finding in several.findings)
    for one in (mixed, several):
        one.write(tmp_path)


def test_series_are_judged_without_practice() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    waves = np.sin(np.linspace(0, 6, 32) * (1 + labels[:, None])) + rng.normal(0, 0.1, (120, 32))
    told = check(from_series(waves, labels), "Jitter(std=0.01)", jury=QUICK)
    assert told.result["judges"]["practice"] is None
    assert told.result["arms"][0]["verdict"] == "survives"
    assert told.sheets == {}


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["turn", "Rotate.angle", "900"], {"arms": {"turn": "Rotate(angle=900)"}}),
        (["policy", "Rotat"], {"policy": "Rotat(angle=3)"}),
        (["a size of at least 20", "5"], {"policy": "Invert()", "size": 5}),
        (["arm policy", "8x8", "6x6"], {"policy": "CenterCrop(size=6)"}),
        (["series"], {"policy": "Jitter(std=1)"}),
    ],
)
def test_bad_settings_are_sentences(digits: Dataset, words: list[str], settings: dict[str, Any]) -> None:
    with pytest.raises(VicinalError) as fault:
        check(digits, jury=QUICK, **settings)
    assert [word for word in words if word not in str(fault.value)] == [], str(fault.value)


def test_annotated_pictures_are_followed(tmp_path: Path) -> None:
    source = coco(tmp_path, [note(1, [5, 5, 30, 20]), note(2, [20, 5, 30, 20], category=70, image=2)])
    told = check(str(source), arms={"away": "Translate(x=0.95, unit='share')", "still": "HorizontalFlip()"})
    lost = next(finding for finding in told.findings if finding.sentence.startswith("away"))
    assert lost.weight == "wrong"
    assert "Translate dropped" in lost.sentence
    assert any(finding.weight == "fine" and finding.sentence.startswith("still: annotations survive") for finding in told.findings)
    assert any("1 picture is there again under another name" in finding.sentence for finding in told.findings)
    told.write(tmp_path / "out")


@pytest.mark.slow
def test_experiment_5_is_foreseen_on_mnist(shared_data: Callable[[str], Path]) -> None:
    """Before any arm is trained: a shift of two pixels passes; flips and half turns do not, the latter for 6 and 9."""
    arms = {
        "shift": "Translate(x=(-2, 2), y=(-2, 2))",
        "rotate": "Rotate(angle=(-15, 15))",
        "hflip": "HorizontalFlip(p=0.5)",
        "vflip": "VerticalFlip(p=0.5)",
        "turn": "Rotate(angle={choice: [0, 180]})",
    }
    told = {arm["name"]: arm for arm in check(str(shared_data("mnist")), arms=arms, size=500).result["arms"]}
    verdicts = {name: arm["verdict"] for name, arm in told.items()}
    assert verdicts == {"shift": "survives", "rotate": "survives", "hflip": "lost", "vflip": "lost", "turn": "lost"}
    assert {told["turn"]["per_class"][digit]["verdict"] for digit in (6, 9)} == {"lost"}
    assert {told["turn"]["per_class"][digit]["verdict"] for digit in (0, 1)} == {"survives"}
    assert told["shift"]["affinity"] < 0.9 < told["shift"]["survival"]["share"]
