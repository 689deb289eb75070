"""One comparison from what a person typed to the files on disk; the command line and Python callers share it."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from vicinal.core.errors import ParameterError, StoreError
from vicinal.lab.arms import read_arms
from vicinal.lab.compare import Progress, Setup, run
from vicinal.lab.load import load
from vicinal.lab.preview import sheets
from vicinal.lab.report import write_outputs
from vicinal.lab.result import result
from vicinal.learn.mlp import MLP

STEPS = 2000


@final
@dataclass(frozen=True)
class Options:
    """A comparison as it is typed; see ``vicinal compare --help``.

    Example:
        >>> Options("digits", seeds=5).setup().seeds
        (0, 1, 2, 3, 4)
    """

    data: str
    arms: tuple[str, ...] = ()
    seeds: int = 10
    steps: int | None = None
    epochs: int | None = None
    size: int | None = None
    copies: int = 0
    lr: float = 0.1
    batch: int = 32
    hidden: str = "64,32"
    dev: float = 0.1
    resize: int | None = None
    format: str = "auto"
    skip_bad: bool = False
    split: str = "source"
    allow_leak: bool = False
    alpha: float = 0.05
    interval: str = "t"
    out: Path = Path("vicinal-out")
    command: str = ""

    def setup(self) -> Setup:
        """The checked settings.

        Raises:
            ParameterError: a value out of its range, by the name under which it is typed.
        """
        split, interval = _one_of("--split", self.split, "source", "item"), _one_of("--interval", self.interval, "t", "bca")
        steps = STEPS if self.steps is None and self.epochs is None else self.steps
        try:
            model = MLP(hidden=_widths(self.hidden), lr=self.lr, batch=self.batch)
            budget = {"size": self.size, "steps": steps, "epochs": self.epochs, "dev": self.dev}
            verdicts = {"allow_leak": self.allow_leak, "alpha": self.alpha}
            return Setup(tuple(range(self.seeds)), model=model, by=split, interval=interval, **budget, **verdicts)  # type: ignore[arg-type]
        except ParameterError as fault:
            raise _as_typed(fault) from None


def _as_typed(fault: ParameterError) -> ParameterError:
    """A fault of a setting under the name of its option: ``MLP.lr`` is typed as ``--lr``."""
    option = fault.where.rpartition(".")[2]
    if not hasattr(Options, option):
        return fault
    usual = getattr(Options, option)
    return ParameterError(f"--{option}", fault.expected, fault.got, f"--{option} {usual}")


def _one_of(where: str, value: str, *known: str) -> str:
    if value not in known:
        raise ParameterError(where, f"one of {', '.join(known)}", repr(value), f"{where} {known[0]}")
    return value


def _widths(text: str) -> tuple[int, ...]:
    """Widths of the hidden layers; an empty text means none, which is softmax regression."""
    try:
        return tuple(int(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        raise ParameterError("--hidden", "whole numbers with commas between them", repr(text), "--hidden 64,32") from None


def session(options: Options, progress: Progress = lambda done, total: None) -> tuple[dict[str, Any], Path]:
    """Read, compare, write ``report.html`` and ``result.json``; returns the result and the report's path.

    Raises:
        VicinalError: for anything wrong with what was typed, read or written; nothing half-written is left.
    """
    started = time.perf_counter()
    setup, arms = options.setup(), read_arms(options.arms, options.copies)
    check_writable(options.out)
    data = load(options.data, options.format, options.skip_bad, options.resize)
    runs = run(data, arms, setup, progress)
    found = result(data, setup, runs, options.command, time.perf_counter() - started)
    _, report = write_outputs(found, sheets(runs), options.out)
    return found, report


def check_writable(out: Path) -> None:
    """Fail before the training, not after it; nothing is made, not even the folder.

    Raises:
        StoreError: no file can be written there.
    """
    there = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=there):  # nameless where the system can do that
            return
    except OSError as fault:
        got = f"{fault.strerror or fault} in {there}"
        raise StoreError(str(out), "a folder that can be written", got, "--out another-folder") from fault
