"""Laws of randomness: the same sample at the same address, whatever stands around it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from vicinal.core.compose import Compose
from vicinal.core.draw import Address, Draw
from vicinal.core.plan import plan
from vicinal.core.policy import read_recipe
from vicinal.core.transform import Transform
from vicinal.testing.case import BATCH, Case, NotApplicable, data

INDEX = np.array([3, 14, 15, 92, 6, 535])


def addressable(case: Case) -> None:
    """Any subset and any order of a batch give the same bits as the whole."""
    if case.of_batch:
        raise NotApplicable("its partners come from the batch")
    everything, kind = data(case), case.kind
    sometimes, source = _sometimes(case.transform), _source(case)
    whole = case.call(everything, index=INDEX, transform=sometimes, **source)[kind]
    for rows in ([5, 0, 3, 2, 4, 1], [4, 1], *([row] for row in range(BATCH))):
        part = case.call(everything[rows], index=INDEX[rows], transform=sometimes, **source)[kind]
        case.equal(part, [whole[row] for row in rows], f"the bits of the whole batch for rows {rows}")


def _source(case: Case) -> dict[str, Any]:
    """The data set of partners, where there are any: the same for every part of a batch."""
    return {name: value for name, value in case.brought(data(case)).items() if name == "source"}


def _sometimes(transform: Transform) -> Any:
    """The transform with p = 0.5 where it may stand still, so that batches are mixed."""
    return transform if transform.whole else replace(transform, p=0.5)


def named(case: Case) -> None:
    """Operations around it change none of its draws."""
    everything = data(case)
    other = Compose((_Bystander(name="Bystander"), case.transform, _Bystander(name="Another")))
    alone = _params(Compose((case.transform,)), everything, case)
    among = _params(other, everything, case)
    label = case.transform.label
    for name, values in alone.get(label, {}).items():
        case.expect(np.array_equal(values, among[label][name]), f"the same {name} beside other operations", "another")


class _Bystander(Transform):
    """Draws and does nothing, so that it may stand anywhere."""

    whole = True
    needs = frozenset({"image", "series"})

    def sample(self, draw: Draw, spec: Any) -> dict[str, Any]:
        return {"number": draw.unit("number")}

    def lower(self, params: Any, spec: Any) -> list:
        return []


def _params(policy: Compose, everything: Any, case: Case) -> Any:
    spec = case.plan(everything).before
    return plan(policy, Draw(Address.of(0, 0, INDEX)), spec).params


def fixed(case: Case) -> None:
    """Which numbers are asked for depends neither on the data nor on the address."""
    sizes = [{}, {"height": 31, "width": 57}] if case.kind == "image" else [{}, {"length": 41}]
    asked = set()
    for size in sizes:
        for seed in (0, 1):
            spec = case.plan(data(case, **size)).before
            draw = Draw(Address.of(seed, 0, INDEX))
            case.transform.sample(draw, spec)
            asked.add(frozenset(draw.known))
    case.expect(len(asked) == 1, "the same sites for any data and any seed", [sorted(sites) for sites in asked])
    first, again = (_noted(case) for _ in range(2))
    case.expect(first == again, "the same numbers at the same address", "others")


def _noted(case: Case) -> str:
    draw = Draw(Address.of(0, 0, INDEX))
    params = case.transform.sample(draw, case.plan(data(case)).before)
    return json.dumps({name: np.asarray(values).tolist() for name, values in params.items()})


def replay(case: Case) -> None:
    """A recipe gives the same sample back, also after a journey through JSON."""
    if case.of_batch:
        raise NotApplicable("its partners come from the batch")
    everything = data(case)
    brought = case.brought(everything)
    made = case.call(everything, index=INDEX)[case.kind]
    for row in (0, BATCH - 1):
        recipe = case.transform.at(seed=0, epoch=0, index=int(INDEX[row]), **{case.kind: everything[row]})
        again = read_recipe(json.loads(json.dumps(recipe.as_dict())), trusted=True)
        targets = {name: value if name == "source" else value[row] for name, value in brought.items()}
        found = again.replay(**{case.kind: everything[row]}, **targets)[case.kind]
        case.equal([found], [made[row]], f"the sample of index {INDEX[row]} replayed")


def golden(case: Case) -> None:
    """Two runs give the same bits, on each backend; that versions do too is for stored results to say.

    Each run has an instance of its own: an instance may keep a plan that needs no draws, and what it keeps would hide a difference.
    """
    if not case.first:
        raise NotApplicable("said once for the class")
    for backend in ("reference", "auto"):
        fresh = (replace(case.transform) for _ in range(2))
        one, two = (case.call(data(case), backend=backend, index=INDEX, transform=again)[case.kind] for again in fresh)
        case.equal(one, two, f"the same bits in a second run of backend {backend}")
