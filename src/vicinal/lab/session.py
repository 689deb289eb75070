"""One comparison from what a person typed to the files on disk; the command line and Python callers share it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from vicinal.core.errors import Faults, ParameterError, StoreError, VicinalError
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import read_arms
from vicinal.lab.bench import Bench
from vicinal.lab.conduct import Pace, Tell, conduct
from vicinal.lab.engine import Engine, Serial, engine
from vicinal.lab.engine.processes import cores
from vicinal.lab.forecast import Forecast, forecast
from vicinal.lab.load import load
from vicinal.lab.pace import Budget, Race
from vicinal.lab.preview import sheets
from vicinal.lab.report import write_outputs, write_paper
from vicinal.lab.result import result
from vicinal.lab.store import Store
from vicinal.lab.study import Study
from vicinal.lab.study_file import read_study
from vicinal.lab.track import check_trackers, track
from vicinal.lab.trial import Cell, Rules, Trial
from vicinal.learn.mlp import MLP

STEPS = 2000
SHORT = 20.0  # seconds of one core below which no worker is started


@final
@dataclass(frozen=True)
class Options:
    """A comparison as it is typed; see ``vicinal compare --help``.

    Example:
        >>> from vicinal.data import read
        >>> Options("digits", seeds=5).study(read("digits")).seeds
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
    engine: str = "auto"
    workers: int | None = None
    address: str = "local"
    budget: str | None = None
    race: bool = False
    time_limit: float | None = None
    retry: bool = False
    trusted: bool = False
    attribute: str = ""
    paper: bool = False
    track: tuple[str, ...] = ()

    def study(self, data: Dataset) -> Study:
        """The checked settings, for data that have been read.

        Raises:
            ParameterError: a value out of its range, by the name under which it is typed.
        """
        steps, arms = STEPS if self.steps is None and self.epochs is None else self.steps, tuple(read_arms(self.arms, self.copies))
        try:
            return Study(
                data,
                arms,
                name=f"compare {data.name}",
                seeds=tuple(range(self.seeds)),
                cells=(Cell(size=self.size, steps=steps, epochs=self.epochs),),
                rules=Rules(dev=self.dev, by=self.split, allow_leak=self.allow_leak),  # type: ignore[arg-type]
                trainer=MLP(hidden=_widths(self.hidden), lr=self.lr, batch=self.batch),
                alpha=self.alpha,
                interval=self.interval,  # type: ignore[arg-type]
                limit=self.time_limit,
                attribute=self.attribute,
            )
        except (ParameterError, Faults) as fault:
            raise _as_typed(fault) from None


def _as_typed(fault: VicinalError) -> VicinalError:
    """A fault of a setting under the name of its option: ``MLP.lr`` is typed as ``--lr``; all of them where there are several."""
    if isinstance(fault, Faults):
        return Faults("vicinal compare", [_as_typed(one) for one in fault.faults])
    name = fault.where.rpartition(".")[2]
    name = {"by": "split", "budget": "steps"}.get(name, name)  # a study's budget is steps or epochs, --budget is time
    if not hasattr(Options, name):
        return fault
    usual = {"steps": STEPS, "time_limit": 60}.get(name, getattr(Options, name))
    advice = fault.write if usual == "" else usual
    return ParameterError(option(name), fault.expected, fault.got, f"no {option(name)}" if advice is None else f"{option(name)} {advice}")


def option(name: str) -> str:
    """How a setting is typed.

    Example:
        >>> option("time_limit")
        '--time-limit'
    """
    return "--" + name.replace("arms", "arm").replace("_", "-")


