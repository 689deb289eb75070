"""Markdown and figures, reports from stored results, and two studies side by side."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from specimen import full, regression, sheets, specimen
from typer.testing import CliRunner

from vicinal.cli import app
from vicinal.core.errors import StoreError, VicinalError
from vicinal.lab.analysis import across
from vicinal.lab.report import read_result, rebuild, render_markdown, render_pair, write_outputs, write_paper
from vicinal.lab.report.pair import view_pair
from vicinal.lab.statistics import estimate


def tables(text: str) -> list[list[list[str]]]:
    """Rows of cells of every table of a Markdown text."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.M)
    return [[re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()] for table in found]


@pytest.mark.parametrize("result", [full(), specimen(seeds=1), regression()], ids=["full", "one seed", "regression"])
def test_markdown_tables_are_whole(result: dict[str, Any]) -> None:
    text = render_markdown(result)
    for table in tables(text):
        assert {len(row) for row in table} == {len(table[0])}
        assert all(set(cell.strip()) <= set(":-") and cell.strip() for cell in table[1])
    assert not re.search(r"\bnan\b|None", text)
    assert "\n\n\n" not in text
    assert all(re.search(rf"^\| {arm['name']} \|", text, re.M) for arm in result["arms"])


def test_markdown_says_what_the_page_says() -> None:
    result = full()
    result["arms"][2]["policy"] = "Invert() | Rotate(angle=(-5, 5))"
    text = render_markdown(result)
    assert r"Invert() \| Rotate" in text
    said = text.replace("−", "-").replace("\\", "")
    for sentence in (result["answer"], *result["analysis"]["sentences"], result["analysis"]["selection"]["sentence"], result["command"]):
        assert sentence in said
    assert said.index("## Verdicts") < said.index("## Could it be something else?") < said.index("## Repeat it")


def test_figures_for_a_paper(tmp_path: Path) -> None:
    result = full(seeds=3)
    result["analysis"]["signs"][0]["arm"] = "a/../b c"
    written = write_paper(result, tmp_path)
    names = {str(path.relative_to(tmp_path)) for path in written}
    expected = {"forest", "curves", "robustness", "signs-a-..-b-c", "signs-shift", "axes-labels", "axes-label-noise"}
    assert names == {"report.md", *(f"figures/{name}.png" for name in expected)}
    text = (tmp_path / "report.md").read_text("utf-8")
    linked = re.findall(r"!\[(.+)\]\((\S+)\)", text)
    assert {address for _, address in linked} == names - {"report.md"}
    for path in written[1:]:
        image = Image.open(path)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=1)
        grey = np.asarray(image.convert("L"))
        assert 0.003 < (grey < 200).mean() < 0.6  # there is ink that a grey print shows


def test_figures_of_little(tmp_path: Path) -> None:
    result = specimen(seeds=1)
    result["arms"] = result["arms"][:1]
    assert [path.name for path in write_paper(result, tmp_path)] == ["report.md", "curves.png"]


def test_a_report_is_rebuilt_from_its_result_alone(tmp_path: Path) -> None:
    write_outputs(full(seeds=3), sheets(), tmp_path)
    before = (tmp_path / "report.html").read_text("utf-8")
    (tmp_path / "report.html").unlink()
    done = CliRunner().invoke(app, ["report", str(tmp_path), "--paper"])
    assert done.exit_code == 0
    after = (tmp_path / "report.html").read_text("utf-8")
    assert "the contact sheets are left out" in " ".join(after.split())
    assert "data:image" not in after
    assert before.split("What the arms produced")[0] == after.split("What the arms produced")[0]
    assert all(Path(line).exists() for line in done.stdout.split())
    assert rebuild(tmp_path / "result.json") == [tmp_path / "report.html"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "expected a result.json"),
        ("{", "no JSON"),
        ('{"schema": 1}', "expected a result of schema 2, got schema 1"),
        ('{"schema": 3}', "got schema 3"),
        ("[]", "got none"),
        ('{"schema": 2}', "no question, answer, arms"),
    ],
)
def test_what_is_no_result_is_refused_with_a_sentence(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "result.json").write_text(content)
    with pytest.raises(StoreError, match=re.escape(words)):
        read_result(tmp_path)


@pytest.mark.parametrize("typed", [["a", "b"], ["a", "b", "--out", "c", "--paper"], ["a", "--out", "c"], ["a", "b", "c", "--out", "d"]])
def test_options_that_do_not_fit_are_refused(typed: list[str]) -> None:
    assert isinstance(CliRunner().invoke(app, ["report", *typed]).exception, VicinalError)


NAMES = ("first", "second")


def test_two_studies_are_compared_seed_by_seed() -> None:
    first, second = full(seeds=10), full(seeds=7, seed=5)
    seen = view_pair(first, second, NAMES)
    for one in seen["arms"]:
        a, b = (next(arm for arm in result["arms"] if arm["name"] == one["name"]) for result in (first, second))
        gaps = np.subtract(b["difference"]["paired"], a["difference"]["paired"][:7])
        found = estimate(gaps, 0.95)
        assert one["seeds"] == 7
        assert (one["change"]["mean"], one["change"]["low"]) == pytest.approx((found.mean, found.low))


def test_whether_a_choice_carries_over() -> None:
    first, second = full(seeds=4), full(seeds=6, seed=2)
    (_, _, there), (_, _, back) = view_pair(first, second, NAMES)["transfers"]
    assert (there, back) == (across(first, second), across(second, first))
    page = render_pair(first, second, NAMES)
    assert "Choosing on A would take shift" in page
    second["arms"] = second["arms"][:3]
    assert "cannot say: two studies: expected 3 arms or more" in render_pair(first, second, NAMES)


def test_the_page_of_two_studies(tmp_path: Path) -> None:
    first, second = full(seeds=4), full(seeds=4, seed=3)
    second["trainer"] |= {"lr": 0.25}
    second["arms"][2]["policy"] = "Translate(x=(-9, 9))"
    for name, result in zip(NAMES, (first, second), strict=True):
        write_outputs(result, {}, tmp_path / name)
    both = tmp_path / "both"
    done = CliRunner().invoke(app, ["report", *(str(tmp_path / name) for name in NAMES), "--out", str(both)])
    assert done.exit_code == 0, done.exception
    page = (both / "comparison.html").read_text("utf-8")
    assert re.search(r"trainer\.lr.*?0\.1.*?0\.25", page, re.S)
    assert "Translate(x=(-9, 9))" in page
    assert "trainer.batch" not in page
    assert "default-src 'none'" in page
    assert "<script" not in page


def test_studies_by_different_metrics_or_with_nothing_in_common() -> None:
    seen = view_pair(full(seeds=4), regression(seeds=4), NAMES)
    assert all(one["change"] is None for one in seen["arms"])
    assert seen["forest"] is None
    assert "different metrics" in render_pair(full(seeds=4), regression(seeds=4), NAMES)
    other = json.loads(json.dumps(specimen(seeds=2)).replace('"name": "', '"name": "my '))
    other["metric"]["name"] = "accuracy"
    with pytest.raises(StoreError, match="an arm of the same name in both"):
        view_pair(specimen(seeds=2), other, NAMES)
