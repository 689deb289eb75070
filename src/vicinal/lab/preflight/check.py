"""``vicinal check``: everything that can be said before training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal import __version__
from vicinal.core.errors import raise_all
from vicinal.core.files import write_files
from vicinal.core.policy import read_policy
from vicinal.core.transform import Node
from vicinal.data import Annotated, Dataset
from vicinal.lab.arms import Arm, read_arms, unfit
from vicinal.lab.preflight.annotated import annotation_findings, annotation_survival, double_files, instance_balance
from vicinal.lab.preflight.at_test import test_findings
from vicinal.lab.preflight.findings import Finding, ranked
from vicinal.lab.preflight.hearing import Hearing
from vicinal.lab.preflight.judge import Jury
from vicinal.lab.preflight.judged import Judged, judged
from vicinal.lab.preflight.leaks import Leaks, leaks
from vicinal.lab.preflight.parts import balance, preprocessing
from vicinal.lab.preflight.words import answer_sentence, leak_findings
from vicinal.lab.report import Sheet
from vicinal.lab.result_file import result_bytes
from vicinal.lab.show import load_any
from vicinal.lab.split import Split, split
from vicinal.lab.wording import accuracy

JUDGED = 1000  # distinct originals that are judged where nobody says how many
Tell = Callable[[int, int], None]


@final
@dataclass(frozen=True, eq=False)
class Check:
    """What a check found.

    Args:
        result: plain data, what ``check.json`` holds; sheets: by arm, the items whose labels went first; copies: pairs across parts.
    """

    result: Mapping[str, Any]
    sheets: Mapping[str, Sheet]
    copies: Sheet | None = None

    @property
    def findings(self) -> list[Finding]:
        """The worst first."""
        return [Finding(**finding) for finding in self.result["findings"]]

    def __str__(self) -> str:
        return "\n".join([self.result["answer"], *(f"{one.weight:>5}  {one}" for one in self.findings)])

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write ``check.json`` and ``check.html`` together; returns their paths.

        Raises:
            StoreError: a file that could not be written; older ones are left as they were.
        """
        from vicinal.lab.preflight.page import render_check

        data, page = folder / "check.json", folder / "check.html"
        html = render_check(self.result, self.sheets, self.copies)
        write_files({data: result_bytes(self.result), page: html.encode("utf-8", "replace")})
        return data, page


def check(
    data: str | Dataset | Annotated,
    policy: str | Node | None = None,
    *,
    arms: Mapping[str, str | Node] | Sequence[str] = (),
    size: int | None = None,
    test_policy: str | Node | None = None,
    jury: Jury | None = None,
    command: str = "",
    tell: Tell = lambda done, total: None,
) -> Check:
    """Say what can be said about data and policies before anything is trained on them.

    Args:
        data: as ``vicinal.data.read`` takes it, annotated pictures, or data that have been read.
        policy: what is to be checked; arms: several by name, or as texts ``NAME=POLICY``; neither checks the default panel on images.
        size: distinct originals that are judged; 1,000, or as many as there are, otherwise.
        test_policy: what is meant to be done to test data; jury: how judges are trained.
        command: to repeat it; tell: called with steps done and all.

    Raises:
        VicinalError: data, policies or settings that cannot be used, all faults of a policy at once.

    Example:
        >>> jury = Jury(seeds=1, steps=300)
        >>> found = check("digits", arms={"turn": "Rotate(angle=180)"}, size=300, jury=jury)
        >>> found.result["arms"][0]["verdict"]
        'lost'
    """
    start = time.perf_counter()
    wanted = _arms(policy, arms, panel=not isinstance(data, Annotated))
    at_test = read_policy(test_policy) if isinstance(test_policy, str) else test_policy
    read = load_any(data) if isinstance(data, str) else data
    raise_all("arms", [fault for arm in wanted if arm.policy for fault in unfit(f"arm {arm.name}", arm.policy, _kind(read))])
    found = _Found(command)
    found.findings += [] if at_test is None else test_findings(at_test, **{_kind(read): _example(read)})
    if isinstance(read, Annotated):
        _pictures(found, read, wanted)
    else:
        _items(found, read, wanted, size, Jury() if jury is None else jury, tell)
    return found.check(time.perf_counter() - start)


def _arms(policy: str | Node | None, arms: Mapping[str, str | Node] | Sequence[str], panel: bool) -> list[Arm]:
    named = dict(arms) if isinstance(arms, Mapping) else {}
    if policy is not None:
        named = {"policy": policy, **named}
    texts = [] if isinstance(arms, Mapping) else list(arms)
    texts += [f"{name}={text}" for name, text in named.items() if isinstance(text, str)]
    nodes = [Arm(name, node) for name, node in named.items() if isinstance(node, Node)]
    return nodes + (read_arms(texts) if texts or (panel and not nodes) else [])


def _kind(data: Dataset | Annotated) -> str:
    return data.kind if isinstance(data, Dataset) else "image"


def _example(data: Dataset | Annotated) -> NDArray:
    return data.image(0) if isinstance(data, Annotated) else np.asarray(data.images[0])


