"""Studies conducted: by any engine the same, interrupted and resumed, side by side, and with trainers that go wrong in every way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from learners import Means

from vicinal.core.errors import StoreError
from vicinal.data.dataset import Dataset
from vicinal.lab.bench import Bench
from vicinal.lab.conduct import AllAtOnce, Findings, conduct
from vicinal.lab.engine import Processes, Serial, engine
from vicinal.lab.result import result
from vicinal.lab.store import Store
from vicinal.lab.study import Study

Make = Callable[..., Study]
ARMS = ["fly=Translate(x=(-1, 1), y=(-1, 1))", "noisy:1=GaussianNoise(std=0.1)"]


def found(study: Study, engine: Any = None, **more: Any) -> Findings:
    with Store.memory() as store:
        return conduct(study, store, engine or Serial(), **more)


def values(findings: Findings) -> dict[tuple[str, int], dict[str, float]]:
    return {(trial.arm.name, trial.seed): dict(findings.outcomes[trial.key].values) for trial in findings.trials}


def test_worker_processes_give_the_same_numbers(studied: Make) -> None:
    study = studied(ARMS, trainer=Means())
    serial, workers = found(study), found(study, Processes(2))
    assert values(workers) == values(serial)
    assert workers.fresh == serial.fresh == 12
    for trial in serial.trials:
        one, other = (findings.outcomes[trial.key] for findings in (serial, workers))
        assert np.array_equal(one.predicted, other.predicted)
        assert dict(one.curve) == dict(other.curve)


def test_networks_in_worker_processes_are_those_of_this_one(studied: Make) -> None:
    study = studied(ARMS, steps=10, seeds=(0, 1))
    serial, workers = (values(some) for some in (found(study), found(study, Processes(2))))
    assert all(abs(workers[place]["test.accuracy"] - one["test.accuracy"]) < 1.5 / 599 for place, one in serial.items())


@pytest.mark.parametrize("engine", [Serial(), Processes(1), Processes(2)], ids=["serial", "one", "two"])
def test_an_engine_has_the_threads_that_it_says(studied: Make, tmp_path: Path, engine: Any) -> None:
    found(studied(trainer=Means(log=str(tmp_path / "log")), seeds=(0, 1), controls=()), engine)
    told = {int(line.split()[1]) for line in (tmp_path / "log").read_text().splitlines()}
    assert told == {engine.threads or torch.get_num_threads()}


def test_progress_grows_to_the_number_of_trials(studied: Make) -> None:
    seen: list[tuple[float, int]] = []
    findings = found(studied(ARMS, steps=30), tell=lambda done, total: seen.append((done, total)))
    done = [part for part, _ in seen]
    assert {total for _, total in seen} == {len(findings.trials)} == {12}
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, 12)
    assert any(0 < part < 12 and part != int(part) for part in done)


def test_workers_stay_from_one_wave_to_the_next(studied: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[int] = []
    started = Processes._started
    monkeypatch.setattr(Processes, "_started", lambda engine, count, *more: came.append(count) or started(engine, count, *more))

    study = studied(ARMS, trainer=Means())
    pace = AllAtOnce(study.trials(Bench(study.data)))
    waves = iter([pace.trials[:6], pace.trials[6:], []])
    monkeypatch.setattr(pace, "wave", lambda done, spent: next(waves))
    assert found(study, Processes(2), pace=pace).fresh == 12
    assert [count for count in came if count] == [2]


# What is done is not done again.


def trained(log: Path) -> Counter[str]:
    return Counter(line.split()[0] for line in log.read_text().splitlines()) if log.exists() else Counter()


def test_a_second_run_trains_nothing(studied: Make, tmp_path: Path) -> None:
    study = studied(ARMS, trainer=Means(log=str(tmp_path / "log")))
    with Store.open(tmp_path / "trials.db") as store:
        first = conduct(study, store, Serial())
    before = trained(tmp_path / "log")
    with Store.open(tmp_path / "trials.db") as store:
        second = conduct(study, store, Serial())
    assert (first.fresh, second.fresh) == (12, 0)
    assert trained(tmp_path / "log") == before == {"0": 4, "1": 4, "2": 4}
    assert values(second) == values(first)


def test_what_two_studies_share_is_trained_once(studied: Make, tmp_path: Path) -> None:
    log = tmp_path / "log"
    small = studied(ARMS[:1], trainer=Means(log=str(log)), seeds=(0, 1))
    large = replace(small, arms=studied(ARMS).arms, seeds=(0, 1, 2), name="larger")
    with Store.memory() as store:
        assert conduct(small, store, Serial()).fresh == 6
        assert conduct(large, store, Serial()).fresh == 12 - 6


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import study_of
from learners import Means
from vicinal.data import read
from vicinal.lab.conduct import conduct
from vicinal.lab.engine import engine
from vicinal.lab.store import Store
folder, name, seeds = Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
trainer = Means(seconds=float(sys.argv[5]), log=str(folder / "log"), beside=1)
study = study_of(read("digits"), ["a:1=Invert()"], trainer=trainer, seeds=tuple(range(seeds)), controls=())
with Store.open(folder / "trials.db") as store:
    print(conduct(study, store, engine(name, 2)).fresh)
"""


