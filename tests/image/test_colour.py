"""Pointwise work against its formula in float64 with one rounding; range and dtype."""

from __future__ import annotations

import numpy as np
import pytest

import vicinal as v

EIGHT = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
SIXTEEN = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
FLOAT = np.linspace(0, 1, 1000, dtype=np.float32).reshape(25, 40, 1)
RANGE = {"uint8": 255, "uint16": 65535, "float32": 1}
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
FORMULAS = [
    ("Brightness(by=0.2)", lambda x: x + 0.2),
    ("Brightness(by=-0.37)", lambda x: x - 0.37),
    ("Contrast(gain=1.7)", lambda x: (x - 0.5) * 1.7 + 0.5),
    ("Contrast(gain=0.4, pivot=0.2)", lambda x: (x - 0.2) * 0.4 + 0.2),
    ("Gamma(exponent=2)", lambda x: x**2),
    ("Gamma(exponent=0.45)", lambda x: x**0.45),
    ("Invert()", lambda x: 1 - x),
    ("Brightness(by=0.3) | Gamma(exponent=1.8) | Contrast(gain=2)", lambda x: (np.minimum(x + 0.3, 1) ** 1.8 - 0.5) * 2 + 0.5),
]


@BACKENDS
@pytest.mark.parametrize("image", [EIGHT, SIXTEEN, FLOAT], ids=["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("text", "formula"), FORMULAS)
def test_a_chain_is_its_formula_clipped_and_rounded_once(text, formula, image, backend):
    scale = RANGE[str(image.dtype)]
    expected = np.clip(formula(image / scale), 0, 1) * scale
    got = v.parse(text)(image, seed=0, backend=backend)
    rounding = 1e-6 if image.dtype.kind == "f" else 0.5 + (1e-9 if image.dtype == np.uint8 or backend == "reference" else 0.03)
    assert np.abs(got - expected).max() <= rounding


@BACKENDS
@pytest.mark.parametrize("neighbour", [1.0, 0.5])
def test_an_exponent_of_1_changes_no_bit(neighbour, backend):
    images = np.random.default_rng(0).random((4, 500, 500, 1), np.float32)  # pow(x, 1) is not x once in 20,000
    policy = v.Gamma(exponent={"choice": [1.0, neighbour]})
    out = policy(image=images, seed=1, backend=backend)
    untouched = out.plan.params["Gamma"]["exponent"] == 1
    assert np.array_equal(out["image"][untouched], images[untouched])
    assert untouched.any()


@BACKENDS
def test_normalize_and_totensor_are_their_formula(backend):
    image = np.random.default_rng(0).integers(0, 256, (5, 9, 7, 3), np.uint8)
    mean, std = (0.1, 0.4, 0.7), (0.2, 0.5, 1.5)
    expected = ((image / 255 - mean) / std).transpose(0, 3, 1, 2)
    got = v.Compose([v.Normalize(mean=mean, std=std), v.ToTensor()])(image, seed=0, backend=backend)
    assert (got.dtype, got.shape) == (np.float32, (5, 3, 9, 7))
    assert got == pytest.approx(expected, abs=1e-5)
    assert got.flags.c_contiguous
    assert v.ToTensor()(image, seed=0, backend=backend) == pytest.approx(image.transpose(0, 3, 1, 2) / 255, abs=1e-7)


@BACKENDS
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_one_mean_serves_any_number_of_channels(channels, backend):
    image = np.random.default_rng(0).integers(0, 65536, (9, 7, channels), np.uint16)
    got = v.Normalize(mean=0.5, std=0.25)(image, seed=0, backend=backend)
    assert got == pytest.approx((image / 65535 - 0.5) / 0.25, abs=1e-5)


@pytest.mark.parametrize("text", [text for text, _ in FORMULAS] + ["Grayscale(amount=0.7)", "Normalize()"])
def test_the_dtypes_agree_within_rounding(text):
    colours = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    policy = v.parse(text)
    low, wide, exact = (policy(given, seed=0) for given in (colours, colours.astype(np.uint16) * 257, (colours / 255).astype(np.float32)))
    steps = [1 if text == "Normalize()" else RANGE[dtype] for dtype in ("uint8", "uint16")]
    assert low / steps[0] == pytest.approx(exact.astype(float), abs=0.51 / 255 + 1e-6)
    assert wide / steps[1] == pytest.approx(exact.astype(float), abs=0.51 / 65535 + 1e-5)


def test_parameters_are_drawn_for_every_sample():
    images = np.full((2000, 1, 1, 1), 0.5, np.float32)
    values = v.Brightness(by=(-0.2, 0.3))(images, seed=0).ravel()
    assert (values.min(), values.max()) == (pytest.approx(0.3, abs=1e-3), pytest.approx(0.8, abs=1e-3))
    assert values.mean() == pytest.approx(0.55, abs=0.01)


COLOUR = [
    *("Brightness(by=0.2)", "Contrast(gain=1.5)", "Gamma(exponent=0.7)", "Invert()", "Grayscale()", "Sepia()", "ChannelShuffle()"),
    *(
        "RGBShift(red=0.2, blue=-0.1)",
        "ChannelDropout(fill=0.3)",
        "ToneCurve(low=0.1, high=0.8)",
        "Solarize(threshold=0.4)",
        "Posterize(bits=3)",
    ),
    *(
        "Saturation(gain=1.6)",
        "Hue(shift=40)",
        "HueSaturationValue(hue_shift=20, saturation_shift=0.2, value_shift=-0.1)",
        "FancyPCA(std=0.5)",
    ),
    *("ColorJitter(brightness=(0.6, 1.4), contrast=(0.6, 1.4), saturation=(0.6, 1.4), hue=(-40, 40))", "PlanckianJitter(temperature=4000)"),
]


@BACKENDS
@pytest.mark.parametrize("text", COLOUR)
def test_every_dtype_keeps_its_dtype_and_its_range(text, backend):
    """Others turn uint16 into float64 up to 572251, or squash it to 8 bits (anchors, items 23 and 24)."""
    eight = np.random.default_rng(1).integers(0, 256, (4, 9, 8, 3), np.uint8)
    policy, found = v.parse(text), {}
    for dtype, scale in RANGE.items():
        data = (eight / 255).astype(dtype) if scale == 1 else eight.astype(dtype) * (scale // 255)
        out = policy(data, seed=3, backend=backend)
        assert out.dtype == dtype
        assert out.min() >= 0
        assert out.max() <= scale
        found[dtype] = out / scale
    assert found["uint16"] == pytest.approx(found["float32"].astype(float), abs=2e-5)
    assert found["uint8"] == pytest.approx(found["float32"].astype(float), abs=0.51 / 255)


@pytest.mark.parametrize("text", COLOUR)
@pytest.mark.parametrize(("value", "dtype", "words"), [(200, "float32", "0, 1"), (-0.5, "float32", "0, 1"), (np.nan, "float32", "nan"),
                                                      (0, "float16", "float16"), (0, "int32", "int32")])  # fmt: skip
def test_a_range_is_declared_never_guessed(text, value, dtype, words):
    with pytest.raises(v.VicinalError, match=words):
        v.parse(text)(np.full((4, 4, 3), value, dtype), seed=0)


@pytest.mark.parametrize("text", COLOUR)
def test_colour_does_not_follow_normalisation(text):
    with pytest.raises(v.VicinalError, match=text.split("(")[0]):
        v.parse(f"Normalize() | {text}")


STRENGTHS = [
    *(
        "Brightness(by=0.5)",
        "Contrast(gain=3)",
        "Gamma(exponent=4)",
        "Grayscale()",
        "Sepia()",
        "RGBShift(red=0.3, blue=-0.4)",
        "Posterize(bits=1)",
    ),
    *(
        "ToneCurve(low=0, high=1)",
        "Solarize(threshold=0.2)",
        "Saturation(gain=0)",
        "Hue(shift=60)",
        "FancyPCA(std=2)",
        "PlanckianJitter(temperature=2000)",
    ),
    *("ColorJitter(brightness=0.5, contrast=0.5, saturation=0.2, hue=40)", "HueSaturationValue(hue_shift=40, saturation_shift=-0.4)"),
]


@pytest.mark.parametrize("text", STRENGTHS)
def test_distortion_grows_with_strength(text):
    ramp = np.linspace(40, 215, 64).astype(np.uint8)
    image = np.stack([ramp[:, None] + 0 * ramp, 0 * ramp[:, None] + ramp, ramp[::-1, None] // 2 + ramp // 2], 2)
    policy = v.parse(text)
    away = [np.abs(policy.stronger(s)(image, seed=2).astype(int) - image).mean() for s in (0, 0.25, 0.5, 0.75, 1)]
    assert away[0] == 0
    assert np.all(np.diff(away) > 0)
