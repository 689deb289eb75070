"""The store: nothing is done twice, nothing that was finished is lost, whoever writes at the same time."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vicinal.core.errors import StoreError
from vicinal.lab import store as module
from vicinal.lab.arms import Arm
from vicinal.lab.store import Fault, Store
from vicinal.lab.trial import Cell, Outcome, Rules, Trial
from vicinal.learn.mlp import MLP


def trial(seed: int, strength: float = 1.0) -> Trial:
    return Trial("data", Arm("none"), seed, Cell(size=60, steps=40, strength=strength), 40, Rules(), MLP())


def outcome(score: float = 0.5) -> Outcome:
    values = {"test.accuracy": score, "test.auc": np.nan}
    return Outcome(values, np.array([score, np.nan]), {"steps": [40.0], "train": [1.0], "dev": [0.5]}, np.arange(9, dtype=np.uint8))


TRIALS = [trial(seed) for seed in range(6)]
KEYS = [one.key for one in TRIALS]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trials.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as one:
        one.want("study", TRIALS)
        yield one


def test_a_trial_goes_from_waiting_to_done(store: Store) -> None:
    assert store.states(KEYS) == dict.fromkeys(KEYS, "waiting")
    assert store.claim(KEYS[:2]) == KEYS[:2]
    assert store.counts() == {"running": 2, "waiting": 4}
    store.finish({KEYS[0]: outcome(0.25)})
    found = store.outcomes(KEYS)[KEYS[0]]
    assert (found.values["test.accuracy"], found.recall[0]) == (0.25, 0.25)
    assert np.isnan([found.values["test.auc"], found.recall[1]]).all()
    assert np.array_equal(found.predicted, np.arange(9))
    assert found.predicted.dtype == np.uint8
    assert store.claim(KEYS) == KEYS[2:]  # neither what is done nor what is running


def test_what_is_known_survives_the_process(store: Store, path: Path) -> None:
    store.claim(KEYS)
    store.finish({KEYS[0]: outcome()})
    store.fail(KEYS[1], "no convergence")
    with Store.open(path) as other:
        other.want("another study", TRIALS)
        assert list(other.outcomes(KEYS)) == [KEYS[0]]
        assert other.faults(KEYS) == {KEYS[1]: Fault("no convergence", "arm none, seed 1, size=60, steps=40")}
        assert other.claim(KEYS) == []  # the rest is still running elsewhere


def test_a_store_that_is_closed_gives_back_what_it_did_not_finish(path: Path) -> None:
    with Store.open(path) as one:
        one.want("study", TRIALS)
        one.claim(KEYS)
        one.release(KEYS[4:])
        assert one.counts() == {"running": 4, "waiting": 2}
        one.finish({KEYS[0]: outcome()})
    with Store.open(path) as other:
        assert other.counts() == {"done": 1, "waiting": 5}


def test_failed_trials_stay_failed_until_they_are_retried(store: Store) -> None:
    store.claim(KEYS)
    store.fail(KEYS[0], "diverged")
    store.release()
    assert KEYS[0] not in store.claim(KEYS)
    store.release()
    store.retry(KEYS)
    assert store.claim(KEYS) == KEYS
    store.finish({KEYS[0]: outcome()})
    assert (store.faults(KEYS), list(store.outcomes(KEYS))) == ({}, KEYS[:1])


def test_a_late_failure_undoes_no_outcome(store: Store) -> None:
    store.claim(KEYS)
    store.finish({KEYS[0]: outcome()})
    store.fail(KEYS[0], "no end within the time limit")
    assert (list(store.outcomes(KEYS)), store.faults(KEYS)) == (KEYS[:1], {})


def test_more_keys_than_a_statement_takes(store: Store) -> None:
    many = [trial(seed) for seed in range(1200)]
    store.want("large", many)
    keys = [one.key for one in many]
    assert store.claim(keys) == keys
    store.finish({key: outcome() for key in keys})
    assert len(store.outcomes(keys)) == len(store.states(keys)) == 1200


def test_claims_of_threads_never_meet(store: Store, path: Path) -> None:
    many = [trial(seed) for seed in range(60)]
    store.want("large", many)
    keys, taken, gate = [one.key for one in many], [], threading.Barrier(6)

    def work() -> None:
        gate.wait()
        with Store.open(path) as own:
            for start in range(0, 60, 5):
                mine = own.claim(keys[start : start + 5])
                taken.extend(mine)
                own.finish({key: outcome() for key in mine})

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(keys)
    assert store.counts()["done"] == 60


CLAIM = """
import sys, time
from pathlib import Path
from vicinal.lab.store import Store
store = Store.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
for key in sys.argv[3:]:
    if store.claim([key]):
        print(key, flush=True)
if sys.argv[2] == "stay":
    time.sleep(600)