def started(folder: Path, name: str, seeds: int, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(folder), name, str(seeds), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)


def until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not happened():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


@pytest.mark.parametrize(("name", "after"), [("serial", 1), ("serial", 5), ("processes", 4)])
def test_a_kill_loses_at_most_what_was_running(tmp_path: Path, digits: Dataset, name: str, after: int) -> None:
    process = started(tmp_path, name, seeds=4, seconds=0.1)
    until(lambda: trained(tmp_path / "log").total() >= after, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.5)  # workers see that nobody listens, at the end of their trial at the latest
    began = trained(tmp_path / "log").total()
    with Store.open(tmp_path / "trials.db") as store:
        kept = store.counts().get("done", 0)
    workers = 1 if name == "serial" else 2
    assert began - kept <= workers
    again = started(tmp_path, "serial", seeds=4, seconds=0)
    out, err = again.communicate()
    assert out.strip() == str(8 - kept), err
    late = trained(tmp_path / "log").total() - (began + 8 - kept)  # what a worker had got, but not begun
    assert 0 <= late < workers


LADDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import study_of
from vicinal.data import read
from vicinal.lab.conduct import conduct
from vicinal.lab.engine import engine
from vicinal.lab.store import Store
from vicinal.lab.trial import Cell
study = study_of(read("digits"), [], seeds=tuple(range(4)), controls=(), cells=(Cell(60, 20), Cell(60, 10**7)))
with Store.open(Path(sys.argv[2]) / "trials.db") as store:
    conduct(study, store, engine(sys.argv[3], 2))
