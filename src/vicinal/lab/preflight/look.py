"""What is looked at, one thing after the other: parts and copies first, then the judges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address
from vicinal.data import Annotated, Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.conduct import Tell
from vicinal.lab.feed import apply, pixels
from vicinal.lab.preflight.annotated import annotation_findings, annotation_survival, double_files, instance_balance
from vicinal.lab.preflight.findings import Finding
from vicinal.lab.preflight.hearing import Hearing
from vicinal.lab.preflight.judge import Jury
from vicinal.lab.preflight.judged import Judged, judged
from vicinal.lab.preflight.leaks import Leaks, leaks
from vicinal.lab.preflight.parts import balance, preprocessing
from vicinal.lab.preflight.values import standardised, valued
from vicinal.lab.preflight.words import judged_finding, leak_findings, valued_finding
from vicinal.lab.report import Sheet, SheetRow
from vicinal.lab.report.sheet import ROWS
from vicinal.lab.split import Split, split
from vicinal.lab.wording import accuracy, listed

JUDGED = 1000  # distinct originals that are judged where nobody says how many
_LEAST_EXPLAINED = 0.5  # of the variance of targets, below which judges know little
_STRONGER = "Give them more items (--size), or a stronger trainer."


@final
@dataclass(eq=False)
class Found:
    """What has been found so far."""

    command: str
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    sheets: dict[str, Sheet] = field(default_factory=dict)
    copies: Sheet | None = None


def look_at_pictures(found: Found, data: Annotated, arms: Sequence[Arm]) -> None:
    """Everything about annotated pictures: instances, files that are there twice, and their balance."""
    told = annotation_survival(data, arms)
    found.findings += [
        *annotation_findings(told),
        *double_files(data),
        *instance_balance(data),
        _no_answers("annotated pictures", "answer with classes of whole items"),
    ]
    found.facts |= {"data": {"name": data.name, "classes": list(data.classes), "items": len(data)}, "arms": [], "judges": {}, "leaks": []}
    found.facts["annotations"] = {name: one.as_dict() for name, one in told.items()}


def _no_answers(what: str, why: str) -> Finding:
    sentence = f"Labels, affinity, invariance and equivariance are not judged on {what}: the judges {why}."
    return Finding("note", "judges", sentence)


def look_at_items(found: Found, data: Dataset, arms: Sequence[Arm], size: int | None, jury: Jury, tell: Tell) -> None:
    """Everything about labelled items: parts and copies of all of them, then the judges on some."""
    whole = split(data, size=None, seed=0, allow_leak=True)
    pool = np.sort(np.concatenate([whole.train, whole.dev]))
    most = len(np.unique(data.sources[pool]))
    parts = split(data, size=min(JUDGED, most) if size is None else size, seed=0, allow_leak=True)
    found.facts["data"] = _facts(data, whole)
    told = leaks(data, whole)
    found.findings += [*leak_findings(data, told), *_parts(data, pool, whole.test)]
    found.facts["leaks"] = [_leak(data, leak) for leak in told]
    found.copies = _copies(data, told)
    rows = np.sort(np.concatenate([parts.train, parts.dev]))
    found.facts |= {"arms": [], "judges": {}}
    if why := _unjudged(data):
        found.findings.append(why)
        return
    if heard := _heard(found, data, rows, arms):
        (_judge_values if data.regression else _judge)(found, data, rows, heard, jury, tell)


def _unjudged(data: Dataset) -> Finding | None:
    if data.kind == "text":
        return _no_answers("texts", "are given numbers, and distances are taken between them")
    if isinstance(data.images, list):
        sizes = len({image.shape for image in data.images})
        return Finding("note", "judges", f"Labels are not judged: the images have {sizes} sizes.", "Bring them to one with --resize 32.")
    return None


def _heard(found: Found, data: Dataset, rows: NDArray[np.int64], arms: Sequence[Arm]) -> list[Arm]:
    """The arms that judges can be asked about."""
    mixing = [arm for arm in arms if arm.mixes]
    found.findings += [Finding("note", "labels", f"{arm.name} mixes items: its labels are shares, so none can be lost.") for arm in mixing]
    heard = [arm for arm in arms if arm.policy is not None and not arm.mixes]
    for arm in heard:  # before anything is trained: a policy that changes the form of items
        apply(arm, pixels(data, rows[:1]), Address.of(0, 0, data.sources[rows[:1]]))
    return heard


def _judge_values(found: Found, data: Dataset, rows: NDArray[np.int64], arms: Sequence[Arm], jury: Jury, tell: Tell) -> None:
    hearing = Hearing.of(standardised(data, rows), rows, jury, tell)
    every = [valued(hearing, arm) for arm in arms]
    if every[0].explained < _LEAST_EXPLAINED:
        sentence = f"The judges explain only {accuracy(every[0].explained)} of the variance of the targets, so what they say is vague."
        found.findings.append(Finding("doubt", "judges", sentence, _STRONGER))
    found.findings += [valued_finding(one) for one in every]
    found.facts["values"] = [one.data() for one in every]


def _judge(found: Found, data: Dataset, rows: NDArray[np.int64], arms: Sequence[Arm], jury: Jury, tell: Tell) -> None:
    hearing = Hearing.of(data, rows, jury, tell)
    found.facts["judges"] = _judges(hearing)
    found.findings += list(_weak(hearing))
    all_judged: list[Judged] = [judged(hearing, arm) for arm in arms]
    found.findings += [judged_finding(one, data.classes) for one in all_judged]
    found.facts["arms"] = [one.data(data.classes) for one in all_judged]
    found.sheets = {one.arm.name: one.sheet for one in all_judged if one.sheet is not None and one.sheet.rows}


def _judges(hearing: Hearing) -> dict[str, Any]:
    jury = hearing.jury
    plain = float((hearing.plain.argmax(1) == hearing.labels).mean())
    practice = None if jury.practice is None else str(jury.practice)
    return {
        "items": len(hearing.rows), "folds": jury.folds, "seeds": jury.seeds, "steps": jury.steps, "trainer": dict(jury.trainer.data()),
        "practice": practice, "accuracy": float(hearing.right.mean()), "plain_accuracy": plain,
    }  # fmt: skip


def _weak(hearing: Hearing) -> Iterator[Finding]:
    """Judges who know little can testify to little."""
    known, chance = float(hearing.right.mean()), 1 / len(hearing.data.classes)
    if known < max(0.5, 2 * chance):
        sentence = f"The judges know only {accuracy(known)} of the originals, so what they say about labels is vague."
        yield Finding("doubt", "judges", sentence, _STRONGER)


def _facts(data: Dataset, parts: Split) -> dict[str, Any]:
    shape = None if isinstance(data.images, list) else list(data.images.shape[1:])
    sizes = {name: len(getattr(parts, name)) for name in ("train", "dev", "test")}
    counts = (
        {} if data.regression else {name: np.bincount(data.labels[getattr(parts, name)], minlength=len(data.classes)) for name in sizes}
    )
    return {"name": data.name, "origin": data.origin, "classes": list(data.classes), "shape": shape, **sizes, "counts": counts}


def _parts(data: Dataset, pool: NDArray[np.int64], test: NDArray[np.int64]) -> list[Finding]:
    found = [] if data.regression else list(balance(data, pool, test))
    if data.kind == "image":
        found += preprocessing(_some(data, pool), _some(data, test))
    looked = (["range", "mean", "spread", "layout"] if data.kind == "image" else []) + ([] if data.regression else ["classes"])
    if looked and not any(finding.weight in ("wrong", "doubt") for finding in found):
        found.append(Finding("fine", "parts", f"Train and test agree in {listed(looked)}."))
    return found


def _some(data: Dataset, rows: NDArray[np.int64]) -> Any:
    return [data.images[row] for row in rows] if isinstance(data.images, list) else data.images[rows]


def _leak(data: Dataset, leak: Leaks) -> dict[str, Any]:
    pairs = [{"rows": pair.tolist(), "distance": float(far)} for pair, far in zip(leak.pairs[:100], leak.distance, strict=False)]
    return {"parts": list(leak.parts), "straddling": leak.straddling, "copies": len(leak.pairs), "exact": leak.exact,
            "limit": leak.limit, "searched": leak.searched, "pairs": pairs}  # fmt: skip


def _copies(data: Dataset, told: Sequence[Leaks]) -> Sheet | None:
    """The closest pairs as pictures."""
    if data.kind != "image":
        return None
    pairs = [(one, other, leak.parts) for leak in told for one, other in leak.pairs[:ROWS]][:ROWS]
    rows = [SheetRow(np.asarray(data.images[a]), [np.asarray(data.images[b])], f"{p[0]} {a}, {p[1]} {b}") for a, b, p in pairs]
    return Sheet("copies", rows) if rows else None
