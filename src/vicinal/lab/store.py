"""The store of trials: one SQLite file, written to by several processes at once, readable by anybody.

Schema 1 (``PRAGMA user_version``). A trial is done once, whatever studies ask for it; ``wanted`` says which do.

============ =====================================================================================================================
table        columns
============ =====================================================================================================================
trials       key (hash of the description), description (JSON), state (waiting, running, done, failed), owner, beat (seconds since
             1970: when the owner was last alive), finished, outcome (JSON), predicted (bytes, zlib), form (dtype and shape of
             predicted, JSON), fault (a sentence), address (where the trial is, in words)
wanted       study (its name), key, arm, seed, size, steps, epochs, strength, label_noise; a trial that no strength changes is there once
             for every strength of the study
============ =====================================================================================================================

The view ``scores`` joins both: one row for every study, trial and measured number.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, final

import numpy as np

from vicinal.core.errors import StoreError
from vicinal.lab.result_file import plain
from vicinal.lab.trial import Outcome, Trial

SCHEMA = 1
STALE = 60.0  # seconds without a sign of life after which a claim is void
_MEMORY = ":memory:"
_PATIENCE = 30.0  # seconds to wait for another writer
_MANY = 500  # variables of one statement: SQLite has a limit

_TABLES = """
CREATE TABLE trials (
  key TEXT PRIMARY KEY, description TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', owner TEXT, beat REAL, finished REAL,
  outcome TEXT, predicted BLOB, form TEXT, fault TEXT, address TEXT
) WITHOUT ROWID;
CREATE TABLE wanted (
  study TEXT NOT NULL, key TEXT NOT NULL REFERENCES trials, arm TEXT NOT NULL, seed INTEGER NOT NULL,
  size INTEGER, steps INTEGER, epochs INTEGER, strength REAL NOT NULL, label_noise REAL, PRIMARY KEY (study, key, arm, strength)
) WITHOUT ROWID;
CREATE VIEW scores AS
  SELECT study, arm, seed, size, steps, epochs, strength, label_noise, value.key AS metric, value.value AS value, wanted.key AS trial
  FROM wanted JOIN trials USING (key), json_each(trials.outcome, '$.values') AS value WHERE state = 'done';
