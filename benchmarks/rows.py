"""The policies of the table: each here, in Albumentations and in torchvision v2, with the same operations, ranges and probabilities.

Every operation that is its own name in a library stands for itself; where a library has one operation for several (Albumentations'
RandomBrightnessContrast, an affine map in both), the row says whether it is used. ``A`` is ``albumentations`` and ``T`` is
``torchvision.transforms.v2``.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, final

import vicinal as v
from benchmarks import pictures

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CROPPED = 0.54
"""The mean share of an image that RandomResizedCrop(scale=(0.08, 1)) reads."""

Targets = dict[str, Any]
Make = Callable[[ModuleType], Any]


@final
@dataclass(frozen=True)
class Row:
    """One policy.

    Args:
        name, what: its name, and what it does in a line; aim: how many times as fast as the fastest peer it is to be.
        batch: how many samples; targets: makes them: image, and boxes with labels or mask.
        ours: the policy; theirs: by the name of the library, what makes the same of its module.
        read: share of the input that an ideal pass reads; views: versions of each image; turn: how many of the images the others do in a
            turn, all where it is None.
    """

    name: str
    what: str
    aim: float
    batch: int
    targets: Callable[[int], Targets]
    ours: v.Compose | v.Views
    theirs: Mapping[str, Make]
    read: float = 1.0
    views: int = 1
    turn: int | None = None


def rows() -> list[Row]:
    """All of them, in the order of the table."""
    return [*_crops(), _ten(), _ten_merged(), _digits(), _detection(), _segmentation(), _simclr(), _randaugment(), *_seven()]


def _linear(T: ModuleType) -> dict[str, Any]:
    return {"interpolation": T.InterpolationMode.BILINEAR}


def _gamma(T: ModuleType) -> Any:
    """torchvision has gamma as a function only, which knows no masks."""

    def apply(value: Any) -> Any:
        return value if type(value).__name__ == "Mask" else T.functional.adjust_gamma(value, random.uniform(0.8, 1.2))

    return T.Lambda(apply)


def _cast(A: ModuleType, mean: tuple[float, ...] = MEAN, std: tuple[float, ...] = STD) -> list[Any]:
    return [A.Normalize(mean, std), importlib.import_module("albumentations.pytorch").ToTensorV2()]


def _cast_v2(T: ModuleType, mean: tuple[float, ...] = MEAN, std: tuple[float, ...] = STD) -> list[Any]:
    float32 = importlib.import_module("torch").float32
    return [T.ToDtype(float32, scale=True), T.Normalize(list(mean), list(std))]


def _crops() -> Iterator[Row]:
    for name, what, antialias in (("P1", "", False), ("P1 area", ", antialiased", True)):
        jitter = v.ColorJitter(brightness=(0.6, 1.4), contrast=(0.6, 1.4), saturation=(0.6, 1.4), hue=(-36, 36))
        crop = v.RandomResizedCrop(size=224, antialias=antialias)
        yield Row(
            name, f"RandomResizedCrop 224{what}, flip, ColorJitter, normalise, tensor; whole photographs", 2, 64,
            lambda count: {"image": pictures.natives(count)},
            v.Compose([crop, v.HorizontalFlip(p=0.5), jitter, v.Normalize(mean=MEAN, std=STD), v.ToTensor()]),
            {"Albumentations": lambda A, antialias=antialias: A.Compose([
                A.RandomResizedCrop((224, 224), area_for_downscale="image" if antialias else None), A.HorizontalFlip(p=0.5),
                A.ColorJitter((0.6, 1.4), (0.6, 1.4), (0.6, 1.4), (-0.1, 0.1), p=1), *_cast(A)]),
             "torchvision": lambda T, antialias=antialias: T.Compose([
                T.RandomResizedCrop(224, antialias=antialias), T.RandomHorizontalFlip(), T.ColorJitter(0.4, 0.4, 0.4, 0.1), *_cast_v2(T)])},
            read=CROPPED)  # fmt: skip


_TEN = v.Compose([
    v.HorizontalFlip(p=0.5), v.Rotate(angle=(-15, 15)), v.Scale(factor=(0.9, 1.1)), v.Shear(x=(-10, 10)),
    v.Translate(x=(-0.1, 0.1), y=(-0.1, 0.1), unit="share"), v.Brightness(by=(-0.2, 0.2)), v.Contrast(gain=(0.8, 1.2)),
    v.Gamma(exponent=(0.8, 1.2)), v.Saturation(gain=(0.7, 1.3)), v.Hue(shift=(-20, 20))])  # fmt: skip


def _ten() -> Row:
    return Row(
        "P2", "flip, rotate, scale, shear, shift; brightness, contrast, gamma, saturation, hue, one by one, at 256", 7, 64,
        lambda count: {"image": pictures.crops(count, 256)}, _TEN,
        {"Albumentations": lambda A: A.Compose([
            A.HorizontalFlip(p=0.5), A.Rotate((-15, 15), p=1), A.Affine(scale=(0.9, 1.1), p=1),
            A.Affine(shear={"x": (-10, 10), "y": 0}, p=1), A.Affine(translate_percent=(-0.1, 0.1), p=1),
            A.RandomBrightnessContrast(0.2, 0, p=1), A.RandomBrightnessContrast(0, 0.2, p=1), A.RandomGamma((80, 120), p=1),
            A.HueSaturationValue(0, 38, 0, p=1), A.HueSaturationValue(10, 0, 0, p=1)]),
         "torchvision": lambda T: T.Compose([
            T.RandomHorizontalFlip(), T.RandomRotation(15, **_linear(T)), T.RandomAffine(0, scale=(0.9, 1.1), **_linear(T)),
            T.RandomAffine(0, shear=(-10, 10), **_linear(T)), T.RandomAffine(0, translate=(0.1, 0.1), **_linear(T)),
            T.ColorJitter(brightness=0.2), T.ColorJitter(contrast=0.2), _gamma(T), T.ColorJitter(saturation=0.3),
            T.ColorJitter(hue=20 / 360)])})  # fmt: skip


def _ten_merged() -> Row:
    return Row(
        "P2 few", "the same, each peer with as few operations as it has for it", 3, 64,
        lambda count: {"image": pictures.crops(count, 256)}, _TEN,
        {"Albumentations": lambda A: A.Compose([
            A.HorizontalFlip(p=0.5),
            A.Affine(rotate=(-15, 15), scale=(0.9, 1.1), shear={"x": (-10, 10), "y": 0}, translate_percent=(-0.1, 0.1), p=1),
            A.RandomBrightnessContrast(0.2, 0.2, p=1), A.RandomGamma((80, 120), p=1), A.HueSaturationValue(10, 38, 0, p=1)]),
         "torchvision": lambda T: T.Compose([
            T.RandomHorizontalFlip(), T.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), (-10, 10), **_linear(T)),
            T.ColorJitter(0.2, 0.2, 0.3, 20 / 360), _gamma(T)])})  # fmt: skip


def _digits() -> Row:
    return Row(
        "P3", "shift, rotate, scale (theirs: one affine map), brightness, noise, at 28x28x1", 20, 1024,
        lambda count: {"image": pictures.crops(count, 28, 1)},
        v.Compose([v.Translate(x=(-0.1, 0.1), y=(-0.1, 0.1), unit="share"), v.Rotate(angle=(-15, 15)), v.Scale(factor=(0.9, 1.1)),
                   v.Brightness(by=(-0.2, 0.2)), v.GaussianNoise(std=(0, 0.1))]),
        {"Albumentations": lambda A: A.Compose([
            A.Affine(rotate=(-15, 15), scale=(0.9, 1.1), translate_percent=(-0.1, 0.1), p=1), A.RandomBrightnessContrast(0.2, 0, p=1),
            A.GaussNoise((0, 0.1), p=1)]),
         "torchvision": lambda T: T.Compose([
            T.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), **_linear(T)), T.ColorJitter(brightness=0.2),
            T.GaussianNoise(sigma=0.05)])})  # fmt: skip


def _detection() -> Row:
    return Row(
        "P4", "flip, affine, brightness, contrast, hue and saturation, normalise, tensor, at 512 with 10 boxes", 3, 16,
        lambda count: {"image": pictures.crops(count, 512), "boxes": pictures.boxes(count, 10, 512)},
        v.Compose([v.HorizontalFlip(p=0.5), v.Affine(angle=(-10, 10), scale=(0.8, 1.2), x=(-0.1, 0.1), y=(-0.1, 0.1), unit="share"),
                   v.Brightness(by=(-0.2, 0.2)), v.Contrast(gain=(0.8, 1.2)),
                   v.HueSaturationValue(hue_shift=(-20, 20), saturation_shift=(-0.12, 0.12)),
                   v.Normalize(mean=MEAN, std=STD), v.ToTensor()]),
        {"Albumentations": lambda A: A.Compose([
            A.HorizontalFlip(p=0.5), A.Affine(rotate=(-10, 10), scale=(0.8, 1.2), translate_percent=(-0.1, 0.1), p=1),
            A.RandomBrightnessContrast(0.2, 0.2, p=1), A.HueSaturationValue(10, 30, 0, p=1), *_cast(A)],
            bbox_params=A.BboxParams("pascal_voc", label_fields=["labels"], min_visibility=0.1)),
         "torchvision": lambda T: T.Compose([
            T.RandomHorizontalFlip(), T.RandomAffine(10, (0.1, 0.1), (0.8, 1.2), **_linear(T)), T.ColorJitter(0.2, 0.2, 0.12, 20 / 360),
            T.SanitizeBoundingBoxes(), *_cast_v2(T)])})  # fmt: skip


def _segmentation() -> Row:
    return Row(
        "P5", "elastic (4 pixels), rotate, flip, gamma on image and mask, at 512", 3, 16,
        lambda count: {"image": pictures.crops(count, 512), "mask": pictures.masks(count, 512)},
        v.Compose([v.ElasticTransform(amplitude=4, smoothness=32), v.Rotate(angle=(-15, 15)), v.HorizontalFlip(p=0.5),
                   v.Gamma(exponent=(0.8, 1.2))]),
        {"Albumentations": lambda A: A.Compose([
            A.ElasticTransform(alpha=1000, sigma=16, p=1), A.Rotate((-15, 15), p=1), A.HorizontalFlip(p=0.5),
            A.RandomGamma((80, 120), p=1)]),
         "torchvision": lambda T: T.Compose([
            T.ElasticTransform(alpha=800.0, sigma=16.0), T.RandomRotation(15, **_linear(T)), T.RandomHorizontalFlip(),
            _gamma(T)])},
        turn=4)  # fmt: skip


def _simclr() -> Row:
    return Row(
        "P6", "two views of SimCLR at 224, antialiased; whole photographs", 2, 64,
        lambda count: {"image": pictures.natives(count)}, v.preset("simclr"),  # type: ignore[arg-type]
        {"Albumentations": lambda A: A.Compose([
            A.RandomResizedCrop((224, 224), area_for_downscale="image"), A.HorizontalFlip(p=0.5),
            A.ColorJitter((0.2, 1.8), (0.2, 1.8), (0.2, 1.8), (-0.2, 0.2), p=0.8), A.ToGray(p=0.2),
            A.GaussianBlur(blur_limit=0, sigma_limit=(0.1, 2.0), p=0.5)]),
         "torchvision": lambda T: T.Compose([
            T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.RandomApply([T.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8),
            T.RandomGrayscale(0.2), T.RandomApply([T.GaussianBlur(13, (0.1, 2.0))], p=0.5)])},
        read=CROPPED, views=2)  # fmt: skip


def _randaugment() -> Row:
    return Row(
        "P7", "RandAugment(n=2, magnitude=9) at 224", 3, 64, lambda count: {"image": pictures.crops(count, 224)},
        v.Compose([v.RandAugment(n=2, magnitude=9)]), {"torchvision": lambda T: T.RandAugment(2, 9, **_linear(T))})  # fmt: skip


def _seven() -> Iterator[Row]:
    for side, channels, aim in ((28, 1, 15), (32, 3, 10), (256, 3, 3)):
        mean, std = (0.5,) * channels, (0.25,) * channels
        affine = v.Affine(angle=(-15, 15), scale=(0.9, 1.1), x=(-0.1, 0.1), y=(-0.1, 0.1), unit="share")
        colour = [v.Brightness(by=(-0.2, 0.2)), v.Contrast(gain=(0.8, 1.2)), v.Gamma(exponent=(0.8, 1.2))]
        yield Row(
            f"S{side}", f"flip, affine, brightness, contrast, gamma, normalise, tensor, at {side}x{side}x{channels}", aim, 64,
            lambda count, side=side, channels=channels: {"image": pictures.crops(count, side, channels)},
            v.Compose([v.HorizontalFlip(p=0.5), affine, *colour, v.Normalize(mean=mean, std=std), v.ToTensor()]),
            {"Albumentations": lambda A, mean=mean, std=std: A.Compose([
                A.HorizontalFlip(p=0.5), A.Affine(rotate=(-15, 15), scale=(0.9, 1.1), translate_percent=(-0.1, 0.1), p=1),
                A.RandomBrightnessContrast(0.2, 0.2, p=1), A.RandomGamma((80, 120), p=1), *_cast(A, mean, std)]),
             "torchvision": lambda T, mean=mean, std=std: T.Compose([
                T.RandomHorizontalFlip(), T.RandomAffine(15, (0.1, 0.1), (0.9, 1.1), **_linear(T)), T.ColorJitter(0.2, 0.2), _gamma(T),
                *_cast_v2(T, mean, std)])})  # fmt: skip
