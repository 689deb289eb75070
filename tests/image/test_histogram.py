"""Histogram operations against Pillow, scikit-image, OpenCV and a Fourier transform in float64."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage import color, exposure

import vicinal as v
from vicinal.backend.effects.cielab import backward, forward, to_lab, to_rgb
from vicinal.backend.effects.clahe import clahe

RANGE = {"uint8": 255, "uint16": 65535, "float32": 1}
DTYPES = pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
ALL = ["Equalize()", "Equalize(by='luma')", "AutoContrast(cutoff=2)", "AutoContrast(by='luma')", "CLAHE(clip=2)", "HistogramMatching()",
       "HistogramMatching(reference='uniform')", "FourierDomainAdaptation(beta=0.1)"]  # fmt: skip


def arrays():
    """Noise, few values, a ramp with gaps, tiny and constant images: where rounding rules differ, they differ here."""
    rng = np.random.default_rng(0)
    yield rng.integers(0, 256, (64, 48, 3), np.uint8)
    yield rng.choice(np.uint8([3, 4, 200]), (40, 40, 3))
    yield np.clip(rng.normal(90, 20, (37, 53, 3)), 0, 255).astype(np.uint8)
    yield rng.integers(0, 256, (9, 19, 3), np.uint8)
    yield rng.integers(40, 60, (5, 7, 3), np.uint8)
    yield np.full((16, 16, 3), 77, np.uint8)
    yield np.stack([np.arange(1024).reshape(32, 32) // 5] * 3, 2).astype(np.uint8)


@pytest.fixture(scope="module")
def photos(shared_data):
    files = sorted(path for path in shared_data("photos").iterdir() if path.suffix in (".jpg", ".png"))[:4]
    return [np.array(Image.open(path).convert("RGB")) for path in files]


def as_dtype(image, dtype):
    return (image / 255 * RANGE[dtype]).round().astype(dtype) if dtype != "float32" else (image / 255).astype(np.float32)


def assert_equals(text, image, pillow):
    assert np.array_equal(v.parse(text)(image, seed=0), np.asarray(pillow(Image.fromarray(image))))
    grey = np.ascontiguousarray(image[..., 1])
    assert np.array_equal(v.parse(text)(grey, seed=0), np.asarray(pillow(Image.fromarray(grey))))


@pytest.mark.parametrize("image", list(arrays()))
def test_equalize_is_pillows(image):
    assert_equals("Equalize()", image, ImageOps.equalize)


@pytest.mark.parametrize("image", list(arrays()))
@pytest.mark.parametrize("cutoff", [0, 1, 2.5, 10, 33.3, 49])
def test_autocontrast_is_pillows(image, cutoff):
    assert_equals(f"AutoContrast(cutoff={cutoff})", image, lambda one: ImageOps.autocontrast(one, cutoff))
    toned = ImageOps.autocontrast(Image.fromarray(image), cutoff, preserve_tone=True)
    assert np.array_equal(v.AutoContrast(cutoff=cutoff, by="luma")(image, seed=0), np.asarray(toned))


def test_photographs_are_pillows_too(photos):
    for image in photos:
        assert_equals("Equalize()", image, ImageOps.equalize)
        assert_equals("AutoContrast(cutoff=1)", image, lambda one: ImageOps.autocontrast(one, 1))


def test_a_batch_of_photographs_is_each_alone(photos):
    same = [image for image in photos if image.shape == photos[-1].shape]
    for text in ALL:
        made = v.parse(text)(np.stack(same), seed=0)
        for row, image in enumerate(same):
            assert np.array_equal(made[row], v.parse(text)(image, seed=0, index=row))


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_wide_equalisation_is_the_cumulative_share(dtype, photos):
    """scikit-image counts a bin's own values in, we count what lies below: within a bin of each other, hence the tolerance."""
    image = np.ascontiguousarray(as_dtype(photos[0][..., :1], dtype))
    image = cv2.GaussianBlur(image, (0, 0), 3)[..., None]
    got = v.Equalize()(image, seed=0) / RANGE[dtype]
    shares = np.histogram(image, 256)[0].max() / image.size
    expected = exposure.equalize_hist(image.astype(np.float64)[..., 0], nbins=256)
    assert np.abs(got[..., 0] - expected).max() <= shares + 2 / 255
    assert (got.min(), got.max()) == (0, 1)


