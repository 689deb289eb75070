"""Grids: exact counts of pixels, the paper's share of what is kept, and angles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

import vicinal as v

WHITE = np.full((40, 60, 90, 1), 255, np.uint8)


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
def test_a_whole_number_of_units_loses_its_exact_share(ratio):
    out = v.GridDropout(size=12, unit="pixel", ratio=ratio)(np.full((40, 60, 96, 1), 255, np.uint8), seed=0)
    assert ((out == 0).sum((1, 2, 3)) == 60 * 96 * ratio**2).all()


def test_holes_are_squares_at_equal_distances():
    out = v.GridDropout(size=10, unit="pixel", ratio=0.4, x=0.3, y=0.7)(WHITE[0], seed=0)[..., 0] == 0
    y, x = np.mgrid[0:60, 0:90]
    assert np.array_equal(out, ((x - 3) % 10 < 4) & ((y - 7) % 10 < 4))
    count = ndimage.label(out)[1]
    assert count == 9 * 7


def test_every_offset_is_equally_likely():
    out = v.GridDropout(size=6, unit="pixel", ratio=0.2)(np.full((3600, 6, 6, 1), 255, np.uint8), seed=0)[..., 0] == 0
    assert (out.sum((1, 2)) == 1).all()
    assert stats.chisquare(out.sum(0).ravel()).pvalue > 1e-3


def test_grid_mask_keeps_the_share_of_the_paper():
    for kept in (0.4, 0.6, 0.8):
        out = v.GridMask(size=30, unit="pixel", ratio=kept)(WHITE, seed=0) > 0
        assert np.allclose(out.mean((1, 2, 3)), 1 - (1 - kept) ** 2, atol=1e-9)


def test_grid_mask_keeps_bars_in_both_directions():
    """Of d pixels round(d r) are kept along each axis; a pixel goes where both axes say so, as in the authors' mode 1."""
    out = v.GridMask(size=20, unit="pixel", ratio=0.6, x=0.0, y=0.0)(WHITE[0], seed=0)[..., 0] > 0
    rows, columns = (np.arange(side) % 20 >= 8 for side in (60, 90))
    assert np.array_equal(out, rows[:, None] | columns[None])


@pytest.mark.parametrize("angle", [30, -45, 77])
def test_a_turned_grid_is_the_grid_turned(angle):
    image = np.full((201, 201), 255, np.uint8)
    straight, turned = (v.GridMask(size=40, unit="pixel", angle=a, x=0.1, y=0.4)(image, seed=0) for a in (0, angle))
    expected = ndimage.rotate(straight.astype(float), angle, reshape=False, order=1)
    y, x = np.mgrid[-100:101, -100:101]
    inside = x**2 + y**2 < 90**2
    assert ((turned > 127) != (expected > 127))[inside].mean() < 0.05


def test_a_quarter_turn_keeps_the_counts():
    image = np.full((80, 80), 255, np.uint8)
    counts = [(v.GridMask(size=20, unit="pixel", angle=a)(image, seed=0) == 0).sum() for a in (0, 90)]
    assert counts == [16 * 8 * 8, 16 * 8 * 8]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("angle", [0, 20])
def test_any_fill(dtype, angle):
    images = np.zeros((3, 40, 40, 3), dtype)
    colour = v.GridMask(fill=(1.0, 0.5, 0.0), angle=angle)(images, seed=0)
    noise = v.GridMask(fill="noise", angle=angle)(images, seed=0)
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    held = colour[..., 0] > 0
    assert set(np.unique(colour[..., 0]).tolist()) == {0, top}
    assert np.array_equal(held, colour[..., 1] > 0)
    assert not colour[..., 2].any()
    assert len(np.unique(noise[held])) > 100
    assert not noise[~held].any()


def test_a_share_counts_in_the_shorter_side():
    share, pixel = (v.GridDropout(size=size, unit=unit)(WHITE, seed=0) for size, unit in ((0.2, "share"), (12, "pixel")))
    assert np.array_equal(share, pixel)


def test_distortion_grows_with_strength():
    policy = v.GridDropout(ratio=0.8)
    lost = [(policy.stronger(strength)(WHITE, seed=0) == 0).mean() for strength in (0, 0.25, 0.5, 0.75, 1)]
    assert lost[0] == 0
    assert (np.diff(lost) > 0).all()
