"""Reports from a stored ``result.json`` alone: nothing is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vicinal.core.errors import StoreError
from vicinal.core.files import write_files
from vicinal.lab.report.page import render_report
from vicinal.lab.report.paper import write_paper

SCHEMA = 2
_NEEDED = (
    "question",
    "answer",
    "arms",
    "metric",
    "data",
    "seeds",
    "budget",
    "trainer",
    "alpha",
    "interval",
    "leak",
    "environment",
    "command",
)


def read_result(folder: Path) -> dict[str, Any]:
    """The result that a comparison left in a folder.

    Args:
        folder: as given to ``--out``; the ``result.json`` in it will do too.

    Raises:
        StoreError: there is none, it is not JSON, or another version wrote it.
    """
    path = folder if folder.suffix == ".json" else folder / "result.json"
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise StoreError(str(path), "a result.json", fault.strerror or type(fault).__name__, "the folder of a comparison") from fault
    except ValueError as fault:
        raise StoreError(
            str(path), "a result.json", f"no JSON: {fault}", "the comparison again: it finds its trials in trials.db"
        ) from fault
    _check(path, found)
    return found


def _check(path: Path, found: Any) -> None:
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        advice = "the comparison again: it finds its trials in trials.db"
        raise StoreError(str(path), f"a result of schema {SCHEMA}", f"schema {schema}" if schema else "none", advice)
    missing = [name for name in _NEEDED if name not in found]
    if missing or not found["arms"]:
        raise StoreError(str(path), "a whole result", f"no {', '.join(missing) or 'arms'}", "the file as the comparison left it")


def rebuild(folder: Path, paper: bool = False) -> list[Path]:
    """Write ``report.html`` again, and with ``paper`` ``report.md`` and ``figures/``; contact sheets need the data and are left out.

    Returns:
        The paths of what was written.

    Raises:
        StoreError: as `read_result`, or a file could not be written.
    """
    result = read_result(folder)
    folder = folder.parent if folder.suffix == ".json" else folder
    page = folder / "report.html"
    write_files({page: render_report(result, {}, rebuilt=True).encode("utf-8", "replace")})
    return [page, *(write_paper(result, folder) if paper else [])]
