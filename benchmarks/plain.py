"""What Pillow and plain OpenCV have for each transform, in bare calls with a fixed parameter from the middle of our range.

They draw nothing and check nothing, so they are the least that the pixels cost there. Shapes and letters are as many and as large as ours
are in the middle, and smoothed as ours are, if the library can. ``s`` is the side of the image; an entry makes a function of a Pillow
image or of an (H, W, 3) array.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

Make = Callable[[int], Callable[[Any], Any]]

LINEAR = Image.Resampling.BILINEAR
GAMMA = [round(255 * (value / 255) ** 1.2) for value in range(256)]
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def _recoded(kind: str) -> Callable[[Image.Image], Image.Image]:
    def recode(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, kind, quality=60)
        made = Image.open(buffer)
        made.load()
        return made

    return recode


def _hue(image: Image.Image) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    return Image.merge("HSV", (hue.point(lambda at: (at + 20) % 256), saturation, value)).convert("RGB")


def _blanked(image: Image.Image, *boxes: tuple[int, int, int, int]) -> Image.Image:
    made = image.copy()
    for box in boxes:
        made.paste(0, box)
    return made


def _drawn(image: Image.Image, draw: Callable[[ImageDraw.ImageDraw], Any]) -> Image.Image:
    made = image.copy()
    draw(ImageDraw.Draw(made))
    return made


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    return image.resize((side, side), Image.Resampling.BOX).resize(image.size, LINEAR)


PILLOW: Mapping[str, Make] = {
    "HorizontalFlip": lambda s: lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "VerticalFlip": lambda s: lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    "Transpose": lambda s: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    "RandomRotate90": lambda s: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "D4": lambda s: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    "Rotate": lambda s: lambda image: image.rotate(10, LINEAR),
    "Translate": lambda s: lambda image: image.transform(image.size, Image.Transform.AFFINE, (1, 0, 1.3, 0, 1, -1.7), LINEAR),
    "Scale": lambda s: lambda image: image.transform(image.size, Image.Transform.AFFINE, (0.9, 0, 3, 0, 0.9, 3), LINEAR),
    "Shear": lambda s: lambda image: image.transform(image.size, Image.Transform.AFFINE, (1, 0.1, -1, 0, 1, 0), LINEAR),
    "Affine": lambda s: lambda image: image.transform(image.size, Image.Transform.AFFINE, (0.95, 0.1, 1, -0.1, 0.95, 1), LINEAR),
    "Perspective": lambda s: lambda image: image.transform(
        image.size, Image.Transform.PERSPECTIVE, (0.95, 0.05, 1, 0.02, 0.95, 1, 0.0002, 0.0001), LINEAR
    ),
    "CenterCrop": lambda s: lambda image: image.crop((s // 8, s // 8, s // 8 + 3 * s // 4, s // 8 + 3 * s // 4)),
    "CornerCrop": lambda s: lambda image: image.crop((0, 0, 3 * s // 4, 3 * s // 4)),
    "RandomCrop": lambda s: lambda image: image.crop((s // 9, s // 7, s // 9 + 3 * s // 4, s // 7 + 3 * s // 4)),
    "RandomResizedCrop": lambda s: lambda image: image.resize((s, s), LINEAR, (s / 9, s / 7, 0.8 * s, 0.9 * s)),
    "Resize": lambda s: lambda image: image.resize((3 * s // 4, 3 * s // 4), LINEAR),
    "SmallestMaxSize": lambda s: lambda image: image.resize((3 * s // 4, 3 * s // 4), LINEAR),
    "LongestMaxSize": lambda s: lambda image: image.resize((3 * s // 4, 3 * s // 4), LINEAR),
    "RandomScale": lambda s: lambda image: image.resize((9 * s // 10, 9 * s // 10), LINEAR),
    "Letterbox": lambda s: lambda image: ImageOps.pad(image, (3 * s // 4, 3 * s // 4), LINEAR),
    "Pad": lambda s: lambda image: ImageOps.expand(image, 4),
    "PadIfNeeded": lambda s: lambda image: ImageOps.expand(image, s // 2),
    "Brightness": lambda s: lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "Contrast": lambda s: lambda image: ImageEnhance.Contrast(image).enhance(1.2),
    "Saturation": lambda s: lambda image: ImageEnhance.Color(image).enhance(1.2),
    "Gamma": lambda s: lambda image: image.point(GAMMA * 3),
    "ToneCurve": lambda s: lambda image: image.point(GAMMA * 3),
    "RGBShift": lambda s: lambda image: image.point(GAMMA * 3),
    "Hue": lambda s: _hue,
    "Invert": lambda s: ImageOps.invert,
    "Solarize": lambda s: lambda image: ImageOps.solarize(image, 153),
    "Posterize": lambda s: lambda image: ImageOps.posterize(image, 4),
    "Equalize": lambda s: ImageOps.equalize,
    "AutoContrast": lambda s: ImageOps.autocontrast,
    "Grayscale": lambda s: lambda image: image.convert("L").convert("RGB"),
    "Sepia": lambda s: lambda image: image.convert("RGB", tuple(np.c_[SEPIA, np.zeros(3)].ravel())),
    "ChannelShuffle": lambda s: lambda image: Image.merge("RGB", image.split()[::-1]),
    "GaussianBlur": lambda s: lambda image: image.filter(ImageFilter.GaussianBlur(1)),
    "BoxBlur": lambda s: lambda image: image.filter(ImageFilter.BoxBlur(2)),
    "MedianBlur": lambda s: lambda image: image.filter(ImageFilter.MedianFilter(5)),
    "MotionBlur": lambda s: lambda image: image.filter(ImageFilter.Kernel((5, 5), [int(i % 6 == 0) for i in range(25)])),
    "GlassBlur": lambda s: lambda image: image.effect_spread(2),
    "Sharpen": lambda s: lambda image: ImageEnhance.Sharpness(image).enhance(2),
    "UnsharpMask": lambda s: lambda image: image.filter(ImageFilter.UnsharpMask(1, 100, 0)),
    "Emboss": lambda s: lambda image: Image.blend(image, image.filter(ImageFilter.EMBOSS), 0.5),
    "CoarseDropout": lambda s: lambda image: _blanked(image, *((at, at, at + s // 7, at + s // 7) for at in range(0, s, s // 5))),
    "Cutout": lambda s: lambda image: _blanked(image, (s // 4, s // 4, 3 * s // 4, 3 * s // 4)),
    "Erase": lambda s: lambda image: _blanked(image, (s // 4, s // 4, 2 * s // 3, 2 * s // 3)),
    "JpegCompression": lambda s: _recoded("JPEG"),
    "WebPCompression": lambda s: _recoded("WEBP"),
    "Downscale": lambda s: lambda image: _shrunk(image, s // 2),
    "TextOverlay": lambda s: lambda image: _drawn(image, lambda draw: draw.text((s // 8, s // 8), "Vicinal8", 255, font_size=0.14 * s)),
    "ShapeOverlay": lambda s: lambda image: _drawn(
        image, lambda draw: [draw.ellipse((at, at, at + s // 4, at + s // 4), 255) for at in (s // 4, s // 2)]
    ),
}  # fmt: skip


def _warped(*matrix: float) -> Make:
    of = np.array(matrix).reshape(-1, 3)
    warp = cv2.warpPerspective if len(of) == 3 else cv2.warpAffine
    return lambda s: lambda image: warp(image, of, (image.shape[1], image.shape[0]))


def _resized(share: float, interpolation: int = cv2.INTER_AREA) -> Make:
    return lambda s: lambda image: cv2.resize(image, (int(share * s), int(share * s)), interpolation=interpolation)


def _filtered(kernel: NDArray) -> Make:
    return lambda s: lambda image: cv2.filter2D(image, -1, kernel)


def _coded(suffix: str, flag: int) -> Make:
    return lambda s: lambda image: cv2.imdecode(cv2.imencode(suffix, image, [flag, 60])[1], cv2.IMREAD_COLOR)


def _in_hsv(image: NDArray) -> NDArray:
    made = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    return cv2.cvtColor(cv2.add(made, (10, 0, 0, 0)), cv2.COLOR_HSV2RGB)


def _in_lab(image: NDArray) -> NDArray:
    lightness, a, b = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2LAB))
    made = cv2.createCLAHE(2.5, (8, 8)).apply(lightness)
    return cv2.cvtColor(cv2.merge((made, a, b)), cv2.COLOR_LAB2RGB)


def _elastic(image: NDArray) -> NDArray:
    height, width = image.shape[:2]
    moves = np.empty((height, width, 2), np.float32)
    cv2.randu(moves, -1, 1)
    moves = cv2.GaussianBlur(moves, (0, 0), 8) * np.float32(90)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return cv2.remap(image, x + moves[..., 0], y + moves[..., 1], cv2.INTER_LINEAR)


def _noised(draw: Callable[[NDArray, Any, Any], Any], low: float, high: float) -> Make:
    def add(image: NDArray) -> NDArray:
        noise = np.empty(image.shape, np.int16)
        draw(noise, (low,) * 3, (high,) * 3)
        return cv2.add(image, noise, dtype=cv2.CV_8U)

    return lambda s: add


def _peppered(image: NDArray) -> NDArray:
    noise, made = np.empty(image.shape[:2], np.uint8), image.copy()
    cv2.randu(noise, 0, 256)
    made[noise < 6] = 0
    made[noise > 249] = 255
    return made


def _filled(s: int) -> Callable[[NDArray], NDArray]:
    def fill(image: NDArray) -> NDArray:
        made = image.copy()
        made[s // 4 : 3 * s // 4, s // 4 : 3 * s // 4] = 0
        return made

    return fill


def _written(s: int) -> Callable[[NDArray], NDArray]:
    """Eight letters, smoothed, a seventh of the canvas high; OpenCV names the size of its letters by a share of about 30 pixels."""
    place, size = (s // 8, s // 2), 0.14 * s / 30
    return lambda image: cv2.putText(image.copy(), "Vicinal8", place, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 1, cv2.LINE_AA)


def _circled(s: int) -> Callable[[NDArray], NDArray]:
    """Two shapes, smoothed, a quarter of the canvas wide."""

    def draw(image: NDArray) -> NDArray:
        made = image.copy()
        for place in (s // 3, 2 * s // 3):
            cv2.circle(made, (place, place), s // 8, (255, 255, 255), -1, cv2.LINE_AA)
        return made

    return draw


TABLE = np.array(GAMMA, np.uint8)
LOOKED_UP: Make = lambda s: lambda image: cv2.LUT(image, TABLE)  # noqa: E731
MEAN_OF_5, DISC = np.eye(5, dtype=np.float32) / 5, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)) / np.float32(17)
SHARPER, RELIEF = np.array([[-1, -1, -1], [-1, 21, -1], [-1, -1, -1]]) / 13, np.array([[-1, -1, 0], [-1, 1, 1], [0, 1, 1]], float)

OPENCV: Mapping[str, Make] = {
    "HorizontalFlip": lambda s: lambda image: cv2.flip(image, 1),
    "VerticalFlip": lambda s: lambda image: cv2.flip(image, 0),
    "Transpose": lambda s: cv2.transpose,
    "RandomRotate90": lambda s: lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE),
    "D4": lambda s: lambda image: cv2.flip(cv2.transpose(image), 1),
    "Rotate": _warped(0.98, 0.17, 1, -0.17, 0.98, 1),
    "Translate": _warped(1, 0, 1.3, 0, 1, -1.7),
    "Scale": _warped(1.1, 0, -1, 0, 1.1, -1),
    "Shear": _warped(1, 0.1, -1, 0, 1, 0),
    "Affine": _warped(1.05, 0.1, 1, -0.1, 1.05, 1),
    "Perspective": _warped(0.95, 0.05, 1, 0.02, 0.95, 1, 0.0002, 0.0001, 1),
    "ElasticTransform": lambda s: _elastic,
    "CenterCrop": lambda s: lambda image: image[s // 8 : s // 8 + 3 * s // 4, s // 8 : s // 8 + 3 * s // 4].copy(),
    "CornerCrop": lambda s: lambda image: image[: 3 * s // 4, : 3 * s // 4].copy(),
    "RandomCrop": lambda s: lambda image: image[s // 7 : s // 7 + 3 * s // 4, s // 9 : s // 9 + 3 * s // 4].copy(),
    "RandomResizedCrop": lambda s: lambda image: cv2.resize(image[s // 7 : s, s // 9 : s], (s, s)),
    "Resize": _resized(0.75),
    "SmallestMaxSize": _resized(0.75),
    "LongestMaxSize": _resized(0.75),
    "Letterbox": _resized(0.75),
    "RandomScale": _resized(0.9),
    "Pad": lambda s: lambda image: cv2.copyMakeBorder(image, 4, 4, 4, 4, cv2.BORDER_CONSTANT),
    "PadIfNeeded": lambda s: lambda image: cv2.copyMakeBorder(image, s // 2, s // 2, s // 2, s // 2, cv2.BORDER_CONSTANT),
    "Brightness": LOOKED_UP, "Contrast": LOOKED_UP, "Gamma": LOOKED_UP, "Solarize": LOOKED_UP, "Posterize": LOOKED_UP,
    "ToneCurve": LOOKED_UP, "RGBShift": LOOKED_UP,
    "Invert": lambda s: cv2.bitwise_not,
    "Hue": lambda s: _in_hsv, "HueSaturationValue": lambda s: _in_hsv,
    "Grayscale": lambda s: lambda image: cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "Sepia": lambda s: lambda image: cv2.transform(image, SEPIA),
    "Saturation": lambda s: lambda image: cv2.transform(image, 1.2 * np.eye(3) - 0.2 / 3),
    "PlanckianJitter": lambda s: lambda image: cv2.transform(image, np.diag((1.1, 1.0, 0.9))),
    "ChannelShuffle": lambda s: lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
    "Equalize": lambda s: lambda image: cv2.merge([cv2.equalizeHist(channel) for channel in cv2.split(image)]),
    "CLAHE": lambda s: _in_lab,
    "Normalize": lambda s: lambda image: cv2.subtract(image, (127.5,) * 4, dtype=cv2.CV_32F) * np.float32(4 / 255),
    "ToTensor": lambda s: lambda image: cv2.dnn.blobFromImage(image, 1 / 255),
    "GaussianBlur": lambda s: lambda image: cv2.GaussianBlur(image, (0, 0), 1),
    "BoxBlur": lambda s: lambda image: cv2.blur(image, (5, 5)),
    "MedianBlur": lambda s: lambda image: cv2.medianBlur(image, 5),
    "MotionBlur": _filtered(MEAN_OF_5), "Defocus": _filtered(DISC), "Sharpen": _filtered(SHARPER), "Emboss": _filtered(RELIEF),
    "UnsharpMask": lambda s: lambda image: cv2.addWeighted(image, 2, cv2.GaussianBlur(image, (0, 0), 1), -1, 0),
    "GaussianNoise": _noised(cv2.randn, 0, 13),
    "UniformNoise": _noised(cv2.randu, -25, 25),
    "SaltAndPepper": lambda s: _peppered,
    "Cutout": _filled,
    "Erase": _filled,
    "JpegCompression": _coded(".jpg", cv2.IMWRITE_JPEG_QUALITY),
    "WebPCompression": _coded(".webp", cv2.IMWRITE_WEBP_QUALITY),
    "Downscale": lambda s: lambda image: cv2.resize(_resized(0.5)(s)(image), (s, s)),
    "TextOverlay": _written,
    "ShapeOverlay": _circled,
}  # fmt: skip
