"""The ways to do a row: ours on the whole batch, the others on one image at a time, and torchvision on the batch as one tensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, final

import numpy as np

import vicinal as v
from benchmarks.peers import Loop, independent
from benchmarks.rows import Row, Targets


@final
@dataclass(frozen=True)
class Side:
    """``apply(number)`` does ``count`` images, with new draws for a new number; ``first`` finds the first image of what it gives."""

    apply: Callable[[int], Any]
    first: Callable[[Any], Any]
    count: int

    def form(self) -> tuple[tuple[int, ...], str]:
        """Shape, its numbers sorted so that layout does not count, and dtype of an image."""
        image = self.first(self.apply(0))
        return tuple(sorted(image.shape)), str(image.dtype).removeprefix("torch.")


def ours(row: Row, targets: Targets, threads: int) -> Side:
    """One call for the whole batch."""
    named = targets | ({"boxes": v.Boxes(targets["boxes"], min_visible=0.1)} if "boxes" in targets else {})
    views = row.views > 1
    return Side(
        lambda number: row.ours(**named, seed=0, epoch=number, threads=threads),
        lambda result: (result[0] if views else result)["image"][0],
        row.batch,
    )


def sides(row: Row, targets: Targets, libraries: dict[str, ModuleType], threads: int) -> dict[str, Side]:
    """By name, what the peers have for a row."""
    found = {}
    if (A := libraries.get("Albumentations")) and "Albumentations" in row.theirs:
        found["Albumentations"] = _albumentations(row, A, targets, threads)
    if (T := libraries.get("torchvision")) and "torchvision" in row.theirs:
        found["torchvision"] = _torchvision(row, T, targets, threads)
        if isinstance(targets["image"], np.ndarray) and "boxes" not in targets:
            found["tv batch"] = _together(row, T, targets, threads)
    return found


def _albumentations(row: Row, A: ModuleType, targets: Targets, threads: int) -> Side:
    def make(number: int) -> Callable[[dict[str, Any]], list[Any]]:
        pipeline = independent(row.theirs["Albumentations"](A), number)
        return lambda item: [pipeline(**item) for _ in range(row.views)]

    names = {"image": "image", "mask": "mask", "boxes": "bboxes"}
    items = [{names[name]: values[number] for name, values in targets.items()} for number in range(_turn(row))]
    for item in items:
        item |= {"labels": list(range(len(item["bboxes"])))} if "bboxes" in item else {}
    loop = Loop(make, threads)
    return Side(lambda number: loop(items), lambda result: result[0][0]["image"], len(items))


def _torchvision(row: Row, T: ModuleType, targets: Targets, threads: int) -> Side:
    def make(number: int) -> Callable[[Any], list[Any]]:
        pipeline = row.theirs["torchvision"](T)
        return lambda item: [pipeline(item) for _ in range(row.views)]

    items = [_item({name: values[number] for name, values in targets.items()}) for number in range(_turn(row))]
    loop = Loop(make, threads)
    return Side(lambda number: loop(items), lambda result: _image(result[0][0]), len(items))


def _together(row: Row, T: ModuleType, targets: Targets, threads: int) -> Side:
    import torch

    batch, pipeline = _item(targets), row.theirs["torchvision"](T)

    def apply(number: int) -> Any:
        torch.set_num_threads(threads)
        results = [pipeline(batch) for _ in range(row.views)]
        torch.set_num_threads(1)
        return results

    return Side(apply, lambda result: _image(result[0])[0], row.batch)


def _turn(row: Row) -> int:
    return min(row.batch, row.turn or row.batch)


def _image(result: Any) -> Any:
    return result["image"] if isinstance(result, dict) else result


def _item(values: Targets) -> Any:
    """A sample, or a batch of images and masks, as torchvision wants it; an image by itself is a plain tensor."""
    import torch
    from torchvision import tv_tensors

    image = torch.from_numpy(np.ascontiguousarray(np.moveaxis(values["image"], -1, -3)))
    if len(values) == 1:
        return image
    made: dict[str, Any] = {"image": tv_tensors.Image(image)}
    if "mask" in values:
        made["mask"] = tv_tensors.Mask(torch.from_numpy(values["mask"]))
    if "boxes" in values:
        canvas = (int(image.shape[-2]), int(image.shape[-1]))
        made["boxes"] = tv_tensors.BoundingBoxes(torch.from_numpy(values["boxes"]), format="XYXY", canvas_size=canvas)  # type: ignore[call-arg]
        made["labels"] = torch.arange(len(values["boxes"]))
    return made