def test_values_of_twelve_bits_fill_sixteen():
    """256 bins over the whole of 16 bits would leave 16 of them for a 12-bit camera."""
    image = np.random.default_rng(0).integers(0, 4096, (64, 64, 1)).astype(np.uint16)
    for text in ("Equalize()", "AutoContrast()"):
        made = v.parse(text)(image, seed=0)
        assert (made.min(), made.max()) == (0, 65535)
        assert len(np.unique(made)) > 2000
        assert np.abs(made / 65535 - image / 4095).max() < 0.05


def test_wide_autocontrast_is_its_formula():
    for dtype in ("uint16", "float32"):
        image = as_dtype(np.random.default_rng(1).uniform(30, 180, (50, 40, 2)), dtype).astype(dtype)
        low, high = image.min((0, 1)).astype(float), image.max((0, 1)).astype(float)
        expected = (image - low) / (high - low) * RANGE[dtype]
        assert v.AutoContrast()(image, seed=0) == pytest.approx(expected, abs=0.6 if dtype == "uint16" else 1e-5)
        exposed = exposure.rescale_intensity(image[..., 0].astype(float), out_range=(0, RANGE[dtype]))
        assert v.AutoContrast()(image[..., :1], seed=0)[..., 0] == pytest.approx(exposed, abs=0.6 if dtype == "uint16" else 1e-5)


def test_equalisation_by_luma_is_that_of_opencvs_luma_and_keeps_chroma(photos):
    image = photos[0]
    parts = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)
    parts[..., 0] = np.asarray(ImageOps.equalize(Image.fromarray(np.ascontiguousarray(parts[..., 0]))))
    expected = cv2.cvtColor(parts, cv2.COLOR_YCrCb2RGB).astype(int)
    assert np.percentile(np.abs(v.Equalize(by="luma")(image, seed=0) - expected), 99) <= 4
    exact = v.Equalize(by="luma")(as_dtype(image, "float32") * 0.5, seed=0)
    inside = ((exact > 0) & (exact < 1)).all(2)
    moved = (exact - as_dtype(image, "float32") * 0.5)[inside]
    assert np.ptp(moved, axis=1).max() < 1e-5  # all three channels by the same


@pytest.mark.parametrize("clip", [0.5, 2, 40])
@pytest.mark.parametrize("tiles", [1, 4, 8])
def test_clahe_is_opencvs(clip, tiles, photos):
    image, engine = photos[1], cv2.createCLAHE(clip, (tiles, tiles))
    policy = v.CLAHE(clip=clip, tiles=tiles)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[..., 0] = engine.apply(np.ascontiguousarray(lab[..., 0]))
    assert np.array_equal(policy(image, seed=0), cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))
    for grey in (image[..., 0].copy(), image[..., 0].astype(np.uint16) * 257):
        assert np.array_equal(policy(grey, seed=0), engine.apply(grey))
    exact = (image[..., 0] / np.float32(255)).astype(np.float32)
    assert policy(exact, seed=0) == pytest.approx(engine.apply(image[..., 0].astype(np.uint16) * 257) / 65535, abs=1e-4)


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 9, 1), (37, 41, 3), (40, 64, 2), (64, 50, 9), (300, 290, 1)])
def test_clahe_of_a_batch_is_opencvs_one_by_one(shape):
    """Also where tiles do not fit, along one axis or both."""
    images = np.random.default_rng(0).integers(0, 256, (5, *shape), np.uint8)
    clip, tiles = np.array([0.01, 1, 2.5, 4, 40]), np.array([1, 3, 4, 8, 16])
    made = clahe(images, clip=clip, tiles=tiles, amount=np.ones(5))
    for b, image in enumerate(images):
        engine, colour = cv2.createCLAHE(clip[b], (int(tiles[b]),) * 2), shape[2] == 3
        parts = cv2.cvtColor(image, cv2.COLOR_RGB2LAB) if colour else image.copy()
        for c in range(1 if colour else shape[2]):
            parts[..., c] = engine.apply(np.ascontiguousarray(parts[..., c]))
        assert np.array_equal(made[b], cv2.cvtColor(parts, cv2.COLOR_LAB2RGB) if colour else parts)


