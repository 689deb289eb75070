"""Studies taken apart: the replicas and outcomes of their arms."""

from __future__ import annotations

from vicinal.lab.bench import Bench
from vicinal.lab.conduct import Findings
from vicinal.lab.group import Pupil, pupils, run_group
from vicinal.lab.sides import Side, sides
from vicinal.lab.study import Study
from vicinal.lab.trial import Outcome

ARMS = ["shift=Translate(x=(-1, 1), y=(-1, 1))", "noisy:1=UniformNoise(low=0, high=0.5)"]


def by_name(findings: Findings) -> dict[str, Side]:
    return sides(findings, findings.study.cells[-1])


def trained(study: Study, cell: int = -1) -> dict[str, list[Pupil]]:
    """The replicas of a cell, by arm."""
    bench = Bench(study.data)
    some = pupils(bench, [trial for trial in study.trials(bench) if trial.cell == study.cells[cell]])
    found: dict[str, list[Pupil]] = {}
    for one in some:
        found.setdefault(one.trials[0].arm.name, []).append(one)
    return found


def outcomes(study: Study) -> dict[str, list[Outcome]]:
    bench = Bench(study.data)
    trials = study.trials(bench)
    by_key: dict[str, Outcome] = {}
    run_group(bench, trials, by_key.update)
    found: dict[str, list[Outcome]] = {}
    for trial in trials:
        found.setdefault(trial.arm.name, []).append(by_key[trial.key])
    return found
