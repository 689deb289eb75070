"""Results as JSON: plain numbers, and null for what is no number."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from specimen import specimen

from vicinal.lab.result_file import result_bytes, write_result


def test_result_json_reads_back(tmp_path: Path) -> None:
    result = specimen(seeds=3, classes=4)
    path = write_result(result, tmp_path / "result.json")
    assert json.loads(path.read_text("utf-8")) == result


def test_numpy_becomes_plain_and_what_is_no_number_becomes_null() -> None:
    mixed = {"a": np.arange(3), "b": np.float32(0.5), "c": [float("nan"), np.inf], "d": (1, Path("x")), "e": np.True_}
    assert json.loads(result_bytes(mixed)) == {"a": [0, 1, 2], "b": 0.5, "c": [None, None], "d": [1, "x"], "e": True}


def test_a_path_that_is_not_text_is_still_written() -> None:
    assert json.loads(result_bytes({"origin": os.fsdecode(b"data-\xff")})) == {"origin": "data-?"}
