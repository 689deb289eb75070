"""The report: whole, self-contained, escaped, and true to the result."""

from __future__ import annotations

import html
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from specimen import full, regression, sheets, specimen

from browser import CHROMIUM, opened
from vicinal.core.errors import StoreError
from vicinal.lab.report import Sheet, SheetRow, render_report, write_outputs, write_report
from vicinal.lab.report.tables import classes, sign_maps

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether every tag is closed where it should be."""

    def __init__(self, text: str) -> None:
        HTMLParser.__init__(self)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.source = text
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def part(self, heading: str) -> str:
        """The text from a heading to the one after it."""
        parts = re.split(r"<h2>", self.source)
        return Page("<h2>" + next(part for part in parts if part.startswith(heading)).split("</section>")[0]).text

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return specimen()


@pytest.fixture(scope="module")
def whole() -> str:
    return render_report(full(), sheets())


@pytest.fixture(scope="module")
def text(result: dict[str, Any]) -> str:
    return render_report(result, sheets())


def test_the_page_is_well_formed(whole: str) -> None:
    page = Page(whole)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_no_request_leaves_the_page(whole: str) -> None:
    page, text = Page(whole), whole
    assert not re.findall(r"https?:|url\(|@import|//[\w.]+\.\w", re.sub(r"data:image/png;base64,[\w+/=]+", "", text))
    assert all(str(one["href"]).startswith("#") for one in page.all("use"))
    assert not page.all("script")
    assert not page.all("link")
    assert not page.all("iframe")
    assert all(str(image["src"]).startswith("data:image/png;base64,") for image in page.all("img"))
    assert "default-src 'none'" in text


def test_figures_have_text_alternatives(text: str) -> None:
    page = Page(text)
    drawn = [attributes for attributes in page.all("svg") if attributes.get("role") == "img"]
    assert len(drawn) == 5 + 6  # forest rows and learning curves
    assert all(attributes["aria-label"] for attributes in drawn)
    assert all(image["alt"] for image in page.all("img"))
    assert len(page.all("img")) == 6


def test_every_arm_stands_in_every_part(result: dict[str, Any], text: str) -> None:
    bodies = re.findall(r"<table.*?</table>", text, re.S)
    assert len(bodies) == 5  # verdicts, final accuracies, classes, costs, configuration
    for arm in result["arms"]:
        assert all(f'<th scope="row">{arm["name"]}' in body for body in bodies)
        assert f"<h3>{arm['name']}</h3>" in text
        assert arm["policy"] is None or html.escape(arm["policy"]) in html.unescape(text)


def test_the_numbers_are_those_of_the_result(result: dict[str, Any], text: str) -> None:
    shift = next(arm for arm in result["arms"] if arm["name"] == "shift")
    mean, low, high = (100 * shift["difference"][key] for key in ("mean", "low", "high"))
    row = re.search(r'<th scope="row">shift.*?</tr>', text, re.S)
    assert row is not None
    assert f"{100 * shift['mean']:.1f} %" in row.group()
    assert f"+{mean:.1f}</td>" in row.group()
    assert f"[{low:.1f}, {high:.1f}]" in row.group()


def test_the_parts_come_in_the_order_of_the_reader(result: dict[str, Any], text: str) -> None:
    said = Page(text).text
    said = said[said.index("vicinal report") :]  # behind the title
    headings = (
        "Verdicts",
        "By how much",
        "How to read it",
        "Learning",
        "Class by class",
        "What the arms produced",
        "What it cost",
    )
    parts = (result["question"], result["answer"].replace("-", "−"), *headings, "Configuration", "Repeat it", result["command"])
    places = [said.index(part) for part in parts]
    assert places == sorted(places)


def test_notes_appear_only_when_there_is_something_to_say(text: str) -> None:
    assert 'class="banner' not in text
    extra = {
        "leak": {"allowed": True, "share": 0.9, "test_share": 0.0},
        "step_note": "noise took 2.0 times the steps",
        "warnings": ["seed unused"],
    }
    page = render_report(specimen() | extra, {})
    assert re.search(r'class="banner leak" role="alert">Leak allowed: 90.0 % of the dev items', page)
    assert page.index("banner leak") < page.index('class="lead"') < page.index("banner step-note") < page.index("<table")
    assert "noise took 2.0 times the steps" in page
    assert "<li>seed unused</li>" in page


def test_everything_is_escaped() -> None:
    evil = '<script>alert("x")</script>'
    result = specimen(seeds=3)
    result |= {"question": evil, "command": evil, "step_note": evil, "warnings": [evil], "answer": evil}
    result["data"] |= {"name": evil, "origin": evil, "classes": [evil] * 10}
    result["environment"] = {evil: evil}
    result["arms"][2] |= {"name": evil, "policy": evil}
    row = SheetRow(np.zeros((8, 8, 1), np.uint8), [], evil)
    text = render_report(result, {evil: Sheet(evil, [row])})
    assert "<script" not in text
    assert Page(text).text.count(evil) > 12
    assert not Page(text).all("script")


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds(seeds: int) -> None:
    said = Page(render_report(specimen(seeds=seeds), sheets())).text
    assert ("no interval" in said) == (seeds == 1)
    assert "nan" not in said.lower()
    assert "None" not in said


def test_missing_numbers_become_dashes() -> None:
    result = specimen(seeds=3)
    for value in (None, float("nan")):
        arm = result["arms"][2]
        arm["mean"] = arm["scores"][0] = arm["cost"]["augment_seconds"] = arm["cost"]["ms_per_item"] = value
        ends = dict.fromkeys(("mean", "low", "high", "p", "p_adjusted"), value)
        arm["difference"] |= ends | {"per_class": [value] * 10}
        arm["per_class"] = [value] * 10
        arm["curve"]["dev"][3] = [value] * 3
        said = Page(render_report(result, {})).text
        assert "nan" not in said.lower()
        assert "–" in said


def test_only_the_reference() -> None:
    result = specimen(seeds=2)
    result["arms"] = result["arms"][:1]
    said = Page(render_report(result, {})).text
    assert "there is no difference to show" in said
    assert "Class by class" not in said


def test_no_curves_no_classes_no_sheets() -> None:
    result = specimen(seeds=2)
    result["data"]["classes"] = []
    for arm in result["arms"]:
        arm["curve"] = {"steps": [], "train": [], "dev": []}
    page = Page(render_report(result, {}))
    assert not page.all("img")
    assert "Class by class" not in page.text


def test_two_hundred_seeds_stay_small(tmp_path: Path) -> None:
    path = write_report(specimen(seeds=200, points=400), sheets(rows=6, side=224, channels=3), tmp_path / "report.html")
    assert path.stat().st_size < 5_000_000


def test_noisy_photographs_stay_small(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 320, 3), np.uint8)  # nothing compresses worse
    many = {name: Sheet(name, [SheetRow(noise, [noise] * 6, "seed=0 epoch=0 index=0")] * 6) for name in sheets()}
    assert write_report(specimen(), many, tmp_path / "report.html").stat().st_size < 5_000_000


def test_a_full_disk_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, page = write_outputs(specimen(seeds=2), sheets(), tmp_path)
    before = data.read_bytes(), page.read_bytes()
    real, calls = os.fsync, []

    def full_at_the_second(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full_at_the_second)
    with pytest.raises(StoreError, match="No space left"):
        write_outputs(specimen(seeds=3), sheets(), tmp_path)
    assert (data.read_bytes(), page.read_bytes()) == before
    assert {path.name for path in tmp_path.iterdir()} == {"result.json", "report.html"}


def test_of_many_classes_those_that_moved_most_are_shown() -> None:
    result = specimen(classes=100)
    table = classes(result["data"]["classes"], result["arms"])
    assert table is not None
    assert (len(table.names), table.total) == (20, 100)
    for arm, cells in table.changes:
        worst = min(arm["difference"]["per_class"])
        assert sum(cell.worst for cell in cells) == int(any(cell.value == worst for cell in cells))
    assert "20 of 100 classes are shown" in Page(render_report(result, {})).text


def test_metrics_that_are_no_share_are_plain_numbers() -> None:
    page = Page(render_report(regression(), {}))
    table = page.part("Verdicts")
    assert "in rmse" in table
    assert "Less rmse (unit of the targets) is better" in table
    assert "points" not in page.text.replace("data points", "")
    assert " %" not in table.replace("95 %", "")


def test_the_lab_s_own_arms_are_set_apart(text: str) -> None:
    assert re.search(r"turn.*Controls, added by the lab.*duplicate", Page(text).part("Verdicts"))
    assert "duplicate" not in Page(text).text.split("Verdicts")[0].split("▲ helps")[1]  # the chips are about what was asked


def test_everything_of_an_analysis_is_shown(whole: str) -> None:
    page, result = Page(whole), full()
    analysis = result["analysis"]
    said = page.text.replace("−", "-")
    assert all(sentence in said for sentence in analysis["sentences"])
    assert said.index(analysis["sentences"][0]) < said.index("How to read it")
    for key in ("confounds", "cheap", "real_images", "signs"):
        assert all(one["sentence"] in said for one in analysis[key]), key
    assert analysis["selection"]["sentence"] in said
    assert all(fit["sentence"] in said for fit in analysis["fits"].values())
    assert all(one["words"] in said for one in analysis["exchange"])
    assert all(fault["sentence"] in page.part("What failed") and fault["address"] in page.part("What failed") for fault in result["failed"])
    assert "Translate" in page.part("Inside shift")
    assert "1.2 %" in page.part("Augmenting at test time")
    sure = [one for one in analysis["interactions"] if one["low"] > 0 or one["high"] < 0]
    assert sure
    assert all(one["sentence"] in said for one in sure)
    assert "ECE 4.5 %" in page.part("Class by class")
    assert all(family in page.part("Under corruption") for family in ("gaussian", "blur", "contrast"))


def test_parts_that_a_result_lacks_are_not_there(text: str) -> None:
    for heading in (
        "something else",
        "Every metric",
        "Under corruption",
        "Along the axes",
        "Inside",
        "at test time",
        "What failed",
        "Confusions",
    ):
        assert heading not in Page(text).text
    result = full()
    result["analysis"] = {"sentences": [], "signs": result["analysis"]["signs"]}
    page = Page(render_report(result, {}))
    assert "Sign maps" in page.text
    assert "something else" not in page.text


def test_every_figure_of_an_analysis_has_a_text_alternative(whole: str) -> None:
    page = Page(whole)
    assert all(one.get("aria-label") for one in page.all("figure") if one.get("role") == "group")
    drawn = [one for one in page.all("svg") if one.get("role") == "img"]
    assert all(one["aria-label"] for one in drawn)
    robustness = next(str(one["aria-label"]) for one in drawn if "gaussian" in str(one.get("aria-label")))
    gain = full()["arms"][2]["robustness"]["gaussian"]["gain"][-1]
    assert f"+{100 * gain:.1f} at 0.4" in robustness
    assert any("4 taken for 9" in str(one.get("aria-label")) for one in page.all("figure"))


def test_signs_are_never_colour_alone() -> None:
    (shown, *_), analysis = sign_maps(full()["analysis"]["signs"]), full()["analysis"]
    for cells, given in zip(shown.cells, analysis["signs"][0]["cells"], strict=True):
        for cell, one in zip(cells, given, strict=True):
            assert cell["sure"] == (one["low"] > 0 or one["high"] < 0)
            assert cell["verdict"] == {1: "helps", -1: "hurts", 0: "no evidence"}[one["sign"]]
            assert 0 <= cell["weight"] <= 1
    table = re.search(r'<table class="heat map">.*?</table>', render_report(full(), {}), re.S)
    assert table is not None
    assert len(re.findall(r"<b>[▲▼○] ", table.group())) == 12


def test_a_report_of_two_hundred_trials_is_small(tmp_path: Path) -> None:
    many = sheets(rows=6, versions=6, side=224, channels=3)
    path = write_report(full(seeds=40, classes=100, points=20), many, tmp_path / "report.html")  # 5 arms and the reference, 40 seeds
    assert path.stat().st_size < 5_000_000


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
@pytest.mark.parametrize(("width", "dark"), [(360, True), (1100, False)])
def test_a_browser_shows_it_without_scrolling_sideways_or_complaint(tmp_path: Path, width: int, dark: bool) -> None:
    result = full(seeds=3, classes=30)
    result["arms"][2]["name"] = "a_rather_long_name_that_has_no_space_anywhere_in_it"
    seen = opened(render_report(result, sheets()), width, tmp_path, dark=dark)
    assert seen.width == width
    assert (seen.paper < 60) == dark
    assert "CONSOLE" not in seen.said  # requests that the page's own policy refuses are said there too
