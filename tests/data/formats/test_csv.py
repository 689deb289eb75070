"""CSV: a label, then pixels."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from vicinal.data import read

LABELS = [3, 10, 3, 10, 3, 10]


def rows(images, labels=LABELS) -> list[str]:
    return [",".join(map(str, [label, *image.ravel()])) for label, image in zip(labels, images, strict=True)]


def written(path: Path, lines: list[str], head: bytes = b"", end: str = "\n") -> Path:
    path.write_bytes(head + (end.join(lines) + end).encode())
    return path


def check(path: Path, pixels):
    data = read(path)
    np.testing.assert_array_equal(data.images[..., 0], pixels)
    assert (data.classes, data.labels.tolist()) == (("3", "10"), [0, 1] * 3)
    assert (data.format, data.origin, data.skipped) == ("csv", str(path), ())
    assert not data.official_test.any()
    return data


def test_plain_rows(tmp_path, pixels):
    assert check(written(tmp_path / "small.csv", rows(pixels)), pixels).name == "small"


@pytest.mark.parametrize("header", ["label,p0,p1", "7,pixel", "\ufefflabel,p0"])
def test_header_is_left_out_only_if_its_first_field_is_no_number(tmp_path, pixels, header, refused):
    path = written(tmp_path / "head.csv", [header, *rows(pixels)])
    if header.startswith("7"):
        refused(lambda: read(path), where="head.csv:1", expected="17 values", got="2", write="--skip-bad")
    else:
        check(path, pixels)


def test_byte_order_mark_blank_lines_and_windows_ends(tmp_path, pixels):
    check(written(tmp_path / "w.csv", ["", *rows(pixels), "  "], b"\xef\xbb\xbf", "\r\n"), pixels)


def test_gzip_is_seen_by_content(tmp_path, pixels):
    plain = written(tmp_path / "z.csv", rows(pixels)).read_bytes()
    (tmp_path / "z.csv.gz").write_bytes(gzip.compress(plain))
    assert check(tmp_path / "z.csv.gz", pixels).name == "z"


def test_three_squares_are_colour(tmp_path):
    images = np.arange(6 * 75, dtype=np.uint8).reshape(6, 5, 5, 3)
    np.testing.assert_array_equal(read(written(tmp_path / "c.csv", rows(images))).images, images)


def test_row_of_wrong_length_names_file_line_and_both_counts(tmp_path, pixels, refused):
    lines = ["label", *rows(pixels)]
    lines[3] = lines[3].rsplit(",", 1)[0]
    path = written(tmp_path / "short.csv", lines)
    refused(lambda: read(path), where=f"{path}:4", expected="17 values", got="16", write="--skip-bad")


def test_wrong_first_row_is_the_one_that_is_named(tmp_path, pixels, refused):
    lines = rows(pixels)
    lines[0] += ",5"
    path = written(tmp_path / "long.csv", lines)
    refused(lambda: read(path), where=f"{path}:1", expected="17 values", got="18")


@pytest.mark.parametrize("value", ["256", "-1", "0.5", "1.0", "x", "", "nan", "99999999999"])
def test_pixel_that_is_no_byte_is_named_with_its_line_and_column(tmp_path, pixels, refused, value):
    lines = rows(pixels)
    fields = lines[2].split(",")
    lines[2] = ",".join([*fields[:5], value, *fields[6:]])
    path = written(tmp_path / "v.csv", lines)
    refused(lambda: read(path), where=f"{path}:3", expected="whole numbers 0..255", got=f"{value!r} in column 6")


@pytest.mark.parametrize("value", ["-1", "", "1.5", "cat", "99999999999"])
def test_label_that_is_no_whole_number(tmp_path, pixels, refused, value):
    lines = rows(pixels)
    lines[4] = value + lines[4][lines[4].index(",") :]
    path = written(tmp_path / "l.csv", lines)
    refused(lambda: read(path), where=f"{path}:5", expected="a label that is a whole number", got=repr(value))


def test_missing_label_in_the_first_row_is_no_header(tmp_path, pixels, refused):
    lines = rows(pixels)
    lines[0] = lines[0][1:]
    refused(lambda: read(written(tmp_path / "l.csv", lines)), where="l.csv:1", got="''")


def test_skip_bad_leaves_out_rows_and_lists_them(tmp_path, pixels, refused):
    lines = rows(pixels) + ["3,1,2", "3," + ",".join(["999"] * 16)]
    path = written(tmp_path / "s.csv", lines)
    refused(lambda: read(path), got="and 1 more such rows")
    data = read(path, skip_bad=True)
    assert data.skipped == ("s.csv:7", "s.csv:8")
    np.testing.assert_array_equal(data.images[..., 0], pixels)


def test_pixels_that_form_no_square(tmp_path, refused):
    path = written(tmp_path / "n.csv", ["1," + ",".join("0" * 14)] * 3)
    refused(lambda: read(path), where="n.csv", expected="k*k or 3*k*k pixels", got="15 values")


@pytest.mark.parametrize(
    ("content", "expected", "got"),
    [
        (b"", "rows of a label and pixels", "an empty file"),
        (b"label,p0\n", "rows of a label and pixels", "no such row"),
        (b"1,\xff\xfe\x00", "plain text", "not text at 2"),
        (gzip.compress(b"1,0,0,0,0\n" * 500, mtime=0)[:40], "a whole CSV file", "ends early"),
    ],
)
def test_files_that_are_no_csv(tmp_path, refused, content, expected, got):
    (tmp_path / "bad.csv").write_bytes(content)
    refused(lambda: read(tmp_path / "bad.csv"), where="bad.csv", expected=expected, got=got)


@pytest.mark.slow
def test_real_digits_survive_the_way_through_csv(tmp_path, shared_data):
    mnist = read(shared_data("mnist")).take(slice(0, 20_000))
    table = np.column_stack([mnist.labels, np.asarray(mnist.images).reshape(20_000, -1)])
    np.savetxt(tmp_path / "mnist_train_small.csv", table, "%d", ",")
    data = read(tmp_path / "mnist_train_small.csv")
    assert data.name == "mnist_train_small"
    np.testing.assert_array_equal(data.images, mnist.images)
    np.testing.assert_array_equal(data.labels, mnist.labels)
