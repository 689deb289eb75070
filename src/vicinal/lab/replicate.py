"""A claim from its file to a verdict for every row."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vicinal import __version__
from vicinal.core.errors import DataError
from vicinal.core.files import write_files
from vicinal.lab import statistics
from vicinal.lab.claims import Claim, measured
from vicinal.lab.conduct import Findings, Tell, conduct
from vicinal.lab.engine import Engine
from vicinal.lab.result_file import result_bytes
from vicinal.lab.store import Store
from vicinal.lab.study import Study
from vicinal.lab.study_file import study_of

WORDS = ("reproduced", "weaker", "opposite", "cannot tell")
Say = Callable[[str, int, int], None]
"""Which study begins, its number, and of how many."""


def replicate(
    claim: Claim,
    data: Path | None,
    out: Path,
    engine: Engine,
    changes: Mapping[str, Any] | None = None,
    tell: Tell = lambda done, total: None,
    say: Say = lambda name, number, count: None,
) -> dict[str, Any]:
    """Run the studies of a claim, hold its rows against them, and write ``replication.json``.

    Args:
        data: the folder that holds the data set that the claim names, or that data set itself; None for built-in data.
        out: where results go; the store of trials there makes a second run resume the first.
        changes: fields of the study files to be changed, such as ``seeds``; what was changed is in the result.

    Raises:
        VicinalError: for anything wrong with the file, the data or the folder.
    """
    started, changes = time.perf_counter(), dict(changes or {})
    found: dict[str, Findings] = {}
    with Store.open(out / "trials.db") as store:
        for number, (name, document) in enumerate(claim.studies.items()):
            say(name, number, len(claim.studies))
            found[name] = conduct(_study(claim, name, dict(document) | changes, data), store, engine, tell=tell)
    rows = [row.data() for row in measured(claim, found)] + _meter(claim)
    result = {
        "schema": 1,
        "vicinal": __version__,
        "claim": claim.name,
        "source": claim.source,
        "says": claim.says,
        "changed": changes,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": time.perf_counter() - started,
        "rows": rows,
        "counts": {word: sum(row["verdict"] == word for row in rows) for word in WORDS},
        "failed": [vars(fault) for findings in found.values() for fault in findings.faults.values()],
    }
    write_files({out / "replication.json": result_bytes(result)})
    return result


def _study(claim: Claim, name: str, document: Mapping[str, Any], data: Path | None) -> Study:
    source = document.get("data", claim.data)
    path = None if data is None else next((str(some) for some in (data / str(source), data) if some.exists()), None)
    if data is not None and path is None:
        raise DataError("--data", f"the folder with {source}", f"no {source} in {data}", "--data FOLDER")
    return study_of({"study": f"{claim.name} {name}", **document, "data": path or source}, claim.path)


def _meter(claim: Claim) -> list[dict[str, Any]]:
    """The rows of the meter of our own verdicts, of claims that ask for it."""
    if not claim.meter:
        return []
    return [
        {
            "says": reading.name,
            "claimed": f"{100 * reading.least:g} to {100 * reading.most:g}",
            "known": "",
            "unit": "%",
            "measured": {"mean": 100 * reading.value, "low": 100 * reading.low, "high": 100 * reading.high},
            "verdict": "reproduced" if reading.holds else "opposite",
            "seeds": claim.meter,
        }
        for reading in statistics.meter(claim.meter)
    ]
