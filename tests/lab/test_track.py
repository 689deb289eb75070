"""Results in the stores of other tools, as these tools read them."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from specimen import full, specimen
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vicinal.core.errors import BackendError, ParameterError
from vicinal.lab.report import write_report
from vicinal.lab.track import check_trackers, log_tensorboard, track


@dataclass(frozen=True)
class Kept:
    """A store of MLflow's, and what was logged into it."""

    store: Path
    client: Any
    result: dict[str, Any]

    def runs(self) -> list[Any]:
        experiment = self.client.get_experiment_by_name(self.result["study"])
        return self.client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])

    def arms(self) -> dict[str, Any]:
        """The first run of every arm, by name."""
        return {run.info.run_name: run for run in reversed(self.runs()) if "mlflow.parentRunId" in run.data.tags}

    def history(self, arm: str, metric: str) -> dict[int, float]:
        return {one.step: one.value for one in self.client.get_metric_history(self.arms()[arm].info.run_id, metric)}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("mlflow")
    result = full(seeds=3)
    report = write_report(result, {}, folder / "report.html")
    store = [track("mlflow", result, report) for _ in range(2)][1]  # a second study goes into the same experiment
    return Kept(store, importlib.import_module("mlflow").MlflowClient(tracking_uri=f"sqlite:///{store}"), result)


def test_mlflow_has_a_run_of_the_study_and_below_it_one_of_every_arm(kept: Kept) -> None:
    studies = [run for run in kept.runs() if "mlflow.parentRunId" not in run.data.tags]
    assert [run.info.run_name for run in studies] == 2 * [kept.result["study"]]
    for study in studies:
        below = [run for run in kept.runs() if run.data.tags.get("mlflow.parentRunId") == study.info.run_id]
        assert {run.info.run_name for run in below} == {arm["name"] for arm in kept.result["arms"]}
        assert study.data.tags["answer"] == kept.result["answer"]
        assert study.data.params["trainer.lr"] == "0.1"
        assert [file.path for file in kept.client.list_artifacts(study.info.run_id)] == ["report.html"]
    assert all(run.info.status == "FINISHED" for run in kept.runs())


def test_mlflow_has_the_numbers_of_the_result(kept: Kept) -> None:
    for arm in kept.result["arms"]:
        told = kept.arms()[arm["name"]].data
        assert told.tags["verdict"] == arm["verdict"]
        assert kept.history(arm["name"], "seed/score") == dict(zip(arm["seeds"], arm["scores"], strict=True))
        assert told.metrics.get("gain/mean") == (arm["difference"] or {}).get("mean")
    assert kept.arms()["shift"].data.tags["verdict"] == "helps"


def test_mlflow_keeps_all_beside_the_report_in_files(kept: Kept) -> None:
    assert {path.name for path in kept.store.parent.iterdir()} == {"report.html", "mlflow.db", "mlflow-artifacts"}


def test_mlflow_does_not_call_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a package in its place: the real one asks when it is first imported, and never calls where it sees pytest."""
    (tmp_path / "mlflow.py").write_text("import os\nquiet = os.environ.get('MLFLOW_DISABLE_TELEMETRY')\n")
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    check_trackers(["mlflow"])
    assert sys.modules["mlflow"].quiet == "true"
    del sys.modules["mlflow"]


def test_tensorboard_itself(tmp_path: Path) -> None:
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
