"""Results in the stores of other tools: TensorBoard's for real; MLflow's where it is installed, and against what it would be asked."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from specimen import full, specimen

from vicinal.core.errors import BackendError, ParameterError
from vicinal.lab.report import write_report
from vicinal.lab.track import check_trackers, log_tensorboard, track


class Client:
    """As much of MLflow's client as is used."""

    def __init__(self, tracking_uri: str) -> None:
        LOG.append(("store", tracking_uri))

    def get_experiment_by_name(self, name: str) -> None:
        return None

    def create_experiment(self, name: str, artifact_location: str) -> str:
        LOG.append(("experiment", name, artifact_location))
        return "1"

    def create_run(self, experiment: str, run_name: str, tags: dict[str, str]) -> Any:
        LOG.append(("run", run_name, tags))
        return SimpleNamespace(info=SimpleNamespace(run_id=run_name))

    def log_batch(self, run: str, metrics: Any = (), params: Any = ()) -> None:
        LOG.extend([("metric", run, *one) for one in metrics] + [("param", run, *one) for one in params])

    def log_artifact(self, run: str, path: str) -> None:
        LOG.append(("artifact", run, path))

    def set_terminated(self, run: str) -> None:
        LOG.append(("done", run))


LOG: list[tuple[Any, ...]] = []


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    LOG.clear()
    mlflow, entities = ModuleType("mlflow"), ModuleType("mlflow.entities")
    mlflow.MlflowClient = Client  # type: ignore[attr-defined]
    entities.Metric = entities.Param = lambda *values: values  # type: ignore[attr-defined]
    for name, module in {"mlflow": mlflow, "mlflow.entities": entities, "sqlalchemy": ModuleType("sqlalchemy")}.items():
        monkeypatch.setitem(sys.modules, name, module)
    return LOG


def test_what_mlflow_is_told(tmp_path: Path, fake: list[tuple[Any, ...]]) -> None:
    result = full(seeds=3)
    report = write_report(result, {}, tmp_path / "report.html")
    assert track("mlflow", result, report) == tmp_path / "mlflow.db"
    assert fake[0] == ("store", f"sqlite:///{tmp_path / 'mlflow.db'}")  # a file, not a server
    assert ("artifact", result["study"], str(report)) in fake
    arms = {entry[1]: entry[2] for entry in fake if entry[0] == "run"}
    assert set(arms) == {result["study"], *(arm["name"] for arm in result["arms"])}
    assert arms["shift"]["verdict"] == "helps"
    told = {(entry[2], entry[5]): entry[3] for entry in fake if entry[:2] == ("metric", "shift")}
    shift = result["arms"][2]
    assert told["gain/mean", 0] == shift["difference"]["mean"]
    assert [told["seed/score", seed] for seed in shift["seeds"]] == shift["scores"]
    assert ("param", result["study"], "trainer.lr", "0.1") in fake
    assert sum(entry[0] == "done" for entry in fake) == len(arms)


def test_mlflow_itself(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    result = specimen(seeds=2)
    report = write_report(result, {}, tmp_path / "report.html")
    for _ in range(2):  # a second study goes into the same experiment
        store = track("mlflow", result, report)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{store}")
    experiment = client.get_experiment_by_name(result["study"])
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 2 * (1 + len(result["arms"]))
    assert all(run.info.status == "FINISHED" for run in runs)


def test_tensorboard_itself(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    result = specimen(seeds=2, points=5)
    log_tensorboard(result, tmp_path)
    for arm in result["arms"]:
        read = EventAccumulator(str(tmp_path / arm["name"])).Reload()
        dev = read.Scalars("curve/dev")
        assert [event.step for event in dev] == arm["curve"]["steps"]
        assert [event.value for event in dev] == pytest.approx(np.mean(arm["curve"]["dev"], axis=1), rel=1e-5)


def test_what_there_is_not_is_said_before_anything_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParameterError, match="--track: expected one of mlflow, tensorboard, got 'mlfow'; write --track mlflow"):
        check_trackers(["mlfow"])
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(BackendError, match=r"the package mlflow, got none installed; write pip install 'vicinal\[mlflow\]'"):
        check_trackers(["mlflow"])
