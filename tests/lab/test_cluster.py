"""Trials on a local Ray cluster: the same numbers, and the same survival of whatever goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from learners import Means

from vicinal.core.errors import BackendError, ParameterError
from vicinal.lab.conduct import conduct
from vicinal.lab.engine import Serial
from vicinal.lab.engine.cluster import Cluster
from vicinal.lab.store import Store
from vicinal.lab.study import Study
from vicinal.lab.trial import Cell

Make = Callable[..., Study]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    ray = pytest.importorskip("ray")
    made = Cluster("local", 1)
    yield made
    ray.shutdown()


@pytest.mark.slow
def test_a_cluster_gives_the_same_numbers(cluster: Cluster, studied: Make) -> None:
    study = studied(["noisy:1=GaussianNoise(std=0.1)"], trainer=Means(), seeds=(0, 1))
    scores = []
    for engine in (Serial(), cluster):
        with Store.memory() as store:
            findings = conduct(study, store, engine)
        scores.append({key: dict(outcome.values) for key, outcome in findings.outcomes.items()})
    assert scores[0] == scores[1]
    assert len(scores[0]) == 6
    assert cluster.workers == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "limit", "words"),
    [("raises", None, "ValueError: no convergence"), ("dies", None, "died"), ("hangs", 1.0, "time limit of 1 s")],
)
def test_a_trial_that_goes_wrong_takes_nobody_along(cluster: Cluster, studied: Make, wrong: str, limit: float | None, words: str) -> None:
    study = studied(trainer=Means(wrong, at=1, beside=1), controls=(), seeds=(0, 1, 2), limit=limit)
    with Store.memory() as store:
        findings = conduct(study, store, cluster)
    assert len(findings.outcomes) == 2
    (fault,) = findings.faults.values()
    assert fault.address.startswith("arm none, seed 1")
    assert words in fault.sentence


@pytest.mark.slow
def test_what_ends_before_the_others_of_its_job_is_heard_of_at_once(cluster: Cluster, studied: Make) -> None:
    study, seen = studied(controls=(), seeds=(0, 1), cells=(Cell(60, 10), Cell(60, 400))), []
    with Store.memory() as store:
        conduct(study, store, cluster, tell=lambda done, total: seen.append(store.counts().get("done", 0)))
    assert list(dict.fromkeys(seen)) == [0, 2, 4]


@pytest.mark.slow
def test_the_command_line_starts_a_cluster_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    words = ["compare", "digits", "--size", "40", "--seeds", "1", "--steps", "2", "--arm", "a=Invert()", "--out", str(tmp_path), "--json"]
    command = [sys.executable, "-m", "vicinal", *words, "--engine", "ray", "--address", "local", "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert [arm["name"] for arm in json.loads(done.stdout)["arms"]] == ["none", "duplicate", "a"]


def test_a_cluster_needs_an_address() -> None:
    with pytest.raises(ParameterError, match="--address: expected local, auto or an address of a cluster"):
        Cluster("")


def test_without_ray_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        BackendError, match=r"--engine ray: expected the package ray, got none installed; write pip install 'vicinal\[scale\]'"
    ):
        _ = Cluster().workers
