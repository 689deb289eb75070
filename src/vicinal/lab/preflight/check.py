"""``vicinal check``: everything that can be said before training."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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
from vicinal.lab.conduct import Tell
from vicinal.lab.preflight.at_test import at_test_findings
from vicinal.lab.preflight.findings import Finding, ranked
from vicinal.lab.preflight.judge import Jury
from vicinal.lab.preflight.look import Found, look_at_items, look_at_pictures
from vicinal.lab.preflight.words import answer_sentence
from vicinal.lab.report import Sheet
from vicinal.lab.result_file import plain, result_bytes
from vicinal.lab.show import load_any


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
        >>> found = check("digits", arms={"white": "Brightness(by=1)"}, size=300, jury=jury)
        >>> found.result["arms"][0]["verdict"]
        'lost'
    """
    start = time.perf_counter()
    named = _arms(policy, arms)
    at_test = read_policy(test_policy) if isinstance(test_policy, str) else test_policy
    read = load_any(data) if isinstance(data, str) else data
    kind = read.kind if isinstance(read, Dataset) else "image"
    wanted = named or (read_arms(()) if isinstance(read, Dataset) and kind == "image" and not read.regression else [])
    raise_all("arms", [fault for arm in wanted if arm.policy for fault in unfit(f"arm {arm.name}", arm.policy, kind)])
    found = Found(command)
    found.findings += [] if at_test is None else at_test_findings(at_test, **{kind: _example(read)})
    if isinstance(read, Annotated):
        look_at_pictures(found, read, wanted)
    else:
        look_at_items(found, read, wanted, size, Jury() if jury is None else jury, tell)
    return _told(found, time.perf_counter() - start)


def _arms(policy: str | Node | None, arms: Mapping[str, str | Node] | Sequence[str]) -> list[Arm]:
    """What was asked for; texts are read together, so that all their faults come at once."""
    named = ({} if policy is None else {"policy": policy}) | (dict(arms) if isinstance(arms, Mapping) else {})
    texts = [] if isinstance(arms, Mapping) else list(arms)
    texts += [f"{name}={text}" for name, text in named.items() if isinstance(text, str)]
    nodes = [Arm(name, node) for name, node in named.items() if isinstance(node, Node)]
    return nodes + (read_arms(texts) if texts else [])


def _example(data: Dataset | Annotated) -> NDArray:
    return data.image(0) if isinstance(data, Annotated) else np.asarray(data.images[0])


def _told(found: Found, seconds: float) -> Check:
    """What was found as it is shown and written."""
    ordered = ranked(found.findings)
    head = {"schema": 1, "vicinal": __version__, "question": f"What can be said about {found.facts['data']['name']} before training?"}
    tail = {"command": found.command, "created": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": seconds}
    body = {"answer": answer_sentence(ordered), "findings": [asdict(finding) for finding in ordered], **found.facts}
    return Check(plain(head | body | tail), found.sheets, found.copies)
