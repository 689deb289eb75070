"""The scores of a store as one table for other programs: CSV or Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vicinal.core.errors import BackendError, ParameterError, StoreError
from vicinal.core.files import write_files
from vicinal.lab.store import Store

COLUMNS = ("study", "arm", "seed", "size", "steps", "epochs", "strength", "label_noise", "metric", "value", "trial")
"""Of the view ``scores``; ``value`` is empty where a number does not exist, ``size`` where all items were taken."""

Row = tuple[Any, ...]


def export(place: Path, out: Path) -> int:
    """Write every measured number of a store into a table, a row each; the file is there whole or not at all.

    Args:
        place: a store of trials, or the folder of a comparison with ``trials.db`` in it; out: a file that ends in .csv or .parquet.

    Returns:
        The number of rows.

    Raises:
        ParameterError: another ending. StoreError: no store, or a file that cannot be written. BackendError: pyarrow is not installed.
    """
    write = _format(out)
    with Store.open(_existing(place)) as store:
        rows = scores(store)
    write_files({out: write(rows)})
    return len(rows)


def scores(store: Store) -> list[Row]:
    """The rows of the view ``scores``, in an order of their own."""
    order = ", ".join(("study", "size", "steps", "epochs", "strength", "label_noise", "arm", "seed", "metric"))
    return store.read(f"SELECT {', '.join(COLUMNS)} FROM scores ORDER BY {order}")


def _existing(place: Path) -> Path:
    path = place / "trials.db" if place.is_dir() else place
    if not path.is_file():
        raise StoreError(str(place), "a store of trials, or a folder with trials.db", "neither", "the folder that compare wrote to")
    return path


def _format(out: Path) -> Callable[[Sequence[Row]], bytes]:
    formats = {".csv": _csv, ".parquet": _parquet}
    if out.suffix not in formats:
        raise ParameterError("--out", "a file that ends in .csv or .parquet", repr(str(out)), f"--out {out.stem or 'scores'}.csv")
    return formats[out.suffix]


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    return text.getvalue().encode("utf-8", "replace")


def _parquet(rows: Sequence[Row]) -> bytes:
    try:
        import pyarrow  # type: ignore[import-not-found]
        import pyarrow.parquet  # type: ignore[import-not-found]
    except ModuleNotFoundError:
        write = "pip install 'vicinal[export]', or --out scores.csv"
        raise BackendError("--out scores.parquet", "the package pyarrow", "none installed", write) from None
    text, whole, number = pyarrow.string(), pyarrow.int64(), pyarrow.float64()
    kinds = dict.fromkeys(COLUMNS, text) | dict.fromkeys(("seed", "size", "steps", "epochs"), whole)
    kinds |= dict.fromkeys(("strength", "label_noise", "value"), number)
    columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    table = pyarrow.table({name: pyarrow.array(column, kinds[name]) for name, column in zip(COLUMNS, columns, strict=True)})
    held = io.BytesIO()
    pyarrow.parquet.write_table(table, held)
    return held.getvalue()
