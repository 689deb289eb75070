"""What the report is drawn with: axes, forests, curves, panels, sheets."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from specimen import full, specimen

from vicinal.lab.report import Sheet, SheetRow
from vicinal.lab.report.axis import Axis, Ladder, apart
from vicinal.lab.report.bands import chart
from vicinal.lab.report.learning import curves
from vicinal.lab.report.rows import forest
from vicinal.lab.report.sheet import picture
from vicinal.lab.report.tables import confusions
from vicinal.lab.report.view import styles
from vicinal.lab.wording import POINTS


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    return specimen()


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
    asked = [row.mean for row in plot.rows if not row.entry.control]
    assert asked == sorted(asked, reverse=True)
    assert [row.entry.label for row in plot.rows if row.entry.control] == ["duplicate"] == [plot.rows[-1].entry.label]
    for row in plot.rows:
        assert row.low is not None
        assert row.high is not None
        assert 0 <= row.low < row.mean < row.high <= 100
        assert np.mean(row.dots) == pytest.approx(row.mean)  # the mean of the paired differences is the difference of the means


def test_curves_are_thinned_and_labels_kept_apart() -> None:
    figure = curves(specimen(points=2000)["arms"])
    assert figure is not None
    for panel in figure.panels:
        labels = sorted(line.label_y for line in panel.lines if line.kind != "reference")
        assert labels[1] - labels[0] >= 14 - 1e-9
        assert all(line.path.count("L") < 160 for line in panel.lines)
    assert {line.kind for line in figure.panels[0].lines} == {"train", "dev"}
    assert {line.kind for line in figure.panels[1].lines} == {"train", "dev", "reference"}


def test_confusions_of_many_classes_are_those_that_are_confused_most() -> None:
    table = np.eye(50, dtype=int) * 100
    table[7, 3], table[30, 31] = 40, 60
    (found,) = confusions([f"c{i}" for i in range(50)], {"none": table.tolist()})
    assert (len(found.names), found.total) == (12, 50)
    assert {"c3", "c7", "c30", "c31"} <= set(found.names)
    assert found.said == "c30 taken for c31 (60), c7 taken for c3 (40)"
    row, column = found.names.index("c30"), found.names.index("c31")
    assert (found.counts[row][column], found.weights[row][column]) == (60, 1.0)
    assert not confusions(["a"], {})


def test_axes_of_a_study_keep_their_distances() -> None:
    assert Ladder.of([0, 1, 4]).places == (0.0, 25.0, 100.0)
    assert Ladder.of([10, 100, 1000]).places == pytest.approx((0, 50, 100))
    assert (Ladder.of([500, None]).texts, Ladder.of([500, None]).spacing) == (("500", "all"), "even")
    assert Ladder.of([3]).places == (50.0,)


def test_a_panel_draws_what_can_be_told_apart() -> None:
    result = full(seeds=3)
    line = result["arms"][2]["robustness"]["blur"]
    result["arms"] += [{**result["arms"][2], "name": f"more{i}"} for i in range(9)]
    found = chart(
        "blur", line["levels"], {arm["name"]: {**line, "mean": line["gain"]} for arm in result["arms"][1:]}, styles(result["arms"]), POINTS
    )
    assert len({trace.style for trace in found.traces}) == len(found.traces) == 8
    assert found.left_out == 6
    assert "duplicate" not in {trace.name for trace in found.traces}  # what the lab added goes first


def test_labels_are_moved_apart_in_their_order() -> None:
    rng = np.random.default_rng(0)
    places = {str(i): float(place) for i, place in enumerate(rng.uniform(60, 130, 8))}
    moved = apart(places, 10, 150)
    order = sorted(places, key=lambda name: places[name])
    gaps = np.diff([moved[name] for name in order])
    assert (gaps >= 10 - 1e-6).all()
    assert max(moved.values()) <= 155 + 1e-6
    assert apart({"a": 10.0, "b": 90.0}, 10, 150) == {"a": 10.0, "b": 90.0}
