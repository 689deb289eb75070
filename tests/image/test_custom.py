"""Functions by their import path: what runs, what is refused, and that a file cannot smuggle one in."""

from __future__ import annotations

import json

import numpy as np
import pytest

import vicinal as v

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 6, 8, 3), np.uint8)


def darker(image: np.ndarray) -> np.ndarray:
    return image // 2


def wider(image: np.ndarray) -> np.ndarray:
    return np.repeat(image, 2, 1)


def test_it_is_the_function():
    assert np.array_equal(v.Lambda(function="numpy:sort")(IMAGES, seed=0), np.sort(IMAGES))
    assert np.array_equal(v.Lambda(function=f"{__name__}:darker")(IMAGES, seed=0), IMAGES // 2)


@pytest.mark.parametrize("function", ["numpy", "numpy:", ":sort", "no_such_package_here:f", "numpy:sort:x", "a b:c", 3, None, lambda x: x])
def test_a_wrong_path_is_a_sentence_at_construction(function):
    with pytest.raises(v.ParameterError, match=r"Lambda\.function: expected the import path of a function"):
        v.Lambda(function=function)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("numpy:no_such_name", r"expected the import path of a function, got 'numpy:no_such_name' \(module 'numpy' has no attribute"),
        ("numpy.no_such_module:f", r"got 'numpy.no_such_module:f' \(No module named"),
        ("numpy:pi", "expected a function, got 'numpy:pi', which is float"),
    ],
)
def test_a_name_that_is_not_there_is_a_sentence_before_any_pixel(function, says):
    with pytest.raises(v.PolicyError, match=says):
        v.Lambda(function=function).explain(IMAGES)


@pytest.mark.parametrize(("function", "got"), [(f"{__name__}:wider", r"uint8 \(6, 16, 3\)"), ("numpy:sqrt", r"float16 \(6, 8, 3\)")])
def test_another_form_is_refused(function, got):
    with pytest.raises(v.TargetError, match=rf"Lambda\(.*\): expected uint8 \(6, 8, 3\), as it came, got {got}"):
        v.Lambda(function=function)(IMAGES, seed=0)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_file_may_hold_one_only_if_trusted(tmp_path, suffix):
    policy = v.Compose([v.HorizontalFlip(), v.OneOf([v.Lambda(function="numpy:sort"), v.Lambda(function="numpy:copy")])])
    path = tmp_path / f"policy.{suffix}"
    policy.save(path)
    with pytest.raises(
        v.PolicyError,
        match=r"2 faults\n.*policy\.Lambda: expected a policy that names no code, or one that you trust, "
        r"got Lambda\(function='numpy:sort'\); write v\.load\('policy\.(yaml|json)', trusted=True\)",
    ):
        v.load(path)
    assert v.load(path, trusted=True) == policy


def test_reading_a_file_imports_nothing(tmp_path, monkeypatch):
    package = tmp_path / "planted_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "policy.json").write_text(json.dumps([{"Lambda": {"function": "planted_package.module:name"}}]))
    with pytest.raises(v.PolicyError, match="trusted=True"):
        v.load(tmp_path / "policy.json")


def test_a_recipe_may_hold_one_only_if_trusted():
    recipe = v.Compose([v.Lambda(function="numpy:sort")]).at(seed=0).as_dict()
    with pytest.raises(v.PolicyError, match=r"write v\.read_recipe\(data, trusted=True\)"):
        v.read_recipe(recipe)
    assert np.array_equal(v.read_recipe(recipe, trusted=True).replay(IMAGES[0]), np.sort(IMAGES[0]))


def test_typed_text_may_name_one():
    assert v.parse("Lambda(function='numpy:sort')") == v.Lambda(function="numpy:sort")
