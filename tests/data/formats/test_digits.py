"""The built-in digits."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from vicinal.data import read


def test_levels_are_scaled_so_that_they_can_be_had_back():
    data, levels = read("digits"), load_digits().images  # pyright: ignore[reportAttributeAccessIssue]
    assert (data.name, data.format, data.origin, len(data)) == ("digits", "digits", "digits", 1797)
    assert (data.images[0].dtype, np.max(data.images)) == (np.uint8, 255)
    np.testing.assert_array_equal(np.rint(np.asarray(data.images)[..., 0] * (16 / 255)), levels)
    assert data.classes == tuple("0123456789")


def test_path_of_that_name_comes_first_and_the_format_can_be_forced(tmp_path, monkeypatch, refused):
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    refused(lambda: read("digits"), where="digits", got="an empty folder")
    assert len(read("digits", format="digits")) == 1797