"""


def claimer(path: Path, how: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(path), how, *KEYS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def test_claims_of_processes_never_meet(store: Store, path: Path) -> None:
    several = [claimer(path, "end") for _ in range(3)]
    for process in several:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    taken = [key for process in several for key in process.communicate()[0].split()]
    assert sorted(taken) == sorted(KEYS)


def test_what_a_killed_process_held_waits_again_at_once(store: Store, path: Path) -> None:
    process = claimer(path, "stay")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert [process.stdout.readline().strip() for _ in KEYS] == KEYS
    assert store.claim(KEYS) == []  # it lives
    process.kill()
    process.wait()
    assert store.claim(KEYS) == KEYS


@pytest.mark.parametrize(("host", "age", "free"), [("elsewhere", 1.0, False), ("elsewhere", 1e4, True), (None, 1e4, True)])
def test_who_is_silent_for_too_long_loses_its_claims(store: Store, path: Path, host: str | None, age: float, free: bool) -> None:
    with Store.open(path) as other:
        other.owner = f"{host}:1:00" if host else other.owner
        other.claim(KEYS)
        other.connection.execute("UPDATE trials SET beat = ?", (time.time() - age,))
        assert bool(store.claim(KEYS)) == free
        if not free:
            return
        other.release()  # what somebody else has taken over is no longer its own
        assert store.counts() == {"running": 6}


def test_a_sign_of_life_keeps_claims(store: Store, path: Path) -> None:
    store.claim(KEYS)
    silent = time.time() - 1e4
    store.connection.execute("UPDATE trials SET beat = ?", (silent,))
    with store.beating(every=0.01):
        while store.read("SELECT min(beat) FROM trials") == [(silent,)]:
            time.sleep(0.01)  # this thread is busy with a trial
    with Store.open(path) as other:
        assert other.claim(KEYS) == []


def test_signs_of_life_of_a_store_in_memory_need_nothing() -> None:
    with Store.memory() as store, store.beating(every=0.001):
        assert store.counts() == {}


def test_a_store_of_a_newer_version_is_left_alone(store: Store, path: Path) -> None:
    store.connection.execute(f"PRAGMA user_version = {module.SCHEMA + 1}")
    before = store.counts()
    with pytest.raises(StoreError, match=r"trials.db: expected a store of schema 1 or older, got schema 2, of a newer vicinal"):
        Store.open(path)
    assert store.counts() == before


def test_another_sqlite_file_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (a)")
    with pytest.raises(StoreError, match=r"trials.db: expected a store of trials, got another SQLite file; write to another folder"):
        Store.open(path)
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"mine" * 500)
    with pytest.raises(StoreError, match=r"trials.db: .*got file is not a database; write to another folder"):
        Store.open(path)
    assert path.read_bytes() == b"mine" * 500


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="expected a store that can be read and written"):
        Store.open(tmp_path)


def test_the_scores_are_read_by_anybody(store: Store, path: Path) -> None:
    store.want("strengths", [trial(0, strength) for strength in (0.5, 1.0, 2.0)])
    store.claim(KEYS)
    store.finish({KEYS[0]: outcome(0.25), KEYS[1]: outcome(0.75)})
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
        select = "SELECT study, arm, seed, size, steps, metric, value FROM scores WHERE value IS NOT NULL ORDER BY study, seed, strength"
        assert reader.execute(select).fetchall() == [
            ("strengths", "none", 0, 60, 40, "test.accuracy", 0.25),
            ("strengths", "none", 0, 60, 40, "test.accuracy", 0.25),
            ("strengths", "none", 0, 60, 40, "test.accuracy", 0.25),
            ("study", "none", 0, 60, 40, "test.accuracy", 0.25),
            ("study", "none", 1, 60, 40, "test.accuracy", 0.75),
        ]


def test_what_a_study_no_longer_asks_for_leaves_its_scores(store: Store) -> None:
    store.claim(KEYS)
    store.finish({key: outcome() for key in KEYS})
    store.want("study", TRIALS[:2])
    assert store.connection.execute("SELECT count(DISTINCT trial) FROM scores").fetchone() == (2,)
    assert len(store.outcomes(KEYS)) == 6  # but nothing is forgotten


def filled(store: Store, rounds: int = 400) -> int:
    """How many trials were finished before the disk was full."""
    noise = np.random.default_rng(0)
    for number in range(rounds):
        one = trial(100 + number)
        store.want(f"study {number}", [one])
        store.claim([one.key])
        found = outcome()
        predicted = noise.integers(0, 256, 2000).astype(np.uint8)
        store.finish({one.key: Outcome(found.values, found.recall, found.curve, predicted)})
    return rounds


@pytest.mark.parametrize("tiny_disk", ["256k"], indirect=True)
def test_a_full_disk_keeps_what_was_finished(tiny_disk: Path) -> None:
    path = tiny_disk / "trials.db"
    store = Store.open(path)
    with pytest.raises(StoreError, match=r"trials.db: .* full.* what was finished before is kept; write to a disk with room"):
        filled(store)
    done = store.counts().get("done", 0)
    assert done > 0
    store.connection.close()
    copied = tiny_disk.parent / "copy"
    copied.mkdir()
    for file in tiny_disk.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    with Store.open(copied / "trials.db") as other:
        assert other.counts()["done"] == done
        assert other.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_disk_that_is_full_from_the_start_is_told(tiny_disk: Path) -> None:
    (tiny_disk / "other").write_bytes(b"x" * 65_000)
    with pytest.raises(StoreError, match="expected a store that can be read and written"):
        Store.open(tiny_disk / "trials.db")


OPEN = """
import sys
from pathlib import Path
from vicinal.lab.store import Store
print(Store.open(Path(sys.argv[1])).counts())
"""


def test_many_may_open_a_store_that_is_not_there_yet(path: Path) -> None:
    several = [subprocess.Popen([sys.executable, "-c", OPEN, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    told = [process.communicate() for process in several]
    assert [out for out, _ in told] == [b"{}\n"] * 4, told
