"""What Albumentations and torchvision v2 have for each transform: its name here, and what makes the counterpart.

``A`` is ``albumentations``, ``T`` is ``torchvision.transforms.v2``, ``s`` the side of the image. Ranges are those of our examples as far as
the libraries have them; p is 1. What is not listed has no counterpart.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2

Make = Callable[[ModuleType, int], Any]


def _tensor(A: ModuleType) -> Any:
    return importlib.import_module("albumentations.pytorch").ToTensorV2()


def _font() -> str:
    return str(Path(importlib.import_module("matplotlib").get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")


ALBUMENTATIONS: Mapping[str, Make] = {
    "HorizontalFlip": lambda A, s: A.HorizontalFlip(p=1),
    "VerticalFlip": lambda A, s: A.VerticalFlip(p=1),
    "Transpose": lambda A, s: A.Transpose(p=1),
    "RandomRotate90": lambda A, s: A.RandomRotate90(p=1),
    "D4": lambda A, s: A.D4(p=1),
    "Rotate": lambda A, s: A.Rotate((-15, 15), p=1),
    "Translate": lambda A, s: A.Affine(translate_px=(-2, 2), p=1),
    "Scale": lambda A, s: A.Affine(scale=(0.8, 1.25), p=1),
    "Shear": lambda A, s: A.Affine(shear={"x": (-10, 10), "y": 0}, p=1),
    "Affine": lambda A, s: A.Affine(rotate=(-15, 15), scale=(0.9, 1.1), translate_percent={"x": (-0.1, 0.1), "y": 0}, p=1),
    "Perspective": lambda A, s: A.Perspective((0.0, 0.1), p=1),
    "ElasticTransform": lambda A, s: A.ElasticTransform(alpha=190, sigma=8, p=1),
    "GridDistortion": lambda A, s: A.GridDistortion(5, (-0.3, 0.3), p=1),
    "OpticalDistortion": lambda A, s: A.OpticalDistortion((-0.1, 0.2), p=1),
    "PiecewiseAffine": lambda A, s: A.PiecewiseAffine((0.03, 0.05), p=1),
    "ThinPlateSpline": lambda A, s: A.ThinPlateSpline((0.0, 0.05), num_control_points=4, p=1),
    "JigsawShuffle": lambda A, s: A.RandomGridShuffle((4, 4), p=1),
    "CenterCrop": lambda A, s: A.CenterCrop(3 * s // 4, 3 * s // 4),
    "RandomCrop": lambda A, s: A.RandomCrop(3 * s // 4, 3 * s // 4),
    "RandomResizedCrop": lambda A, s: A.RandomResizedCrop((s, s), area_for_downscale="image"),
    "Resize": lambda A, s: A.Resize(3 * s // 4, 3 * s // 4, area_for_downscale="image"),
    "LongestMaxSize": lambda A, s: A.LongestMaxSize(3 * s // 4, area_for_downscale="image"),
    "SmallestMaxSize": lambda A, s: A.SmallestMaxSize(3 * s // 4, area_for_downscale="image"),
    "RandomScale": lambda A, s: A.RandomScale((-0.2, 0.25), area_for_downscale="image", p=1),
    "Letterbox": lambda A, s: A.Compose([A.LongestMaxSize(3 * s // 4, area_for_downscale="image"), A.PadIfNeeded(3 * s // 4, 3 * s // 4)]),
    "Pad": lambda A, s: A.Pad(4),
    "PadIfNeeded": lambda A, s: A.PadIfNeeded(2 * s, 2 * s),
    "CropNonEmptyMask": lambda A, s: A.CropNonEmptyMaskIfExists(3 * s // 4, 3 * s // 4),
    "RandomSizedBBoxSafeCrop": lambda A, s: A.Compose([A.RandomSizedBBoxSafeCrop(s, s)], A.BboxParams("pascal_voc", label_fields=[])),
    "Brightness": lambda A, s: A.RandomBrightnessContrast((-0.2, 0.2), (0, 0), p=1),
    "Contrast": lambda A, s: A.RandomBrightnessContrast((0, 0), (-0.4, 0.4), p=1),
    "Gamma": lambda A, s: A.RandomGamma((60, 160), p=1),
    "Invert": lambda A, s: A.InvertImg(p=1),
    "Normalize": lambda A, s: A.Normalize((0.5,) * 3, (0.25,) * 3),
    "ToTensor": lambda A, s: A.Compose([A.ToFloat(), _tensor(A)]),
    "Saturation": lambda A, s: A.ColorJitter((1, 1), (1, 1), (0.5, 1.5), (0, 0), p=1),
    "Hue": lambda A, s: A.HueSaturationValue((-15, 15), 0, 0, p=1),
    "HueSaturationValue": lambda A, s: A.HueSaturationValue((-15, 15), (-38, 38), (-25, 25), p=1),
    "ColorJitter": lambda A, s: A.ColorJitter((0.7, 1.3), (0.7, 1.3), (0.7, 1.3), (-0.05, 0.05), p=1),
    "ToneCurve": lambda A, s: A.RandomToneCurve(0.1, p=1),
    "RGBShift": lambda A, s: A.RGBShift(25, 25, 25, p=1),
    "ChannelShuffle": lambda A, s: A.ChannelShuffle(p=1),
    "ChannelDropout": lambda A, s: A.ChannelDropout((1, 1), p=1),
    "Grayscale": lambda A, s: A.ToGray(p=1),
    "Sepia": lambda A, s: A.ToSepia(p=1),
    "Solarize": lambda A, s: A.Solarize((0.3, 0.9), p=1),
    "Posterize": lambda A, s: A.Posterize((3, 6), p=1),
    "Equalize": lambda A, s: A.Equalize(p=1),
    "AutoContrast": lambda A, s: A.AutoContrast(p=1),
    "CLAHE": lambda A, s: A.CLAHE((1, 4), p=1),
    "FancyPCA": lambda A, s: A.FancyPCA(0.1, p=1),
    "PlanckianJitter": lambda A, s: A.PlanckianJitter(p=1),
    "HistogramMatching": lambda A, s: A.HistogramMatching(p=1),
    "FourierDomainAdaptation": lambda A, s: A.FDA(beta_limit=(0, 0.05), p=1),
    "Illumination": lambda A, s: A.Illumination("linear", (0.1, 0.2), p=1),
    "PlasmaBrightness": lambda A, s: A.PlasmaBrightnessContrast(contrast_range=(0, 0), p=1),
    "PlasmaContrast": lambda A, s: A.PlasmaBrightnessContrast(brightness_range=(0, 0), p=1),
    "PlasmaShadow": lambda A, s: A.PlasmaShadow((0.2, 0.7), p=1),
    "GaussianBlur": lambda A, s: A.GaussianBlur(0, (0.1, 2), p=1),
    "BoxBlur": lambda A, s: A.Blur((3, 7), p=1),
    "MedianBlur": lambda A, s: A.MedianBlur((3, 7), p=1),
    "MotionBlur": lambda A, s: A.MotionBlur((3, 9), p=1),
    "Defocus": lambda A, s: A.Defocus((1, 4), p=1),
    "ZoomBlur": lambda A, s: A.ZoomBlur((1, 1.2), (0.02, 0.02), p=1),
    "GlassBlur": lambda A, s: A.GlassBlur(0.5, 2, 2, p=1),
    "Sharpen": lambda A, s: A.Sharpen(p=1),
    "UnsharpMask": lambda A, s: A.UnsharpMask(p=1),
    "Emboss": lambda A, s: A.Emboss(p=1),
    "GaussianNoise": lambda A, s: A.GaussNoise((0, 0.1), p=1),
    "UniformNoise": lambda A, s: A.AdditiveNoise("uniform", "per_pixel", {"ranges": [(-0.1, 0.1)]}, p=1),
    "LaplaceNoise": lambda A, s: A.AdditiveNoise("laplace", "per_pixel", {"mean_range": (0, 0), "scale_range": (0, 0.1)}, p=1),
    "SpeckleNoise": lambda A, s: A.MultiplicativeNoise((0.7, 1.3), per_channel=True, elementwise=True, p=1),
    "PoissonNoise": lambda A, s: A.ShotNoise(p=1),
    "ISONoise": lambda A, s: A.ISONoise(p=1),
    "SaltAndPepper": lambda A, s: A.SaltAndPepper((0, 0.05), p=1),
    "PixelDropout": lambda A, s: A.PixelDropout(0.05, p=1),
    "Rain": lambda A, s: A.RandomRain(p=1),
    "Snow": lambda A, s: A.RandomSnow(p=1),
    "Fog": lambda A, s: A.RandomFog(p=1),
    "SunFlare": lambda A, s: A.RandomSunFlare(src_radius=s // 4, p=1),
    "Shadow": lambda A, s: A.RandomShadow(p=1),
    "Spatter": lambda A, s: A.Spatter(p=1),
    "CoarseDropout": lambda A, s: A.CoarseDropout((2, 8), (0.1, 0.2), (0.1, 0.2), p=1),
    "Cutout": lambda A, s: A.CoarseDropout((1, 1), (0.5, 0.5), (0.5, 0.5), p=1),
    "Erase": lambda A, s: A.Erasing((0.02, 0.33), (0.3, 3.3), p=1),
    "RandomErasing": lambda A, s: A.Erasing((0.02, 0.4), (0.3, 3.3), fill="random", p=1),
    "GridDropout": lambda A, s: A.GridDropout(0.5, unit_size_range=(max(s // 10, 2), max(s // 5, 2)), p=1),
    "JpegCompression": lambda A, s: A.ImageCompression("jpeg", (30, 90), p=1),
    "WebPCompression": lambda A, s: A.ImageCompression("webp", (30, 90), p=1),
    "Downscale": lambda A, s: A.Downscale((0.25, 0.75), {"downscale": cv2.INTER_AREA, "upscale": cv2.INTER_LINEAR}, p=1),
    "ChromaticAberration": lambda A, s: A.ChromaticAberration(mode="random", p=1),
    "Superpixels": lambda A, s: A.Superpixels((0.2, 0.8), (50, 200), p=1),
    "TextOverlay": lambda A, s: A.TextImage(_font(), p=1),
    "ImageOverlay": lambda A, s: A.OverlayElements(p=1),
}


def _affine(T: ModuleType, degrees: float = 0, **more: Any) -> Any:
    return T.RandomAffine(degrees, interpolation=T.InterpolationMode.BILINEAR, **more)


def _float(T: ModuleType) -> Any:
    return T.ToDtype(importlib.import_module("torch").float32, scale=True)


TORCHVISION: Mapping[str, Make] = {
    "HorizontalFlip": lambda T, s: T.RandomHorizontalFlip(1),
    "VerticalFlip": lambda T, s: T.RandomVerticalFlip(1),
    "Rotate": lambda T, s: T.RandomRotation(15, T.InterpolationMode.BILINEAR),
    "Translate": lambda T, s: _affine(T, translate=(2 / s, 2 / s)),
    "Scale": lambda T, s: _affine(T, scale=(0.8, 1.25)),
    "Shear": lambda T, s: _affine(T, shear=(-10, 10)),
    "Affine": lambda T, s: _affine(T, 15, translate=(0.1, 0), scale=(0.9, 1.1)),
    "Perspective": lambda T, s: T.RandomPerspective(0.2, 1),
    "ElasticTransform": lambda T, s: T.ElasticTransform(alpha=150.0, sigma=8.0),
    "CenterCrop": lambda T, s: T.CenterCrop(3 * s // 4),
    "RandomCrop": lambda T, s: T.RandomCrop(3 * s // 4),
    "RandomResizedCrop": lambda T, s: T.RandomResizedCrop(s),
    "Resize": lambda T, s: T.Resize([3 * s // 4, 3 * s // 4]),
    "LongestMaxSize": lambda T, s: T.Resize(None, max_size=3 * s // 4),
    "SmallestMaxSize": lambda T, s: T.Resize(3 * s // 4),
    "RandomScale": lambda T, s: T.ScaleJitter((s, s), (0.8, 1.25)),
    "Pad": lambda T, s: T.Pad(4),
    "Brightness": lambda T, s: T.ColorJitter(brightness=0.2),
    "Contrast": lambda T, s: T.ColorJitter(contrast=0.4),
    "Saturation": lambda T, s: T.ColorJitter(saturation=0.5),
    "Hue": lambda T, s: T.ColorJitter(hue=30 / 360),
    "ColorJitter": lambda T, s: T.ColorJitter(0.3, 0.3, 0.3, 18 / 360),
    "Invert": lambda T, s: T.RandomInvert(1),
    "Normalize": lambda T, s: T.Compose([_float(T), T.Normalize([0.5] * 3, [0.25] * 3)]),
    "ToTensor": lambda T, s: _float(T),
    "ChannelShuffle": lambda T, s: T.RandomChannelPermutation(),
    "Grayscale": lambda T, s: T.Grayscale(3),
    "Solarize": lambda T, s: T.RandomSolarize(153, 1),
    "Posterize": lambda T, s: T.RandomPosterize(4, 1),
    "Equalize": lambda T, s: T.RandomEqualize(1),
    "AutoContrast": lambda T, s: T.RandomAutocontrast(1),
    "GaussianBlur": lambda T, s: T.GaussianBlur(13, (0.1, 2)),
    "Sharpen": lambda T, s: T.RandomAdjustSharpness(2, 1),
    "GaussianNoise": lambda T, s: T.GaussianNoise(sigma=0.05),
    "Erase": lambda T, s: T.RandomErasing(1, (0.02, 0.33)),
    "RandomErasing": lambda T, s: T.RandomErasing(1, (0.02, 0.4)),
    "JpegCompression": lambda T, s: T.JPEG((30, 90)),
}
