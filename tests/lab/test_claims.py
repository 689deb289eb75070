"""Claims: every file that ships can be read, every fault of a file is told, and rows are held against what was measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from vicinal import cli
from vicinal.core.errors import DataError, Faults, PolicyError
from vicinal.lab.claims import Claim, measured, names, read_claim
from vicinal.lab.engine import Serial
from vicinal.lab.replicate import replicate
from vicinal.lab.study_file import study_of

FLIPS: dict[str, Any] = {
    "claim": "flips",
    "source": "a colleague",
    "says": "Flips help on digits.",
    "data": "digits",
    "studies": {
        "flips": {
            "size": [60, 100],
            "steps": 60,
            "seeds": 3,
            "trainer": {"name": "mlp", "hidden": [8]},
            "arms": {"hflip": "HorizontalFlip(p=0.5)"},
            "controls": [],
        }
    },
    "rows": [
        {
            "says": "flips against none",
            "plus": [{"arm": "hflip", "of": "test.accuracy"}],
            "minus": [{"arm": "none", "of": "test.accuracy"}],
            "claimed": "+",
        },
        {
            "says": "none is itself",
            "plus": [{"arm": "none", "of": "test.nll", "size": 60}],
            "minus": [{"arm": "none", "of": "test.nll", "size": 60}],
            "claimed": [-0.1, 0.1],
        },
    ],
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "claim.yaml"
    path.write_text(yaml.safe_dump(FLIPS | changes))
    return path


@pytest.fixture
def flips(tmp_path: Path) -> Claim:
    return read_claim(str(written(tmp_path)))


def test_every_claim_that_ships_can_be_read_and_names_arms_that_its_studies_have() -> None:
    assert len(names()) == 8
    for name in names():
        claim = read_claim(name)
        assert claim.says
        assert claim.source
        for row in claim.rows:
            for place in (*row.plus, *row.minus):
                assert place.arm in {"none", "steps", "duplicate", *claim.studies[place.study]["arms"]}, (name, place)


@pytest.mark.parametrize("name", [name for name in names() if name != "statistics-meter"])
def test_the_studies_of_the_claims_are_studies(name: str) -> None:
    """Held against small data of the form that each needs, which finds fields and policies that are not there."""
    claim = read_claim(name)
    data = claim.data if claim.data == "line" else "digits"
    for document in claim.studies.values():
        small = dict(document) | {"data": data} | ({} if data == "line" else {"size": 100})
        assert study_of(small, claim.path).arms


def test_rows_are_held_against_what_was_found(flips: Claim, tmp_path: Path) -> None:
    result = replicate(flips, None, tmp_path / "out", Serial())
    first, second = result["rows"]
    assert first["unit"] == "points"
    assert first["claimed"] == "above 0"
    assert first["seeds"] == 3
    assert second["verdict"] == "reproduced"
    assert second["unit"] == ""
    assert second["measured"]["mean"] == 0
    assert json.loads((tmp_path / "out" / "replication.json").read_text())["counts"] == result["counts"]
    assert sum(result["counts"].values()) == 2


def test_a_second_run_trains_nothing(flips: Claim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = replicate(flips, None, tmp_path / "out", Serial())
    monkeypatch.setattr("vicinal.lab.engine.work.run_group", lambda *rest: pytest.fail("trained again"))
    assert replicate(flips, None, tmp_path / "out", Serial())["rows"] == first["rows"]


def test_changes_are_said(flips: Claim, tmp_path: Path) -> None:
    result = replicate(flips, None, tmp_path / "out", Serial(), {"seeds": 2})
    assert result["changed"] == {"seeds": 2}
    assert result["rows"][0]["seeds"] == 2


def test_rows_may_be_differences_of_differences(tmp_path: Path) -> None:
    """A gain at one size minus the gain at another is paired seed by seed."""
    places = [
        {"arm": arm, "of": "test.accuracy", "size": size} for arm, size in (("hflip", 60), ("none", 100), ("none", 60), ("hflip", 100))
    ]
    row = {"says": "shrinks", "plus": places[:2], "minus": places[2:], "claimed": [-100, 100]}
    claim = read_claim(str(written(tmp_path, rows=[row])))
    result = replicate(claim, None, tmp_path / "out", Serial())
    assert result["rows"][0]["seeds"] == 3
    assert result["rows"][0]["verdict"] == "reproduced"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rows": []}, "rows: expected at least one row"),
        ({"wors": 1}, "wors: expected one of claim"),
        ({"rows": [{"says": "a", "plus": []}]}, r"rows\[0\]: expected a mapping of says"),
        ({"rows": [FLIPS["rows"][0] | {"claimed": [3, 1]}]}, r"rows\[0\].claimed: expected"),
        ({"rows": [FLIPS["rows"][0] | {"plus": [{"arm": "hflip"}]}]}, r"rows\[0\].plus: expected a mapping of arm, of"),
        ({"rows": [FLIPS["rows"][0] | {"plus": [{"arm": "a", "of": "b", "study": "c"}]}]}, r"rows\[0\].plus.study: expected one of flips"),
    ],
)
def test_faults_of_a_file_are_told_with_their_places(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises((PolicyError, Faults), match=says):
        read_claim(str(written(tmp_path, **changes)))


def test_a_place_that_no_study_has_is_named(flips: Claim, tmp_path: Path) -> None:
    claim = read_claim(str(written(tmp_path, rows=[FLIPS["rows"][0] | {"plus": [{"arm": "turn", "of": "test.accuracy"}]}])))
    with pytest.raises(DataError, match="claim: turn: expected an arm of the study"):
        replicate(claim, None, tmp_path / "out", Serial())


def test_an_unknown_claim_is_told_the_nearest() -> None:
    with pytest.raises(PolicyError, match="write vicinal replicate noise-mnist"):
        read_claim("noise-mnst")


def test_data_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--data: expected the folder with mnist"):
        replicate(read_claim("tta"), tmp_path / "nowhere", tmp_path / "out", Serial())


def test_the_meter_has_a_row_for_each_reading(tmp_path: Path) -> None:
    claim = read_claim("statistics-meter")
    assert measured(claim, {}) == []
    assert claim.meter == 200


def test_gaussian_noise_flattens_a_linear_fit_by_the_known_factor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Experiment 11d, through the command line."""
    words = ["replicate", "gaussian-regression", "--engine", "serial", "--seeds", "4", "--out", str(tmp_path), "--json"]
    monkeypatch.setattr(sys, "argv", ["vicinal", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["verdict"] for row in rows] == ["reproduced", "reproduced", "opposite"]
    assert 1 / rows[0]["measured"]["mean"] == pytest.approx(0.9714, abs=0.02)
    assert np.isfinite(rows[2]["measured"]["low"])