def _widths(text: str) -> tuple[int, ...]:
    """Widths of the hidden layers; an empty text means none, which is softmax regression."""
    try:
        return tuple(int(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        raise ParameterError("--hidden", "whole numbers with commas between them", repr(text), "--hidden 64,32") from None


def session(
    options: Options, tell: Tell = lambda done, total: None, say: Callable[[Forecast], None] = lambda forecast: None
) -> tuple[dict[str, Any], Path]:
    """Read, compare, write ``report.html``, ``result.json`` and the store of trials; returns the result and the report's path.

    Trials that the store in ``out`` holds already are not run again.

    Raises:
        VicinalError: for anything wrong with what was typed, read or written; nothing half-written is left.
    """
    check_writable(options.out)
    check_trackers(options.track)
    if is_study(options.data):
        study = studied(options)
    else:
        study = options.study(load(options.data, options.format, options.skip_bad, options.resize))
    found, report = conducted(study, options.out, options.command, how(options), tell, say)
    publish(found, report, options)
    return found, report


def publish(found: dict[str, Any], report: Path, options: Options) -> None:
    """What was asked for besides the report: files for a paper, and the stores of other tools."""
    if options.paper:
        write_paper(found, report.parent)
    for name in options.track:
        track(name, found, report)


def is_study(data: str) -> bool:
    """Whether what was typed as DATA is a study file."""
    return data.endswith((".yaml", ".yml"))


def studied(options: Options) -> Study:
    """The study of a file; what it says cannot be typed as well.

    Raises:
        ParameterError: an option that belongs into the file. Faults: everything that is wrong with the file.
    """
    usual = Options(options.data)
    twice = [name for name in _IN_FILES if getattr(options, name) != getattr(usual, name)]
    if twice:
        raise ParameterError(option(twice[0]), f"the study file to say it: {options.data}", "both", f"{twice[0]}: ... in the file")
    study = read_study(Path(options.data), trusted=options.trusted)
    return replace(study, attribute=options.attribute) if options.attribute else study


_IN_FILES = (
    "arms", "seeds", "steps", "epochs", "size", "copies", "lr", "batch", "hidden", "dev", "resize", "format", "skip_bad", "split",
    "allow_leak", "alpha", "interval", "time_limit",
)  # fmt: skip


@final
@dataclass(frozen=True)
class How:
    """In which way a study is conducted; see ``vicinal compare --help``."""

    engine: str = "auto"
    workers: int | None = None
    address: str = "local"
    budget: float | None = None
    race: bool = False
    retry: bool = False

    def check(self, study: Study) -> None:
        """Fail before anything is run or written.

        Raises:
            ParameterError: an engine that there is not, or one that cannot do what the study needs.
        """
        if self.engine != "auto":
            engine(self.engine, self.workers, self.address)
        if self.engine == "serial" and study.limit is not None:
            expected = "an engine with workers, which can give up a trial that takes too long"
            raise ParameterError("--engine", expected, "serial", "--engine processes")

    def pace(self, study: Study, trials: Sequence[Trial]) -> Pace | None:
        """What decides how it goes on; None for all at once."""
        if self.budget is not None and self.race:
            raise ParameterError("--budget", "either --budget or --race", "both", "--race")
        if self.budget is not None:
            return Budget(study, trials, self.budget)
        return Race(study, trials) if self.race else None


def how(options: Options) -> How:
    """The way of conducting that was typed."""
    budget = None if options.budget is None else seconds("--budget", options.budget)
    return How(options.engine, options.workers, options.address, budget, options.race, options.retry)


def conducted(study: Study, out: Path, command: str, way: How, tell: Tell, say: Callable[[Forecast], None]) -> tuple[dict[str, Any], Path]:
    """Conduct a study, and write what was found into a folder."""
    way.check(study)
    bench = Bench(study.data)
    study.check(bench)
    trials = study.trials(bench)
    pace = way.pace(study, trials)
    with Store.open(out / "trials.db") as store:
        keys = [trial.key for trial in trials]
        if way.retry:
            store.retry(keys)
        known = store.states(keys)
        open_ = [trial for trial in trials if known.get(trial.key) not in ("done", "failed")]
        planned = _planned(way)
        ahead = forecast(study, bench, trials, open_, _workers(way), planned.threads)
        say(ahead)
        findings = conduct(study, store, Serial() if _short(way, ahead, study.limit) else planned, pace, tell, bench)
    found = result(findings, command)
    _, report = write_outputs(found, sheets(findings, bench), out)
    return found, report


def _workers(way: How) -> int:
    return 1 if way.engine == "serial" else way.workers or cores()


def _planned(way: How) -> Engine:
    return engine("processes" if way.engine == "auto" else way.engine, way.workers, way.address)


def _short(way: How, ahead: Forecast, limit: float | None) -> bool:
    """Workers take seconds to start: what is over by then is done here, unless somebody must be there to give up trials."""
    free = way.engine == "auto" and way.workers is None and limit is None
    return free and ahead.seconds is not None and ahead.seconds * cores() < SHORT


def seconds(where: str, text: str) -> float:
    """A time span as people type it.

    Example:
        >>> seconds("--budget", "10m"), seconds("--budget", "1h30m"), seconds("--budget", "45")
        (600.0, 5400.0, 45.0)
    """
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", text.strip())
    if not found or not any(found.groups()):
        raise ParameterError(where, "a time such as 45s, 10m or 1h30m", repr(text), f"{where} 10m")
    return sum(float(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True))


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
