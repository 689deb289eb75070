"""Laws of values: what changes, what does not, and within which bounds."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.errors import TargetError
from vicinal.testing.case import BATCH, Case, NotApplicable, data, parameters, pictures, stored


def neutral(case: Case) -> None:
    """p = 0 gives the input back bit for bit, and so do neutral parameters."""
    for dtype in case.dtypes:
        everything = data(case, dtype)
        if not case.transform.whole:
            off = case.call(everything, transform=dataclasses.replace(case.transform, p=0))[case.kind]
            case.equal(off, everything, "p = 0 to change nothing")
        _neutral_parameters(case, dtype)
    if case.transform.whole and not any(p.neutral is not None for p in parameters(case.transform).values()):
        raise NotApplicable("it always acts, and no parameter has a neutral value")


def _neutral_parameters(case: Case, dtype: Any) -> None:
    """On the canvas that comes out, so that a change of size is no change either."""
    if not any(parameter.neutral is not None for parameter in parameters(case.transform).values()):
        return
    still, size = case.transform.stronger(0), case.call(data(case))[case.kind][0].shape
    square = min(size[:2])
    shape = {"height": square, "width": square} if case.kind == "image" else {"length": size[0]}
    everything = data(case, dtype, **shape)
    case.equal(case.call(everything, transform=still)[case.kind], everything, f"neutral parameters to change nothing ({still})")


def pure(case: Case) -> None:
    """Read-only inputs come back unchanged, the result shares no memory with them, and the transform is what it was."""
    written = repr(case.transform)
    for p in (1, 0) if not case.transform.whole else (1,):
        everything = data(case)
        before = everything.copy()
        everything.flags.writeable = False
        made = case.call(everything, transform=dataclasses.replace(case.transform, p=p))[case.kind]
        case.expect(np.array_equal(everything, before), "an untouched input", "a changed one")
        case.expect(repr(case.transform) == written, "a transform that does not change", f"{case.transform} after {written}")
        case.expect(not any(np.shares_memory(array, everything) for array in made), "a result of its own", "memory of the input")


def spec(case: Case) -> None:
    """The announced form is what comes, for equal and for ragged batches."""
    for dtype in case.dtypes:
        whole = data(case, dtype)
        ragged = [image[: 40 - 3 * row, : 47 - row] for row, image in enumerate(whole)]
        for everything in (whole, ragged) if not getattr(case.transform, "one_size", False) else (whole,):
            made = case.call(everything)
            announced = made.plan.after
            for row, array in enumerate(made[case.kind]):
                _as_announced(case, announced, row, np.asarray(array))


def _as_announced(case: Case, announced: Spec, row: int, array: NDArray) -> None:
    size, channels = tuple(int(side) for side in announced.size[row]), announced.channels
    shape = (channels, *size) if announced.layout == "CHW" else (*size, channels)
    case.expect(array.shape == shape, f"shape {shape} as announced", array.shape)
    case.expect(str(array.dtype) == announced.dtype, f"{announced.dtype} as announced", array.dtype)
    if announced.unit and array.dtype.kind == "f":
        case.expect(array.min() >= 0 and array.max() <= 1, "values in [0, 1] as announced", f"{array.min()}..{array.max()}")


def backends(case: Case) -> None:
    """The fast backend agrees with the reference within the tolerance that the primitives declare."""
    sizes = ({}, {"height": 90, "width": 101}) if case.kind == "image" else ({},)
    for dtype in case.dtypes:
        for size in sizes:
            everything = data(case, dtype, **size)
            fast, slow = (case.call(everything, backend=backend) for backend in ("auto", "reference"))
            allowed = sum(primitive.tolerance for primitive in fast.plan.primitives) + 1e-6
            for a, b in zip(fast[case.kind], slow[case.kind], strict=True):
                far = _distance(np.asarray(a), np.asarray(b))
                case.expect(
                    far <= allowed * _stretch(case, fast.plan),
                    f"backends within {allowed:.4g} of the range ({dtype.__name__})",
                    f"{far:.4g}",
                )


def _distance(a: NDArray, b: NDArray) -> float:
    scale = np.iinfo(a.dtype).max if a.dtype.kind == "u" else 1.0
    return float(np.abs(a.astype(float) - b.astype(float)).max(initial=0)) / scale


def _stretch(case: Case, plan: Any) -> float:
    """Values that left the range (normalised images, series) may differ by as much more as they are larger."""
    if plan.after.unit:
        return 1.0
    return max(1.0, float(np.abs(np.asarray(case.call(data(case))[case.kind][0])).max()) * 4)


def edges(case: Case) -> None:
    """The smallest, the emptiest and the strangest inputs pass, or are refused with a sentence."""
    for everything in _edges(case):
        try:
            made = case.call(everything)
        except TargetError:
            continue
        case.expect(len(made[case.kind]) == len(everything), "one result a sample", len(made[case.kind]))
    if case.kind == "image":
        boxes = [np.zeros((0, 4))] * BATCH
        out = case.call(data(case), boxes=boxes, keypoints=[np.zeros((0, 2))] * BATCH)
        empty = all(len(part) == 0 for name in ("boxes", "keypoints") for part in out[name])
        case.expect(empty, "no boxes and no keypoints out of none", out["boxes"])


def _edges(case: Case) -> list[Any]:
    if case.kind == "series":
        gaps = np.full((2, 9, 1), np.nan, np.float32)
        return [np.zeros((1, 1, 1), np.float32), gaps, np.zeros((0, 9, 1), np.float32), np.full((2, 9, 3), 7, np.float64)]
    constant = [np.full((2, 12, 9, 3), value, np.uint8) for value in (0, 255)]
    several = [pictures(2, 11, 13, channels) for channels in (1, 2, 4, 9)]
    floats = stored(np.ones((2, 5, 4, 3)), np.float32)
    return [
        np.zeros((1, 1, 1, 3), np.uint8),
        np.zeros((1, 1, 7, 1), np.uint8),
        np.zeros((0, 8, 8, 3), np.uint8),
        floats,
        *constant,
        *several,
    ]
