"""The report: whole, self-contained, escaped, and true to the result."""

from __future__ import annotations

import base64
import html
import io
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from specimen import sheets, specimen

from browser import CHROMIUM, opened
from vicinal.core.errors import StoreError
from vicinal.lab.report import Sheet, SheetRow, render_report, write_outputs, write_report
from vicinal.lab.report.figures import Axis, classes, curves, forest
from vicinal.lab.report.sheet import picture

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether every tag is closed where it should be."""

    def __init__(self, text: str) -> None:
        HTMLParser.__init__(self)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
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

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return specimen()


@pytest.fixture(scope="module")
def text(result: dict[str, Any]) -> str:
    return render_report(result, sheets())


def test_the_page_is_well_formed(text: str) -> None:
    page = Page(text)
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_no_request_leaves_the_page(text: str) -> None:
    page = Page(text)
    assert not re.findall(r"https?:|url\(|@import|//[\w.]+\.\w", re.sub(r"data:image/png;base64,[\w+/=]+", "", text))
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
    bodies = re.findall(r"<tbody>(.*?)</tbody>", text, re.S)
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


def decoded(sheet: Sheet) -> np.ndarray:
    drawn = picture(sheet)
    image = Image.open(io.BytesIO(base64.b64decode(drawn.uri.split(",")[1])))
    assert image.size == (drawn.width, drawn.height)
    return np.asarray(image)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
@pytest.mark.parametrize("side", [8, 28])
def test_a_sheet_shows_the_pixels_themselves(side: int, channels: int, dtype: str) -> None:
    values = np.random.default_rng(0).integers(0, 256, (side, side, channels)).astype(np.uint8)
    image = {"uint8": values, "uint16": values.astype(np.uint16) * 257, "float32": (values / 255).astype(np.float32)}[dtype]
    shown = decoded(Sheet("a", [SheetRow(image, [], "")]))
    factor = shown.shape[0] // side
    assert shown.shape[:2] == (side * factor, side * factor)
    assert factor == 84 // side
    want = values[..., :3] if channels >= 3 else values[..., :1].repeat(3, 2)
    np.testing.assert_array_equal(shown[factor // 2 :: factor, factor // 2 :: factor, :3], want)


def test_a_sheet_takes_images_of_different_sizes() -> None:
    zeros = [np.zeros((height, width, 1), np.uint8) for height, width in ((8, 8), (4, 10), (1, 1))]
    shown = decoded(Sheet("a", [SheetRow(zeros[0], zeros, ""), SheetRow(zeros[1], [], "")]))
    assert shown.shape == (2 * 8 * 8 + 4, 4 * 80 + 3 * 4 + 12, 4)


def test_values_outside_the_range_are_said_to_be_clipped() -> None:
    bright = np.full((8, 8, 1), 1.5, np.float32)
    assert picture(Sheet("a", [SheetRow(bright, [], "")])).clipped
    assert not picture(Sheet("a", [SheetRow(np.clip(bright, 0, 1), [], "")])).clipped


def test_axis_holds_its_values_and_has_round_ticks() -> None:
    rng = np.random.default_rng(0)
    for scale in (1e-3, 1.0, 1e3):
        values = rng.normal(0, scale, 20)
        axis = Axis.over(values)
        assert axis.low <= values.min()
        assert axis.high >= values.max()
        assert 2 <= len(axis.ticks) <= 8
        assert np.all((axis.at(values) >= 0) & (axis.at(values) <= 100))
    assert Axis.over([3.0]).low < Axis.over([3.0]).high
    assert Axis.over([]).ticks[0] == 0


def test_forest_places_what_it_shows(result: dict[str, Any]) -> None:
    plot = forest(result["arms"])
    assert plot is not None
    means = [row.mean for row in plot.rows]
    assert means == sorted(means, reverse=True)
    for row in plot.rows:
        assert row.low is not None
        assert row.high is not None
        assert 0 <= row.low < row.mean < row.high <= 100
        assert np.mean(row.seeds) == pytest.approx(row.mean)  # the mean of the paired differences is the difference of the means


def test_curves_are_thinned_and_labels_kept_apart() -> None:
    figure = curves(specimen(points=2000)["arms"])
    assert figure is not None
    for panel in figure.panels:
        labels = sorted(line.label_y for line in panel.lines if line.kind != "reference")
        assert labels[1] - labels[0] >= 14 - 1e-9
        assert all(line.path.count("L") < 160 for line in panel.lines)
    assert {line.kind for line in figure.panels[0].lines} == {"train", "dev"}
    assert {line.kind for line in figure.panels[1].lines} == {"train", "dev", "reference"}


def test_of_many_classes_those_that_moved_most_are_shown() -> None:
    result = specimen(classes=100)
    table = classes(result["data"]["classes"], result["arms"])
    assert table is not None
    assert (len(table.names), table.total) == (20, 100)
    for arm, cells in table.changes:
        worst = min(arm["difference"]["per_class"])
        assert sum(cell.worst for cell in cells) == int(any(cell.value == worst for cell in cells))
    assert "20 of 100 classes are shown" in Page(render_report(result, {})).text


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")
@pytest.mark.parametrize("width", [390, 1100])
def test_a_browser_shows_it_without_scrolling_sideways_or_complaint(tmp_path: Path, width: int) -> None:
    result = specimen(seeds=3, classes=30)
    result["arms"][2]["name"] = "a_rather_long_name_that_has_no_space_anywhere_in_it"
    shown, said = opened(render_report(result, sheets()), width, tmp_path)
    assert shown == width
    assert "CONSOLE" not in said
