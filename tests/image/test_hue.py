"""Colour against colorsys, scikit-image, Pillow, torchvision, the law of black bodies, and counts."""

from __future__ import annotations

import colorsys
from itertools import permutations, product

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy import stats
from skimage.color import hsv2rgb, rgb2hsv

import vicinal as v
from foreign import torchvision
from vicinal.image.hue import ROW, black_body, places

BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
DTYPES = pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
SCALE = {"uint8": 255, "uint16": 65535, "float32": 1}
ROUNDING = {"uint8": 0.51 / 255, "uint16": 2e-5, "float32": 1e-5}


def colours(dtype="uint8"):
    """Corners of the cube, greys, colours nearly grey or black, and any others; (40, 25, 3)."""
    rng = np.random.default_rng(0)
    corners = np.array([*product([0, 255], repeat=3)])
    dark, pale = rng.integers(0, 3, (92, 3)), rng.integers(100, 103, (100, 3))
    eight = np.concatenate([corners, np.repeat(rng.integers(0, 256, (100, 1)), 3, 1), dark, pale, rng.integers(0, 256, (700, 3))])
    return (eight / 255 if dtype == "float32" else eight * (SCALE[dtype] // 255)).astype(dtype).reshape(40, 25, 3)


def by_colorsys(image, change):
    """Every pixel through colorsys: (h, s, v) to (h, s, v)."""
    made = [colorsys.hsv_to_rgb(*change(*colorsys.rgb_to_hsv(*pixel))) for pixel in image.reshape(-1, 3).tolist()]
    return np.array(made).reshape(image.shape)


@BACKENDS
@DTYPES
@pytest.mark.parametrize("shift", [-180, -60, -17.3, 1, 45, 120, 179])
def test_hue_is_that_of_colorsys(shift, dtype, backend):
    image = colours(dtype)
    expected = by_colorsys(image / SCALE[dtype], lambda h, s, v: ((h + shift / 360) % 1, s, v))
    got = v.Hue(shift=shift)(image, seed=0, backend=backend) / SCALE[dtype]
    assert np.abs(got - expected).max() <= ROUNDING[dtype]


@BACKENDS
@DTYPES
@pytest.mark.parametrize(("hue", "saturation", "value"), [(30, 0.2, 0.1), (-100, -0.5, -0.3), (0, 1, 0), (0, 0, -1), (10, 0, 0.4)])
def test_shifts_are_those_of_colorsys(hue, saturation, value, dtype, backend):
    def change(h, s, v):
        moved = min(max(s + saturation, 0), 1) if s > 0 else 0  # grey has no hue to saturate
        return (h + hue / 360) % 1, moved, min(max(v + value, 0), 1)

    image = colours(dtype)
    policy = v.HueSaturationValue(hue_shift=hue, saturation_shift=saturation, value_shift=value)
    got = policy(image, seed=0, backend=backend) / SCALE[dtype]
    assert np.abs(got - by_colorsys(image / SCALE[dtype], change)).max() <= ROUNDING[dtype]


def test_photographs_turn_as_in_scikit_image(shared_data):
    for path in sorted(shared_data("photos").glob("*.png"))[:3]:
        photo = np.asarray(Image.open(path).convert("RGB").resize((150, 100)))
        hsv = rgb2hsv(photo)
        hsv[..., 0] = (hsv[..., 0] + 25 / 360) % 1
        assert np.abs(v.Hue(shift=25)(photo, seed=0) - 255 * hsv2rgb(hsv)).max() <= 0.51


@BACKENDS
@pytest.mark.parametrize("gain", [0, 0.3, 1, 1.7, 4])
def test_saturation_is_pillows(gain, backend):
    image = colours()
    expected = np.asarray(ImageEnhance.Color(Image.fromarray(image)).enhance(gain)).astype(int)
    got = v.Saturation(gain=gain)(image, seed=0, backend=backend)
    # Pillow rounds the grey, and cuts the result off.
    assert np.abs(got - expected).max() <= 1 + 0.5 * abs(1 - gain)


@pytest.fixture(scope="module")
def functional():
    """torchvision's functions, where it can be loaded."""
    return torchvision()[1].functional


def test_factors_mean_what_they_mean_in_torchvision(functional):
    import torch

    image = colours("float32")
    tensor = torch.from_numpy(image.transpose(2, 0, 1).copy())
    pairs = [
        (v.ColorJitter(brightness=1.4), functional.adjust_brightness(tensor, 1.4)),
        (v.ColorJitter(saturation=0.3), functional.adjust_saturation(tensor, 0.3)),
        (v.ColorJitter(hue=36), functional.adjust_hue(tensor, 0.1)),
    ]
    for policy, expected in pairs:
        assert policy(image, seed=0) == pytest.approx(expected.numpy().transpose(1, 2, 0), abs=2e-3)


def by_hand(image, drawn, row):
    """One sample of ColorJitter in float64, one operation after the other in the drawn order."""
    gains = {name: values[row] for name, values in drawn.items()}
    operations = [
        lambda x: x * gains["brightness"],
        lambda x: (x - gains["pivot"]) * gains["contrast"] + gains["pivot"],
        lambda x: x * gains["saturation"] + (1 - gains["saturation"]) * (x @ [0.299, 0.587, 0.114])[..., None],
        lambda x: by_colorsys(x, lambda h, s, v: ((h + gains["hue"] / 360) % 1, s, v)),
    ]
    for number in [*permutations(range(4))][int(gains.get("order", 0))]:
        image = np.clip(operations[number](image), 0, 1)
    return image


@BACKENDS
@DTYPES
@pytest.mark.parametrize("shuffle", [True, False])
def test_jitter_is_its_operations_in_the_drawn_order(shuffle, dtype, backend):
    images = np.repeat(colours(dtype)[None, :10], 40, 0)
    policy = v.ColorJitter(
        brightness=(0.5, 1.5), contrast=(0.5, 1.5), saturation=(0.2, 2), hue=(-90, 90), pivot=(0.3, 0.6), shuffle=shuffle
    )
    out = policy(image=images, seed=5, backend=backend)
    drawn = out.plan.params["ColorJitter"]
    assert ("order" in drawn) == shuffle
    assert len(out.plan.slots) == 1
    for row in range(len(images)):
        expected = by_hand(images[row] / SCALE[dtype], drawn, row)
        # Where a product of near greys is turned, the error of float32 is that of the quotient.
        assert np.abs(out["image"][row] / SCALE[dtype] - expected).max() <= ROUNDING[dtype] * 1.5


def test_all_orders_are_equally_likely_and_stand_in_one_row():
    orders = v.ColorJitter(hue=10)(image=np.zeros((12000, 1, 1, 3), np.uint8), seed=0).plan.params["ColorJitter"]["order"]
    counts = np.bincount(orders, minlength=24)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 1e-3
    for order, at in zip(permutations(range(4)), places(), strict=True):
        assert np.array_equal(np.argsort(at), order)
        assert "".join(ROW[place] for place in at) == "LLSH"
        assert len(set(at)) == 4


def test_no_shorter_row_holds_all_orders():
    words = {"".join("LLSH"[operation] for operation in order) for order in permutations(range(4))}

    def holds(row, word):
        rest = iter(row)
        return all(letter in rest for letter in word)

    assert all(holds(ROW, word) for word in words)
    assert not any(all(holds(row, word) for word in words) for row in product("LSH", repeat=len(ROW) - 1))


def test_a_jitter_without_colour_needs_no_channel_of_its_own():
    steps = v.ColorJitter(brightness=(0.5, 1.5), contrast=(0.5, 1.5))(image=colours()[None], seed=0).plan.primitives[0]
    assert not steps.mixes


def test_fancy_pca_adds_colours_along_the_published_axes():
    images = np.full((20000, 1, 1, 3), 0.5, np.float32)
    out = v.FancyPCA(std=0.1)(image=images, seed=0)
    added = out["image"].reshape(-1, 3).astype(float) - 0.5
    vectors = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
    for axis, value in zip(vectors.T, [0.2175, 0.0188, 0.0045], strict=True):
        assert stats.kstest(added @ axis / (0.1 * value), "norm").pvalue > 1e-3
    assert (added == added[0]).all(1).sum() == 1


def planck(kelvin):
    """(3,) XYZ of a black body: Planck's law through the matching functions of Wyman, Sloan and Shirley (JCGT, 2013)."""
    nm = np.arange(380.0, 781.0)

    def lobe(height, centre, left, right):
        return height * np.exp(-0.5 * ((nm - centre) / np.where(nm < centre, left, right)) ** 2)

    x = lobe(1.056, 599.8, 37.9, 31.0) + lobe(0.362, 442.0, 16.0, 26.7) + lobe(-0.065, 501.1, 20.4, 26.2)
    y = lobe(0.821, 568.8, 46.9, 40.5) + lobe(0.286, 530.9, 16.3, 31.1)
    z = lobe(1.217, 437.0, 11.8, 36.0) + lobe(0.681, 459.0, 26.0, 13.8)
    light = nm**-5 / np.expm1(1.438776877e7 / (nm * kelvin))
    return np.array([(light * part).sum() for part in (x, y, z)])


@pytest.mark.parametrize("kelvin", [2500, 3500, 4500, 6500, 9000, 15000, 24000])
def test_black_bodies_are_those_of_plancks_law(kelvin):
    linear = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]) @ planck(kelvin)
    assert black_body(np.array([float(kelvin)]))[0] == pytest.approx(linear[[0, 2]] / linear[1], rel=0.03, abs=0.01)


@BACKENDS
def test_light_multiplies_red_and_blue_by_its_gains(backend):
    image = colours()
    made = v.PlanckianJitter(temperature=3200)(image, seed=0, backend=backend)
    gains = (black_body(np.array([3200.0])) / black_body(np.array([6500.0])))[0] ** (1 / 2.2)
    expected = np.clip(image * np.array([gains[0], 1, gains[1]]), 0, 255)
    assert np.abs(made - expected).max() <= 0.501
    assert gains[0] > 1 > gains[1]
    assert np.array_equal(v.PlanckianJitter(temperature=6500)(image, seed=0, backend=backend), image)


def test_colder_light_is_bluer_all_the_way():
    red, blue = black_body(np.linspace(1700, 25000, 500)).T
    assert (np.diff(red) < 0).all()
    assert (np.diff(blue) >= 0).all()
