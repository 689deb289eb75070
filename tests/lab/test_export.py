"""Scores as tables for other programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from learners import Means

from vicinal.core.errors import BackendError, ParameterError, StoreError
from vicinal.lab.conduct import Findings, conduct
from vicinal.lab.engine import Serial
from vicinal.lab.export import COLUMNS, export
from vicinal.lab.store import Store
from vicinal.lab.study import Study, cells

Make = Callable[..., Study]


@pytest.fixture
def done(studied: Make, tmp_path: Path) -> Findings:
    """A study of 2 sizes, 2 strengths, 2 arms and 2 seeds, in a store."""
    axes = cells([None, 60], [3], strengths=[0.5, 1])
    study = studied(["a:1=GaussianNoise(std=0.1)"], name='x, "y"', cells=axes, seeds=(0, 1), trainer=Means(), controls=())
    with Store.open(tmp_path / "trials.db") as store:
        return conduct(study, store, Serial())


def expected(findings: Findings) -> dict[tuple[str, int, int | None, float, str], float]:
    return {
        (trial.arm.name, trial.seed, trial.cell.size, trial.cell.strength, metric): value
        for trial in findings.trials
        for metric, value in findings.outcomes[trial.key].values.items()
    }


def test_a_csv_has_a_row_for_every_number(done: Findings, tmp_path: Path) -> None:
    count = export(tmp_path, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert {row["study"] for row in rows} == {'x, "y"'}
    read = {
        (row["arm"], int(row["seed"]), int(row["size"]) if row["size"] else None, float(row["strength"]), row["metric"]): float(
            row["value"]
        )
        for row in rows
    }
    assert read == expected(done)
    assert count == len(rows) == len(read)


def test_parquet_holds_the_same(done: Findings, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    count = export(tmp_path / "trials.db", tmp_path / "scores.parquet")
    table = parquet.read_table(tmp_path / "scores.parquet")
    assert (table.column_names, table.num_rows) == (list(COLUMNS), count)
    assert [str(table.schema.field(name).type) for name in ("arm", "seed", "size", "value")] == ["string", "int64", "int64", "double"]
    read = {(row["arm"], row["seed"], row["size"], row["strength"], row["metric"]): row["value"] for row in table.to_pylist()}
    assert read == expected(done)


def test_a_store_without_scores_gives_a_table_without_rows(tmp_path: Path) -> None:
    Store.open(tmp_path / "trials.db").close()
    assert export(tmp_path, tmp_path / "scores.csv") == 0
    assert (tmp_path / "scores.csv").read_text() == ",".join(COLUMNS) + "\n"
    pytest.importorskip("pyarrow")
    assert export(tmp_path, tmp_path / "scores.parquet") == 0


def test_a_number_that_does_not_exist_is_empty(done: Findings, tmp_path: Path) -> None:
    with Store.open(tmp_path / "trials.db") as store:
        key, outcome = next(iter(done.outcomes.items()))
        store.finish({key: type(outcome)({"test.accuracy": np.nan}, outcome.recall, {}, outcome.predicted)})
    export(tmp_path, tmp_path / "scores.csv")
    assert any(line.split(",")[-2] == "" for line in (tmp_path / "scores.csv").read_text().splitlines())


def test_what_is_no_store_and_what_is_no_table(tmp_path: Path, done: Findings) -> None:
    with pytest.raises(StoreError, match=r"expected a store of trials, or a folder with trials.db, got neither"):
        export(tmp_path / "nowhere", tmp_path / "scores.csv")
    with pytest.raises(
        ParameterError, match=r"--out: expected a file that ends in .csv or .parquet, got .*scores.xlsx'; write --out scores.csv"
    ):
        export(tmp_path, tmp_path / "scores.xlsx")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="not a database"):
        export(tmp_path / "file", tmp_path / "scores.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"trials.db", "file"}


def test_without_pyarrow_the_sentence_says_what_to_do(done: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        BackendError, match=r"the package pyarrow, got none installed; write pip install 'vicinal\[export\]', or --out scores.csv"
    ):
        export(tmp_path, tmp_path / "scores.parquet")
    assert not (tmp_path / "scores.parquet").exists()
