"""Pictures with annotations before training: what policies do to instances, and files that are there twice."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from vicinal.core.survival import Survival, survival
from vicinal.data.annotated import Annotated
from vicinal.lab.arms import Arm
from vicinal.lab.preflight.findings import Finding
from vicinal.lab.wording import accuracy, listed

_KEPT = 0.95
_EPOCHS = 5


def annotation_survival(data: Annotated, arms: Sequence[Arm]) -> dict[str, Survival]:
    """For every arm, the fate of the instances over some epochs."""
    return {arm.name: survival(arm.policy, data, epochs=_EPOCHS) for arm in arms if arm.policy is not None}


def annotation_findings(found: Mapping[str, Survival]) -> list[Finding]:
    """One on every arm."""
    return [_finding(name, told) for name, told in found.items()]


def _finding(name: str, told: Survival) -> Finding:
    usable = told.given - told.invalid
    shares = {one: kept / given for one, kept, given in zip(told.classes, told.kept, usable, strict=True) if given}
    share = float(told.kept.sum() / max(1, usable.sum()))
    worst = sorted((one for one in shares if shares[one] < _KEPT), key=lambda one: shares[one])[:3]
    if not worst and share >= _KEPT:
        return Finding("fine", "annotations", f"{name}: annotations survive, {accuracy(share)} of the instances are kept.")
    classes = f"; fewest of {listed([f'{one} ({accuracy(shares[one])})' for one in worst])}" if worst else ""
    guilty = {path: int(count) for path, count in zip(told.operations, told.dropped.sum(0), strict=True) if count}
    cause = f" {listed([f'{path} dropped {count:,}' for path, count in guilty.items()])}." if guilty else ""
    sentence = f"{name}: {accuracy(share)} of the annotated instances are kept{classes}.{cause}"
    return Finding("wrong" if share < _KEPT else "doubt", "annotations", sentence, "Crop or move less, or lower min_visible of the boxes.")


def double_files(data: Annotated) -> list[Finding]:
    """A finding where files of equal bytes stand among the pictures."""
    names: dict[bytes, list[str]] = {}
    for path in data.paths:
        names.setdefault(hashlib.blake2b(path.read_bytes(), digest_size=16).digest(), []).append(path.name)
    double = [some for some in names.values() if len(some) > 1]
    if not double:
        return [Finding("fine", "copies", f"No picture of the {len(data):,} is there twice.")]
    count = sum(len(some) - 1 for some in double)
    plural = "s are there again under other names" if count > 1 else " is there again under another name"
    sentence = f"{count:,} picture{plural}, such as {' and '.join(double[0][:2])}."
    return [Finding("doubt", "copies", sentence, "Keep copies of a picture on one side of the split.")]


def instance_balance(data: Annotated) -> list[Finding]:
    """A finding on the numbers of instances by class."""
    counts = dict.fromkeys(data.classes, 0)
    for picture in data.pictures:
        for number in picture.labels:
            counts[data.classes[number]] += 1
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    ratio = counts[most] / max(1, counts[least])
    if ratio < 3:
        return [Finding("fine", "balance", "Classes have about as many instances each.")]
    sentence = f"Instances are unbalanced: {counts[most]:,} of {most} and {counts[least]:,} of {least}."
    return [Finding("doubt" if ratio >= 10 else "note", "balance", sentence, "Read scores class by class.")]
