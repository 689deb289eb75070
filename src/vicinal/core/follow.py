"""Everything but the main target: it follows the way of a plan and comes back in the form in which it was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vicinal.core.targets import InstanceMasks, Instances, Known, Polygons, Target, Way


def others(targets: Mapping[str, Target], way: Way, single: bool) -> tuple[dict[str, Any], Instances | None]:
    """What becomes of the targets, in the order in which they were given; and the fate of the instances."""
    if not targets:
        return {}, None
    out, known = {}, Known()
    for name in sorted(targets, key=lambda name: targets[name].rank):
        out[name] = targets[name].follow(name, way, known)
    for name, target in targets.items():
        if isinstance(target, (InstanceMasks, Polygons)):
            out[name] = known.keep(out[name])
    return {name: out[name][0] if single else out[name] for name in targets}, known.table


def kept_numbers(table: Instances | None, batch: int, single: bool) -> Any:
    """The numbers of the instances that stayed, (n,) for each sample; None without instances."""
    if table is None:
        return None
    numbers = [np.flatnonzero(table.of(sample)) for sample in range(batch)]
    return numbers[0] if single else numbers
