"""The verdicts in a terminal, and the words they share with the report."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console
from specimen import specimen

from vicinal.lab.terminal import print_result
from vicinal.lab.wording import answer_sentence, duration, listed, points


def printed(result: dict[str, Any], width: int = 80, **options: Any) -> str:
    console = Console(width=width, file=io.StringIO(), **options)
    print_result(result, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def unwrapped(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [44, 80, 120, 200])
def test_every_arm_has_one_line_at_any_width(width: int) -> None:
    result = specimen()
    lines = printed(result, width).splitlines()
    assert max(map(len, lines)) <= width
    for arm in result["arms"]:
        rows = [line for line in lines if re.match(rf"{arm['name']} +\W {arm['verdict']} ", line)]
        assert len(rows) == 1
        assert points((arm["difference"] or {}).get("mean")) in rows[0]


def test_wider_terminals_show_more() -> None:
    narrow, middle, wide = (printed(specimen(), width).splitlines()[2 if width > 90 else 3] for width in (60, 80, 130))
    assert narrow.split() == ["arm", "verdict", "accuracy", "points", "interval"]
    assert "p adj." in middle
    assert "seeds to settle" not in middle
    assert all(heading in wide for heading in ("seeds to settle", "steps", "train time", "ms/item"))


def test_it_says_the_question_the_answer_and_what_to_know() -> None:
    extra = {
        "step_note": "noise took 2.0 times the steps",
        "warnings": ["seed unused"],
        "leak": {"allowed": True, "share": 0.9, "test_share": 0.0},
    }
    result = specimen() | extra
    text = unwrapped(printed(result))
    parts = (result["question"], "verdict", result["answer"], "Steps differ: noise", "Warning: seed unused")
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.endswith("too high and cannot be believed.")
    assert "Leak allowed: 90.0 % of the dev items" in text


def test_the_leak_is_red_and_absent_without_one() -> None:
    leaky = specimen() | {"leak": {"allowed": True, "share": 0.5, "test_share": 0.0}}
    assert "\x1b[1;31mLeak allowed" in printed(leaky, force_terminal=True, color_system="standard")
    assert "Leak" not in printed(specimen())


def test_names_are_not_markup() -> None:
    result = specimen()
    result["arms"][2]["name"] = "[red]x[/]"
    assert "[red]x[/]" in printed(result)


def test_a_long_name_is_cut_not_wrapped() -> None:
    result = specimen()
    result["arms"][2]["name"] = "n" * 200
    lines = printed(result).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("nnn" in line for line in lines) == 1


def test_a_terminal_without_unicode_is_served() -> None:
    console = Console(width=80, file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    print_result(specimen(), console)
    console.file.flush()


def arm(name: str, verdict: str, mean: float = 0.0, seeds: int | None = None, half: float | None = 0.005) -> dict[str, Any]:
    ends = {"low": None, "high": None} if half is None else {"low": mean - half, "high": mean + half}
    difference = None if verdict == "reference" else {"against": "none", "mean": mean, **ends}
    return {"name": name, "verdict": verdict, "difference": difference, "seeds_needed": seeds}


NONE = arm("none", "reference")
SHIFT, SCALE = arm("shift", "helps", 0.067), arm("scale", "helps", 0.021)
FLIP, TURN = arm("hflip", "hurts", -0.049), arm("turn", "hurts", -0.083)
LONE = arm("a", "no evidence", 0.01, half=None)
NOISE, DUPLICATE = arm("noise", "no evidence", 0.004, 34), arm("duplicate", "no evidence", 0.0)


@pytest.mark.parametrize(
    ("arms", "sentence"),
    [
        ([NONE], "Nothing was compared: there is only the reference."),
        ([], "Nothing was compared: there is only the reference."),
        ([NONE, SHIFT], "shift helps: +6.7 points [6.2, 7.2]."),
        ([NONE, SCALE, SHIFT], "shift (+6.7 points [6.2, 7.2]) and scale (+2.1 [1.6, 2.6]) help."),
        ([NONE, FLIP], "No arm is shown to help. hflip hurts: -4.9 points [-5.4, -4.4]."),
        ([NONE, DUPLICATE], "No evidence either way for duplicate."),
        ([NONE, LONE], "No evidence either way for a. One seed gives no interval: compare over more seeds."),
        (
            [NONE, TURN, DUPLICATE, NOISE, SHIFT, FLIP],
            "shift helps: +6.7 points [6.2, 7.2]. hflip (-4.9 points) and turn (-8.3) hurt. "
            "No evidence either way for noise (34 seeds would settle it) and duplicate.",
        ),
    ],
)
def test_answer(arms: list[dict[str, Any]], sentence: str) -> None:
    assert answer_sentence(arms) == sentence


def test_numbers_read_well_at_the_edges() -> None:
    assert [points(value) for value in (0.0004, -0.0004, float("nan"), None, -1.0)] == ["0.0", "0.0", "-", "-", "-100.0"]
    assert [duration(value) for value in (59.6, 3599.9, None)] == ["60 s", "1 h 0 min", "-"]
    assert listed(["a", "b"]) == "a and b"