"""


@final
@dataclass(frozen=True)
class Fault:
    """Why a trial has no outcome: a sentence, and where it is."""

    sentence: str
    address: str


@final
@dataclass(eq=False)
class Store:
    """An open store; also a context manager that closes it.

    Example:
        >>> with Store.memory() as store:
        ...     store.counts()
        {}
    """

    path: str
    connection: sqlite3.Connection
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}")

    @staticmethod
    def open(path: Path) -> Store:
        """The store in a file, which is made if it is missing.

        Raises:
            StoreError: the file is no store, is of a newer version, or cannot be written.
        """
        with _explained(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                return Store(str(path), connection)._ready()
            except BaseException:
                connection.close()
                raise

    @staticmethod
    def memory() -> Store:
        """A store that is gone with the process."""
        return Store(_MEMORY, sqlite3.connect(_MEMORY, isolation_level=None))._ready()

    def _ready(self) -> Self:
        with self._writing():
            version = self.connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA:
                expected, write = f"a store of schema {SCHEMA} or older", "with the newer vicinal, or to another folder"
                raise StoreError(self.path, expected, f"schema {version}, of a newer vicinal", write)
            if version == 0:
                if self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise StoreError(self.path, "a store of trials", "another SQLite file", "to another folder")
                for statement in filter(str.strip, _TABLES.split(";")):
                    self.connection.execute(statement)
                self.connection.execute(f"PRAGMA user_version = {SCHEMA}")
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what was claimed and not finished, and close the file."""
        try:
            self.release()
        finally:
            self.connection.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, whole or not at all."""
        with _explained(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def want(self, study: str, trials: Iterable[Trial]) -> None:
        """Say which trials a study asks for, and no longer those that it asked for before; what is known already keeps its state."""
        rows = list(trials)
        with self._writing():
            self.connection.executemany(
                "INSERT OR IGNORE INTO trials (key, description, address) VALUES (?, ?, ?)",
                [(trial.key, json.dumps(trial.description(), sort_keys=True, default=repr), trial.address) for trial in rows],
            )
            self.connection.execute("DELETE FROM wanted WHERE study = ?", (study,))
            places = [_place(study, row) for row in rows]
            self.connection.executemany("INSERT OR REPLACE INTO wanted VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", places)

    def claim(self, keys: Sequence[str]) -> list[str]:
        """Take trials that wait, or whose owner is dead; nobody else gets them. Those that were taken, in the order given."""
        with self._writing():
            self._bury()
            taken = {
                row[0]
                for some, marks in _parts(keys)
                for row in self.connection.execute(
                    f"UPDATE trials SET state = 'running', owner = ?, beat = ? WHERE state = 'waiting' AND key IN ({marks}) RETURNING key",
                    (self.owner, time.time(), *some),
                )
            }
        return [key for key in keys if key in taken]

    def _bury(self) -> None:
        """Trials of owners that are dead wait again."""
        owners = self.connection.execute("SELECT owner, max(beat) FROM trials WHERE state = 'running' GROUP BY owner").fetchall()
        dead = [(owner,) for owner, beat in owners if owner != self.owner and _dead(owner, beat)]
        self.connection.executemany("UPDATE trials SET state = 'waiting', owner = NULL WHERE state = 'running' AND owner = ?", dead)

    @contextmanager
    def beating(self, every: float = STALE / 4) -> Iterator[None]:
        """Signs of life from a thread of its own: a trial may keep this one busy without a word for longer than ``STALE`` seconds."""
        over = threading.Event()
        thread = threading.Thread(target=self._beat, args=(over, every), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _beat(self, over: threading.Event, every: float) -> None:
        there = Path(self.path).absolute().as_uri() + "?mode=rw"  # a file that is gone is not made again
        while self.path != _MEMORY and not over.wait(every):
            # What cannot be written now may be in the next round; what must be written is told by the other thread.
            with suppress(sqlite3.Error), closing(sqlite3.connect(there, timeout=every, uri=True)) as own, own:
                own.execute("UPDATE trials SET beat = ? WHERE owner = ? AND state = 'running'", (time.time(), self.owner))

    def release(self, keys: Sequence[str] | None = None) -> None:
        """Give back what was claimed and not finished: some of it, or all."""
        with self._writing():
            mine = "UPDATE trials SET state = 'waiting', owner = NULL WHERE state = 'running' AND owner = ?"
            if keys is None:
                self.connection.execute(mine, (self.owner,))
            for some, marks in _parts(keys or ()):
                self.connection.execute(f"{mine} AND key IN ({marks})", (self.owner, *some))

    def finish(self, outcomes: Mapping[str, Outcome]) -> None:
        """Write down what was measured, all of it or nothing."""
        rows = [
            (time.time(), _text(outcome.data()), zlib.compress(outcome.predicted.tobytes(), 1), _form(outcome.predicted), key)
            for key, outcome in outcomes.items()
        ]
        with self._writing():
            done = "UPDATE trials SET state = 'done', owner = NULL, fault = NULL, finished = ?, outcome = ?, predicted = ?, form = ?"
            self.connection.executemany(f"{done} WHERE key = ?", rows)

    def fail(self, key: str, sentence: str) -> None:
        """Write down that a trial has no outcome, and why; unless somebody who took it over has one meanwhile."""
        with self._writing():
            failed = "UPDATE trials SET state = 'failed', owner = NULL, finished = ?, fault = ? WHERE state != 'done' AND key = ?"
            self.connection.execute(failed, (time.time(), sentence, key))

    def retry(self, keys: Sequence[str]) -> None:
        """Let failed trials wait again."""
        with self._writing():
            for some, marks in _parts(keys):
                self.connection.execute(f"UPDATE trials SET state = 'waiting' WHERE state = 'failed' AND key IN ({marks})", some)

    def outcomes(self, keys: Sequence[str]) -> dict[str, Outcome]:
        """Key to outcome, for the trials that are done."""
        rows = self._rows("SELECT key, outcome, predicted, form FROM trials WHERE state = 'done' AND key IN", keys)
        return {key: Outcome.of(json.loads(outcome), _array(zlib.decompress(blob), form)) for key, outcome, blob, form in rows}

    def faults(self, keys: Sequence[str]) -> dict[str, Fault]:
        """Key to fault, for the trials that failed, in the order given."""
        rows = self._rows("SELECT key, fault, address FROM trials WHERE state = 'failed' AND key IN", keys)
        found = {key: Fault(sentence, address) for key, sentence, address in rows}
        return {key: found[key] for key in keys if key in found}

    def states(self, keys: Sequence[str]) -> dict[str, str]:
        """Key to waiting, running, done or failed, for the trials that are known."""
        return dict(self._rows("SELECT key, state FROM trials WHERE key IN", keys))

    def counts(self) -> dict[str, int]:
        """How many trials are in which state."""
        return dict(self.read("SELECT state, count(*) FROM trials GROUP BY state ORDER BY state"))

    def read(self, select: str) -> list[tuple]:
        """The rows of a query."""
        with _explained(self.path):
            return self.connection.execute(select).fetchall()

    def _rows(self, select: str, keys: Sequence[str]) -> list[tuple]:
        with _explained(self.path):
            return [row for some, marks in _parts(keys) for row in self.connection.execute(f"{select} ({marks})", some)]


def _parts(keys: Sequence[str]) -> Iterator[tuple[Sequence[str], str]]:
    """Keys in parts that one statement can take, and the question marks for them."""
    for start in range(0, len(keys), _MANY):
        some = keys[start : start + _MANY]
        yield some, ", ".join("?" * len(some))


def _place(study: str, trial: Trial) -> tuple[Any, ...]:
    cell = trial.cell
    return (study, trial.key, trial.arm.name, trial.seed, cell.size, trial.steps, cell.epochs, cell.strength, cell.label_noise)


def _dead(owner: str, beat: float | None) -> bool:
    """Whether an owner is gone: on this machine its process is asked for, elsewhere its silence counts."""
    host, process, _ = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return beat is None or time.time() - beat > STALE
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return beat is None or time.time() - beat > STALE


def _text(value: Any) -> str:
    return json.dumps(plain(value), allow_nan=False)


def _form(array: np.ndarray) -> str:
    return json.dumps([array.dtype.str, list(array.shape)])


def _array(data: bytes, form: str) -> np.ndarray:
    dtype, shape = json.loads(form)
    return np.frombuffer(data, np.dtype(dtype)).reshape(shape)


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Turn a fault of SQLite or of the file system into a sentence."""
    try:
        yield
    except sqlite3.Error as fault:
        broken = any(words in str(fault) for words in ("not a database", "malformed"))
        got, write = (str(fault), "to another folder") if broken else (f"{fault}; what was finished before is kept", _advice(fault))
        raise StoreError(path, "a store that can be read and written", got, write) from fault
    except OSError as fault:
        raise StoreError(path, "a file that can be written", fault.strerror or str(fault), "to another folder") from fault


def _advice(fault: sqlite3.Error) -> str:
    full = "full" in str(fault) or "I/O" in str(fault)  # the latter where there is no room for the index of the log
    return "to a disk with room, or free some, and run the same command again" if full else "the same command again"