@pytest.mark.parametrize("red", range(0, 256, 15))
def test_cielab_of_every_colour_is_opencvs_both_ways(red):
    pixels = np.stack(np.meshgrid(red, np.arange(256), np.arange(256)), -1).astype(np.uint8).reshape(1, -1, 3)
    planes, made = np.empty((3, pixels.size // 3), np.uint8), np.empty_like(pixels)
    to_lab(pixels.reshape(-1), planes, *forward()[:2])
    assert np.array_equal(planes.T, cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0])
    planes[:] = pixels[0].T
    to_rgb(planes, made.reshape(-1), *backward()[:3])
    assert np.array_equal(made, cv2.cvtColor(pixels, cv2.COLOR_LAB2RGB))


def test_wide_colour_clahe_is_opencvs_on_the_lightness_of_scikit_image(photos):
    image = photos[1][:128, :128]
    lab = color.rgb2lab(image / 255)
    lab[..., 0] = cv2.createCLAHE(2, (4, 4)).apply(np.rint(lab[..., 0] * 655.35).astype(np.uint16)) / 655.35
    expected = np.clip(color.lab2rgb(lab), 0, 1)
    for dtype in ("uint16", "float32"):
        made = v.CLAHE(clip=2, tiles=4)(as_dtype(image, dtype), seed=0) / RANGE[dtype]
        assert np.abs(made - expected).mean() < 0.005
        assert np.percentile(np.abs(made - expected), 99) < 0.03


@pytest.fixture
def folder(photos, tmp_path):
    for number, image in enumerate(photos):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_matching_is_that_of_scikit_image(photos, folder):
    image, other = photos[0], photos[2]
    expected = exposure.match_histograms(image.astype(np.int64), other.astype(np.int64), channel_axis=2)
    got = v.HistogramMatching(reference=str(folder / "2.png"), amount=1)(image, seed=0)
    assert np.abs(got.astype(int) - expected).max() <= 1  # scikit-image cuts, we round
    grey = v.HistogramMatching(reference=str(folder / "2.png"), amount=1)(image[..., 0].copy(), seed=0)
    luma = np.asarray(Image.fromarray(other).convert("L"))
    assert np.abs(grey - exposure.match_histograms(image[..., 0].astype(np.int64), luma.astype(np.int64))).max() <= 1


@DTYPES
def test_matching_gives_the_law_it_names(dtype):
    rng = np.random.default_rng(0)
    image = as_dtype(rng.beta(2, 5, (256, 256, 1)) * 255, dtype)
    for law, quantiles in (("uniform", [0.1, 0.25, 0.5, 0.75, 0.9]), ("gaussian", [0.2437, 0.3651, 0.5, 0.6349, 0.7563])):
        got = v.HistogramMatching(reference=law, amount=1)(image, seed=0) / RANGE[dtype]
        assert np.quantile(got, [0.1, 0.25, 0.5, 0.75, 0.9]) == pytest.approx(quantiles, abs=0.015)


@pytest.mark.parametrize("kind", ["HistogramMatching", "FourierDomainAdaptation"])
def test_which_draws_a_file_of_a_folder(kind, photos, folder):
    image = photos[0][:64, :64]
    for which, number in ((0.0, 0), (0.26, 1), (0.6, 2), (0.99, 3), (1.0, 3)):
        fields = {"amount": 1} | ({"beta": 0.1} if kind != "HistogramMatching" else {})
        one = v.registry()[kind](reference=str(folder), which=which, **fields)(image, seed=0)
        assert np.array_equal(one, v.registry()[kind](reference=str(folder / f"{number}.png"), **fields)(image, seed=0))


def fourier(image, reference, beta):
    """The formula of the paper, in float64 and over the whole plane."""
    found, wanted = (np.fft.fftshift(np.fft.fft2(one, axes=(0, 1)), axes=(0, 1)) for one in (image, reference))
    (height, width), b = image.shape[:2], int(min(image.shape[:2]) * beta)
    window = np.s_[height // 2 - b : height // 2 + b + 1, width // 2 - b : width // 2 + b + 1]
    amplitude, phase = np.abs(found), np.angle(found)
    amplitude[window] = np.abs(wanted)[window]
    swapped = np.fft.ifftshift(amplitude * np.exp(1j * phase), axes=(0, 1))
    return np.fft.ifft2(swapped, axes=(0, 1)).real


@pytest.mark.parametrize("beta", [0, 0.01, 0.1, 0.3])
@pytest.mark.parametrize("size", [(64, 64), (61, 90), (128, 33)])
def test_adaptation_is_the_papers_formula(beta, size, photos, folder):
    image = photos[0][: size[0], : size[1]]
    other = cv2.resize(photos[2], size[::-1], interpolation=cv2.INTER_AREA)
    expected = np.clip(fourier(image / 255, other / 255, beta), 0, 1)
    policy = v.FourierDomainAdaptation(reference=str(folder / "2.png"), beta=beta, amount=1)
    for dtype in RANGE:
        got = policy(as_dtype(image, dtype), seed=0) / RANGE[dtype]
        assert np.abs(got - expected).max() < (0.51 / RANGE[dtype] if dtype == "uint8" else 0) + 3e-4


def test_the_natural_spectrum_falls_as_one_over_f():
    image = np.random.default_rng(0).random((96, 96, 1), np.float32) * 0.02 + 0.45
    made = v.FourierDomainAdaptation(beta=0.06, amount=1)(image, seed=0)[..., 0].astype(float)
    assert 0 < made.min() < made.max() < 1  # nothing was clipped
    amplitude = np.abs(np.fft.fft2(made)) / made.size
    assert [amplitude[0, 0], amplitude[0, 1], amplitude[0, 2], amplitude[3, 4]] == pytest.approx([0.45, 0.04, 0.02, 0.008], rel=1e-3)


@pytest.mark.parametrize("text", ALL)
@DTYPES
def test_the_result_comes_nearer_with_the_amount(text, dtype, photos):
    image = as_dtype(photos[3][:96, :96], dtype)
    head = text[:-1] + (", " if not text.endswith("()") else "")
    made = [v.parse(f"{head}amount={amount})")(image, seed=0).astype(float) for amount in (0, 0.25, 0.5, 0.75, 1)]
    assert np.array_equal(made[0], image)
    step = np.abs(made[-1] - image).mean()
    assert [np.abs(one - image).mean() / step for one in made] == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.05)


@pytest.mark.parametrize("kind", ["HistogramMatching", "FourierDomainAdaptation"])
def test_a_reference_that_is_none_is_said_in_a_sentence(kind, tmp_path):
    empty, broken = tmp_path / "empty", tmp_path / "broken.png"
    empty.mkdir()
    broken.write_bytes(b"no image")
    for reference, said in ((tmp_path / "gone.png", "nothing there"), (empty, "a folder without any"), (broken, "UnidentifiedImageError")):
        policy = v.registry()[kind](reference=str(reference))
        with pytest.raises(v.DataError, match=said) as fault:
            policy(np.zeros((8, 8, 3), np.uint8), seed=0)
        assert str(reference) in str(fault.value)
    for wrong in ("", "  ", 3, None):
        with pytest.raises(v.ParameterError, match="the path of an image file or of a folder"):
            v.registry()[kind](reference=wrong)


def test_a_reference_that_changes_is_read_again(tmp_path):
    path, image = tmp_path / "one.png", np.arange(256, dtype=np.uint8).reshape(16, 16)
    policy = v.HistogramMatching(reference=str(path), amount=1)
    for value in (40, 200):
        Image.fromarray(np.full((4, 4, 3), value, np.uint8)).save(path)
        assert (policy(image, seed=0) == value).all()
