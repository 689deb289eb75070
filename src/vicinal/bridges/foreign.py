"""An operation of another library, run as it is, with randomness that has an address."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.bridges.seeded import number, seeded
from vicinal.core.batch import Spec
from vicinal.core.errors import TargetError
from vicinal.core.primitive import Opaque, everywhere
from vicinal.core.transform import Transform, option
from vicinal.image.custom import same_form
from vicinal.image.fields import Params, switch

ANNOTATIONS = frozenset({"mask", "boxes", "keypoints"})


@final
@dataclass(frozen=True, kw_only=True, repr=False)
class Foreign(Transform):
    """An operation of Albumentations or torchvision, run on every image by itself.

    Its generators are seeded from the sample's address, so the same sample comes out for any batch, order and worker count. It is no
    plain data: a policy that holds it can be neither saved nor parsed; its fingerprint is that of its ``repr``.

    Args:
        operation: the object of the other library; library: which one.
        moves: True where pixels may move; then boxes, masks and keypoints are refused, because they cannot follow.
    """

    verb: ClassVar[str] = "opaque"
    keys: ClassVar[tuple[str, ...]] = ("key",)

    operation: Any = option(expected="an operation of another library", admits=callable)  # noqa: RUF009
    library: str = option(choices=("albumentations", "torchvision"))
    moves: bool = switch(True, "pixels may move")

    def lower(self, params: Params, spec: Spec) -> list[Opaque]:
        where = f"{self.label}, an operation of {self.library} without a counterpart"
        refused = sorted(ANNOTATIONS & spec.targets) if self.moves else []
        if refused:
            write = "a transform of vicinal in its place"
            raise TargetError(where, "images alone: annotations cannot follow it", f"{' and '.join(refused)} as well", write)
        run = attempted(partial(_RUN[self.library], self.operation), where)
        return [Opaque(same_form(run, where), everywhere(len(spec)), {"key": params["key"]})]


def attempted(run: Callable[..., NDArray], where: str) -> Callable[..., NDArray]:
    """The function, whose failure is told in a sentence: it may need more than an item, or another kind of item."""

    def tried(item: NDArray, *, key: NDArray) -> NDArray:
        try:
            return run(item, key=key)
        except Exception as fault:
            got, write = f"{type(fault).__name__}: {fault}", "one that takes such an item, or a transform of vicinal in its place"
            raise TargetError(where, "an operation that can run on this item alone", got, write) from fault

    return tried


def call_albumentations(operation: Any, image: NDArray, *, key: NDArray) -> NDArray:
    """One image through a copy of the operation, which has generators of its own: so threads never share one.

    Within Albumentations 2.0.8 a seeded Compose gives all its children one and the same seed; here every operation has its own.
    """
    group = hasattr(operation, "transforms")
    one = copy.deepcopy(operation) if group else copy.copy(operation)
    one.set_random_state(np.random.default_rng(number(key)), random.Random(number(key)))
    made = one(image=image.copy(), force_apply=not group)["image"]
    return made[..., None] if getattr(made, "ndim", 0) == image.ndim - 1 else made


def call_torchvision(operation: Any, image: NDArray, *, key: NDArray) -> NDArray:
    """One image through the operation as a (C, H, W) tensor, with the global generators seeded for it and put back afterwards."""
    import torch  # here, because only who brings such an operation has it

    tensor = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    with seeded(key):
        made = operation(tensor)
    return np.ascontiguousarray(np.asarray(made).transpose(1, 2, 0))


_RUN = {"albumentations": call_albumentations, "torchvision": call_torchvision}
