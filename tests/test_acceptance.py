"""What the lab must find on MNIST, read from result.json as a user reads it. They take 22, 10 and 4 seconds on one core."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vicinal import cli

pytestmark = pytest.mark.slow
Compare = Callable[..., dict[str, Any]]


@pytest.fixture
def compare(shared_data: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Compare:
    """``compare("--epochs", 50)`` runs the command on 500 images of MNIST and reads what it left."""
    mnist = shared_data("mnist")

    def run(*words: object) -> dict[str, Any]:
        command = ["vicinal", "compare", mnist, "--size", 500, "--seeds", 8, "--out", tmp_path, *words]
        monkeypatch.setattr(sys, "argv", [*map(str, command)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
        return json.loads((tmp_path / "result.json").read_text("utf-8"))

    return run


def arms(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {arm["name"]: arm for arm in result["arms"]}


def points(arm: dict[str, Any]) -> float:
    """The difference to none in percentage points."""
    return 100 * arm["difference"]["mean"]


def optimism(arm: dict[str, Any]) -> float:
    """By how many points dev promises more than test keeps."""
    return 100 * float(np.mean(np.subtract(arm["dev_scores"], arm["scores"])))


def test_shifts_help_and_flips_and_turns_hurt(compare: Compare) -> None:
    result = compare(
        *("--steps", 1000, "--lr", 0.2),
        *("--arm", "shift=Translate(x=(-2, 2), y=(-2, 2))"),
        *("--arm", "hflip=HorizontalFlip(p=0.5)"),
        *("--arm", "turn=Rotate(angle=(-180, 180))"),
    )
    found = arms(result)
    assert points(found["shift"]) > 4
    assert points(found["hflip"]) < -2
    assert points(found["turn"]) < -2
    assert {name: arm["verdict"] for name, arm in found.items()} == {
        "none": "reference",
        "duplicate": "no evidence",
        "shift": "helps",
        "hflip": "hurts",
        "turn": "hurts",
    }
    assert result["answer"].startswith("shift helps: +")
    assert result["data"] | {"train": 450, "dev": 50, "test": 10_000} == result["data"]
    assert {arm["steps"] for arm in found.values()} == {1000}


def test_noisy_copies_help_by_their_steps_alone(compare: Compare) -> None:
    noise = "UniformNoise(low=0, high=0.5{})"
    result = compare(
        *("--epochs", 50, "--lr", 0.01),
        *("--arm", f"clipped:1={noise.format('')}"),
        *("--arm", "kept:1=" + noise.format(', overflow="keep"')),
    )
    found = arms(result)
    control = found["none, 1,406 steps"]
    assert [found[name]["steps"] for name in ("none", "duplicate", "clipped", "kept")] == [703, 1406, 1406, 1406]
    for name in ("clipped", "kept"):
        assert points(found[name]) > 8
        assert abs(points(found[name]) - points(control)) < 2.5
        said = rf"{name} took 2\.0 times the optimiser steps of none .*? All \([^)]*\) of the gain is compute"
        assert re.search(said, result["step_note"])
    assert abs(points(found["duplicate"]) - points(control)) < 2.5
    assert result["answer"].startswith("At equal epochs: ")


def test_a_split_after_copying_promises_what_test_does_not_keep(compare: Compare) -> None:
    noisy = ("--steps", 600, "--lr", 0.2, "--arm", "noisy:1=UniformNoise(low=0, high=0.5)")
    leaky, honest = compare(*noisy, "--split", "item", "--allow-leak"), compare(*noisy)
    assert leaky["leak"]["share"] == pytest.approx(0.9, abs=0.02)
    assert honest["leak"] == {"allowed": False, "share": 0.0, "test_share": 0.0}
    for name in ("noisy", "duplicate"):
        assert optimism(arms(leaky)[name]) > 7
        assert abs(optimism(arms(honest)[name])) < 3.5
    assert abs(optimism(arms(leaky)["none"])) < 3.5
