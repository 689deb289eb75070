"""Results in the tools that people keep their experiments in: local stores only, nothing is sent anywhere.

``pip install 'vicinal[mlflow]'`` and ``pip install 'vicinal[tensorboard]'`` bring them.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from vicinal.core.errors import BackendError, ParameterError, nearest
from vicinal.lab import wording
from vicinal.lab.report.view import SETTINGS, flat

PACKAGES = MappingProxyType({"mlflow": ("mlflow", "sqlalchemy", "alembic"), "tensorboard": ("tensorboard",)})
"""What can keep results, and the packages that it takes."""

_MOST = 500  # characters of a parameter in MLflow


def check_trackers(names: Sequence[str]) -> None:
    """Fail before the training, not after it.

    Raises:
        ParameterError: a name that there is not. BackendError: a package that is not installed.

    Example:
        >>> check_trackers([])
    """
    for name in names:
        if name not in PACKAGES:
            raise ParameterError("--track", f"one of {', '.join(PACKAGES)}", repr(name), f"--track {nearest(name, PACKAGES) or 'mlflow'}")
        for package in PACKAGES[name]:
            _package(package, name)


def track(name: str, result: Mapping[str, Any], report: Path) -> Path:
    """Log a result into a local store beside its report.

    Args:
        name: of `PACKAGES`; result: the object that ``result.json`` holds; report: the path of ``report.html``.

    Returns:
        Where the store is.

    Raises:
        ParameterError, BackendError: as `check_trackers`.
    """
    check_trackers([name])
    if name == "mlflow":
        return log_mlflow(result, report, result["study"])
    return log_tensorboard(result, report.parent / "tensorboard")


def log_mlflow(result: Mapping[str, Any], report: Path, experiment: str) -> Path:
    """A run of the study with its report and settings, and below it a run of every arm with its effect and its score of every seed.

    Look at them with ``mlflow ui --backend-store-uri sqlite:///out/mlflow.db`` of the whole mlflow.

    Args:
        result: the object that ``result.json`` holds; report: logged as an artifact; experiment: name in MLflow, made if missing.

    Returns:
        The store: ``mlflow.db`` beside the report.

    Raises:
        BackendError: mlflow is not installed.
    """
    mlflow, entities = _package("mlflow", "mlflow"), _package("mlflow.entities", "mlflow")
    folder = report.absolute().parent
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    known = client.get_experiment_by_name(experiment)
    key = known.experiment_id if known else client.create_experiment(experiment, artifact_location=(folder / "mlflow-artifacts").as_uri())
    now = round(1000 * time.time())
    study = client.create_run(key, run_name=result["study"], tags={"answer": result["answer"], "command": result["command"]}).info.run_id
    params = [entities.Param(name, text[:_MOST]) for name, text in flat({one: result[one] for one in SETTINGS if result.get(one)})]
    client.log_batch(study, params=params)
    client.log_artifact(study, str(report))
    for arm in result["arms"]:
        tags = {
            "mlflow.parentRunId": study,
            "verdict": arm["verdict"],
            "policy": str(arm["policy"]),
            "control": str(arm.get("control") or ""),
        }
        run = client.create_run(key, run_name=arm["name"], tags=tags).info.run_id
        client.log_batch(run, metrics=[entities.Metric(name, value, now, step) for name, value, step in _numbers(arm)])
        client.set_terminated(run)
    client.set_terminated(study)
    return folder / "mlflow.db"


def log_tensorboard(result: Mapping[str, Any], folder: Path) -> Path:
    """A folder of events for every arm: learning curves as means over seeds, the effect, and the answer as text.

    Args:
        result: the object that ``result.json`` holds; folder: for ``tensorboard --logdir``; it is made if missing.

    Returns:
        The folder.

    Raises:
        BackendError: tensorboard is not installed.
    """
    _package("tensorboard", "tensorboard")
    writers = _package("torch.utils.tensorboard", "tensorboard")
    for arm in result["arms"]:
        with writers.SummaryWriter(str(folder / arm["name"].replace("/", "-"))) as writer:
            for name, value, step in (*_curves(arm), *_numbers(arm)):
                writer.add_scalar(name, value, step)
            writer.add_text("verdict", f"{arm['verdict']}. {result['answer']}")
    return folder


def _numbers(arm: wording.Arm) -> Iterator[tuple[str, float, int]]:
    """Names, values and steps of what an arm measured; what is missing is left out."""
    found = {"mean": arm["mean"], **{f"gain/{end}": (arm["difference"] or {}).get(end) for end in ("mean", "low", "high", "p_adjusted")}}
    found |= {f"test/{name}": one["mean"] for name, one in (arm.get("metrics") or {}).items()}
    found |= {f"cost/{name}": value for name, value in arm["cost"].items()}
    yield from ((name, float(value), 0) for name, value in found.items() if not wording.missing(value))
    pairs = zip(arm["seeds"], arm["scores"], strict=True)
    yield from (("seed/score", float(score), seed) for seed, score in pairs if not wording.missing(score))


def _curves(arm: wording.Arm) -> Iterator[tuple[str, float, int]]:
    for part in ("train", "dev"):
        for step, values in zip(arm["curve"]["steps"], arm["curve"][part], strict=True):
            known = [value for value in values if not wording.missing(value)]
            if known:
                yield f"curve/{part}", float(np.mean(known)), int(step)


def _package(name: str, extra: str) -> Any:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # MLflow reads it when it is first imported; otherwise it calls home
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        missing = fault.name or name
        raise BackendError(f"--track {extra}", f"the package {missing}", "none installed", f"pip install 'vicinal[{extra}]'") from None