@final
@dataclass(eq=False)
class _Found:
    """What has been found so far."""

    command: str
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    sheets: dict[str, Sheet] = field(default_factory=dict)
    copies: Sheet | None = None

    def check(self, seconds: float) -> Check:
        ordered = ranked(self.findings)
        head = {"schema": 1, "vicinal": __version__, "question": f"What can be said about {self.facts['data']['name']} before training?"}
        tail = {"command": self.command, "created": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": seconds}
        body = {"answer": answer_sentence(ordered), "findings": [asdict(finding) for finding in ordered], **self.facts}
        return Check(head | body | tail, self.sheets, self.copies)


def _pictures(found: _Found, data: Annotated, arms: Sequence[Arm]) -> None:
    told = annotation_survival(data, arms)
    found.findings += [*annotation_findings(told), *double_files(data), *instance_balance(data), _no_answers("annotated pictures")]
    found.facts |= {"data": {"name": data.name, "classes": list(data.classes), "items": len(data)}, "arms": []}
    found.facts["annotations"] = {name: one.as_dict() for name, one in told.items()}


def _no_answers(what: str) -> Finding:
    sentence = f"Labels, affinity and invariance are not judged on {what}: the judges answer with classes of whole items."
    return Finding("note", "judges", sentence)


def _items(found: _Found, data: Dataset, arms: Sequence[Arm], size: int | None, jury: Jury, tell: Tell) -> None:
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
    _judge(found, data, rows, arms, jury, tell)


def _unjudged(data: Dataset) -> Finding | None:
    if data.regression:
        return _no_answers("a regression")
    if isinstance(data.images, list):
        sizes = len({image.shape for image in data.images})
        return Finding("note", "judges", f"Labels are not judged: the images have {sizes} sizes.", "Bring them to one with --resize 32.")
    return None


def _judge(found: _Found, data: Dataset, rows: NDArray[np.int64], arms: Sequence[Arm], jury: Jury, tell: Tell) -> None:
    mixing = [arm for arm in arms if arm.mixes]
    found.findings += [Finding("note", "labels", f"{arm.name} mixes items: its labels are shares, so none can be lost.") for arm in mixing]
    heard = [arm for arm in arms if arm.policy is not None and not arm.mixes]
    if not heard:
        return
    hearing = Hearing.of(data, rows, jury, tell)
    found.facts["judges"] = _judges(hearing, jury)
    found.findings += list(_weak(hearing))
    all_judged: list[Judged] = [judged(hearing, arm) for arm in heard]
    found.findings += [one.finding(data.classes) for one in all_judged]
    sentence = "Equivariance is not defined for classes: an answer has no place that could move along. Invariance is, and is given."
    found.findings.append(Finding("note", "equivariance", sentence))
    found.facts["arms"] = [one.data(data.classes) for one in all_judged]
    found.sheets = {one.arm.name: one.sheet for one in all_judged if one.sheet is not None and one.sheet.rows}


def _judges(hearing: Hearing, jury: Jury) -> dict[str, Any]:
    plain = float((hearing.plain.argmax(1) == hearing.labels).mean())
    practice = None if jury.practice is None or hearing.data.kind != "image" else str(jury.practice)
    return {
        "items": len(hearing.rows), "folds": jury.folds, "seeds": jury.seeds, "steps": jury.steps, "trainer": dict(jury.trainer.data()),
        "practice": practice, "accuracy": float(hearing.right.mean()), "plain_accuracy": plain,
    }  # fmt: skip


def _weak(hearing: Hearing) -> Iterator[Finding]:
    """Judges who know little can testify to little."""
    known, chance = float(hearing.right.mean()), 1 / len(hearing.data.classes)
    if known < max(0.5, 2 * chance):
        sentence = f"The judges know only {accuracy(known)} of the originals, so what they say about labels is vague."
        yield Finding("doubt", "judges", sentence, "Give them more items (--size), or a stronger trainer.")


def _facts(data: Dataset, parts: Split) -> dict[str, Any]:
    shape = None if isinstance(data.images, list) else list(data.images.shape[1:])
    sizes = {name: len(getattr(parts, name)) for name in ("train", "dev", "test")}
    return {"name": data.name, "origin": data.origin, "classes": list(data.classes), "shape": shape, **sizes}


def _parts(data: Dataset, pool: NDArray[np.int64], test: NDArray[np.int64]) -> list[Finding]:
    found = [] if data.regression else list(balance(data, pool, test))
    if data.kind == "image":
        found += preprocessing(_some(data, pool), _some(data, test))
    if not any(finding.weight in ("wrong", "doubt") for finding in found):
        found.append(Finding("fine", "parts", "Train and test agree in range, mean, spread, layout and classes."))
    return found


def _some(data: Dataset, rows: NDArray[np.int64]) -> Any:
    return [data.images[row] for row in rows] if isinstance(data.images, list) else data.images[rows]


def _leak(data: Dataset, leak: Leaks) -> dict[str, Any]:
    pairs = [{"rows": pair.tolist(), "distance": float(far)} for pair, far in zip(leak.pairs[:100], leak.distance, strict=False)]
    return {"parts": list(leak.parts), "straddling": leak.straddling, "copies": len(leak.pairs), "exact": leak.exact,
            "limit": leak.limit, "searched": leak.searched, "pairs": pairs}  # fmt: skip


def _copies(data: Dataset, told: Sequence[Leaks]) -> Sheet | None:
    """The closest pairs as pictures."""
    from vicinal.lab.report.sheet import ROWS, SheetRow

    if data.kind != "image":
        return None
    pairs = [(one, other, leak.parts) for leak in told for one, other in leak.pairs[:ROWS]][:ROWS]
    image = lambda row: np.asarray(data.images[row])  # noqa: E731
    return Sheet("copies", [SheetRow(image(a), [image(b)], f"{p[0]} {a}, {p[1]} {b}") for a, b, p in pairs]) if pairs else None