"""


@pytest.mark.parametrize("name", ["serial", "processes"])
def test_a_kill_spares_what_ended_before_the_others_of_its_job(tmp_path: Path, name: str) -> None:
    def kept() -> dict[str, int]:
        with Store.open(tmp_path / "trials.db") as store:
            return store.counts()

    command = [sys.executable, "-c", LADDER, str(Path(__file__).parent), str(tmp_path), name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    until(lambda: (tmp_path / "trials.db").exists() and kept().get("done", 0) == 4, process)
    assert kept() == {"done": 4, "running": 4}
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert kept() == {"done": 4, "running": 4}


def test_what_cannot_be_written_down_is_no_fault_of_the_trial(studied: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(store: Store, outcomes: Any) -> None:
        raise StoreError("trials.db", "a store that can be written", "a full disk")

    monkeypatch.setattr(Store, "finish", full)
    with Store.memory() as store:
        with pytest.raises(StoreError, match="a full disk"):
            conduct(studied(trainer=Means(), controls=()), store, Serial())
        assert store.counts() == {"running": 3}


def test_two_studies_share_one_store_at_the_same_time(tmp_path: Path) -> None:
    several = [started(tmp_path, "serial", seeds, 0.05) for seeds in (4, 6)]
    told = [process.communicate() for process in several]
    assert [process.returncode for process in several] == [0, 0], told
    assert trained(tmp_path / "log").total() == 12  # of the 8 and 12 that they ask for, each once
    assert sum(int(out) for out, _ in told) == 12


# Trainers that go wrong.


def told(findings: Findings) -> dict[str, str]:
    return {fault.address.split(", size")[0]: fault.sentence for fault in findings.faults.values()}


@pytest.mark.parametrize("beside", [1, 64])
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("raises", "ValueError: no convergence"),
        ("memory", "out of memory"),
        ("nan", "finite"),
    ],
)
def test_a_trial_that_goes_wrong_takes_nobody_along(studied: Make, wrong: str, sentence: str, beside: int) -> None:
    findings = found(studied(ARMS, trainer=Means(wrong, at=1, beside=beside)))
    assert len(findings.outcomes) == 8
    assert sorted(told(findings)) == [f"arm {name}, seed 1" for name in ("duplicate", "fly", "noisy", "none")]
    assert all(sentence in one and "\n" not in one for one in told(findings).values())


def test_worker_processes_survive_what_goes_wrong_in_them(studied: Make) -> None:
    for wrong, sentence in (
        ("dies", "its process was ended by SIGKILL, as the system does when memory runs out"),
        ("raises", "ValueError"),
    ):
        findings = found(studied(trainer=Means(wrong, at=1), controls=(), seeds=(0, 1, 2)), Processes(2))
        assert len(findings.outcomes) == 2
        assert list(told(findings)) == ["arm none, seed 1"]
        assert sentence in told(findings)["arm none, seed 1"]


def test_a_trial_that_hangs_is_given_up(studied: Make) -> None:
    findings = found(studied(trainer=Means("hangs", at=1, beside=1), controls=(), seeds=(0, 1, 2), limit=3.0), Processes(2))
    assert len(findings.outcomes) == 2
    assert told(findings) == {"arm none, seed 1": "no end within the time limit of 3 s"}


class Unsendable(Means):  # type: ignore[misc]
    """A trainer that holds what no other process can get."""

    def __reduce__(self) -> Any:
        raise TypeError("cannot pickle a lock")


def test_what_cannot_be_sent_to_a_worker_is_told(studied: Make) -> None:
    findings = found(studied(trainer=Unsendable(), controls=(), seeds=(0,)), Processes(1))
    assert told(findings) == {"arm none, seed 0": "cannot be sent to a worker: TypeError: cannot pickle a lock; write --engine serial"}


def test_the_result_names_what_failed_and_judges_the_rest(studied: Make) -> None:
    seeds = tuple(range(8))
    judged = result(found(studied(ARMS, trainer=Means("raises", at=1), seeds=seeds)))
    assert [fault["sentence"] for fault in judged["failed"]] == ["ValueError: no convergence"] * 4
    assert all(arm["seeds"] == [0, 2, 3, 4, 5, 6, 7] for arm in judged["arms"])
    assert any(one.startswith("4 trials failed, the first at arm ") and "no convergence" in one for one in judged["warnings"])
    assert all(len(arm["difference"]["paired"]) == 7 for arm in judged["arms"][1:])


def test_a_study_of_which_nothing_is_left_says_why(studied: Make) -> None:
    with pytest.raises(StoreError, match=r"at least one seed of the arm none .* 2 failed trials, .*arm none, seed 1.*no convergence"):
        result(found(studied(trainer=Means("raises", at=1), seeds=(1,))))


def test_failed_trials_are_not_run_again_unless_asked_for(studied: Make, tmp_path: Path) -> None:
    study = studied(trainer=Means("raises", at=1, log=str(tmp_path / "log")), controls=())
    with Store.memory() as store:
        assert len(conduct(study, store, Serial()).faults) == 1
        count = trained(tmp_path / "log")["1"]
        again = conduct(study, store, Serial())
        assert (again.fresh, len(again.faults), trained(tmp_path / "log")["1"]) == (0, 1, count)
        store.retry([trial.key for trial in again.trials])
        assert conduct(study, store, Serial()).fresh == 1


def test_an_engine_has_a_name() -> None:
    assert isinstance(engine("serial"), Serial)
    assert engine("processes", 3).workers == 3
    for name, workers, words in (("threads", None, "one of serial, processes, ray"), ("processes", 0, "--workers: expected 1 or more")):
        with pytest.raises(Exception, match=words):
            engine(name, workers)
