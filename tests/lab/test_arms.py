"""Arms as they are typed, and everything that may be wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vicinal import Compose, Views, parse
from vicinal.core.errors import Faults, ParameterError, PolicyError, VicinalError
from vicinal.lab.arms import PANEL, Arm, read_arms, unfit

TURN = "Rotate(angle=(-15, 15))"


def fault(*texts: str, copies: int = 0) -> VicinalError:
    with pytest.raises(VicinalError) as caught:
        read_arms(texts, copies)
    return caught.value


@pytest.mark.parametrize(
    ("text", "copies", "arm", "mode"),
    [
        (f"turn={TURN}", 0, Arm("turn", parse(TURN)), "fly"),
        (f" turn = {TURN} ", 0, Arm("turn", parse(TURN)), "fly"),
        (f"turn:2={TURN}", 0, Arm("turn", parse(TURN), 2), "copies"),
        (f"turn={TURN}", 3, Arm("turn", parse(TURN), 3), "copies"),
        (f"turn:0={TURN}", 3, Arm("turn", parse(TURN), 0), "fly"),
        ("a b-c=Invert() | HorizontalFlip(p=0.5)", 0, Arm("a b-c", parse("Invert() | HorizontalFlip(p=0.5)")), "fly"),
    ],
)
def test_an_arm_as_typed(text: str, copies: int, arm: Arm, mode: str) -> None:
    assert read_arms([text], copies) == [arm]
    assert arm.mode == mode


@pytest.mark.parametrize("ending", ["yaml", "yml", "json"])
def test_a_policy_in_a_file_is_the_policy_itself(tmp_path: Path, ending: str) -> None:
    policy = parse(f"{TURN} | HorizontalFlip(p=0.5)")
    policy.save(tmp_path / f"policy.{ending}")
    assert read_arms([f"both:1={tmp_path}/policy.{ending}"]) == [Arm("both", policy, 1)]


def test_the_panel_stands_in_where_nothing_is_named() -> None:
    assert [(arm.name, str(arm.policy)) for arm in read_arms([])] == [(name, str(parse(policy))) for name, policy in PANEL]
    assert {arm.copies for arm in read_arms([], copies=2)} == {2}


def test_all_faults_of_all_arms_come_at_once() -> None:
    found = fault("no policy", "none=Invert()", "a=Rotat(angle=3)", "b=Rotate(angle=900) | Erase(area=7)", "b=Invert()")
    assert isinstance(found, Faults)
    places = [one.where for one in found.faults]
    assert places == ["--arm", "--arm", "--arm none", "arm a.policy", "arm b.policy[0].Rotate.angle", "arm b.policy[1].Erase.area"]
    assert [found.faults[i].write for i in (0, 1, 3)] == ['--arm shift="Translate(x=(-2, 2), y=(-2, 2))"', "b-2=...", "Rotate"]


def test_faults_in_a_file_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("- Rotate: {angle: 900}\n- Flip\n- Erase: {aria: 0.1, area: 0.1}\n")
    found = fault(f"a={path}")
    assert isinstance(found, Faults)
    assert [one.where for one in found.faults] == [
        f"arm a ({path}).policy[0].Rotate.angle",
        f"arm a ({path}).policy[1]",
        f"arm a ({path}).policy[2].Erase.aria",
    ]


@pytest.mark.parametrize("text", ["", "shift", "=Invert()", "a=", "a:=Invert()", "a:x=Invert()", "a:-1=Invert()"])
def test_what_is_no_arm_is_told_the_form(text: str) -> None:
    found = fault(text)
    assert (found.where, found.expected, found.got) == ("--arm", "NAME=POLICY or NAME:COPIES=POLICY", repr(text))


@pytest.mark.parametrize("name", ["none", "duplicate", "none, 1,406 steps"])
def test_names_of_controls_are_taken(name: str) -> None:
    assert "always compared" in fault(f"{name}=Invert()").expected


def test_a_name_stands_for_one_arm() -> None:
    found = fault("a=Invert()", "b=Invert()", "a:1=Rotate(angle=900)", "a=Invert()")
    assert isinstance(found, Faults)
    assert found.faults[0].got == "'a' 3 times"


@pytest.mark.parametrize(
    ("policy", "at_fault"),
    [
        ("Normalize(mean=0.5, std=0.5)", ["Normalize"]),
        ("Invert() | Normalize(mean=0.5, std=0.5) | ToTensor()", ["Normalize", "ToTensor"]),
        ("Views([Invert()], n=2)", ["Views"]),
    ],
)
def test_an_arm_may_change_neither_form_nor_number(policy: str, at_fault: list[str]) -> None:
    found = fault(f"a={policy}")
    assert isinstance(found, PolicyError)
    assert [one.got for one in (found.faults if isinstance(found, Faults) else (found,))] == at_fault
    assert "arm a" in str(found)


@pytest.mark.parametrize(
    ("policy", "kind", "at_fault"),
    [
        ("Invert() | Jitter(std=0.1)", "image", ["Jitter, for series"]),
        ("OneOf([Invert(), Jitter(std=0.1)])", "image", ["Jitter, for series"]),
        ("Invert() | Jitter(std=0.1)", "series", ["Invert, for image"]),
        ("Jitter(std=0.1)", "series", []),
    ],
)
def test_an_arm_fits_the_kind_of_the_data(policy: str, kind: str, at_fault: list[str]) -> None:
    assert [one.got for one in unfit("arm a", parse(policy), kind)] == at_fault


def test_nesting_does_not_hide_a_fault() -> None:
    inside = Views([Compose([parse("Invert()"), parse("ToTensor()")])], n=2)
    found = fault(f"a={inside!r}")
    assert isinstance(found, Faults)
    assert {one.got for one in found.faults} == {"Views", "ToTensor"}


@pytest.mark.parametrize("copies", [-1, 65536])
def test_a_number_of_copies_has_an_address(copies: int) -> None:
    with pytest.raises(ParameterError, match="0 to 65,535 copies"):
        Arm("a", parse("Invert()"), copies)


def test_too_many_copies_are_one_fault_among_others() -> None:
    found = fault("a:70000=Invert()", "none=Invert()")
    assert isinstance(found, Faults)
    assert [one.got for one in found.faults] == ["70,000", "'none'"]


@pytest.mark.parametrize(
    ("settings", "got"),
    [
        ({"resample": "both"}, "'both'"),
        ({"resample": "over", "copies": 1}, "copies 1, resample over"),
        ({"instead": True}, "none"),
    ],
)
def test_settings_that_exclude_one_another(settings: dict[str, Any], got: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Arm("a", **settings)
    assert (caught.value.where, caught.value.got) == ("arm a", got)


def test_strength_changes_the_policy_alone() -> None:
    arm = Arm("turn", parse(TURN), 2)
    assert arm.at(1) is arm
    assert str(arm.at(2).policy) == "Rotate(angle=(-30, 30))"
    assert (arm.at(2).name, arm.at(2).copies) == ("turn", 2)
    assert Arm("none").at(3) == Arm("none")


def test_arms_that_mix_are_known_however_deep_the_mixer_lies() -> None:
    texts = ("MixUp()", "OneOf([MixUp(), CutMix()])", "Invert() | MixUp(p=0.5)")
    assert all(Arm("a", parse(text)).mixes for text in texts)
    assert not Arm("a", parse(TURN)).mixes
