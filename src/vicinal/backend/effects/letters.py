"""Lines of letters and digits, set by compiled loops from letters that were drawn once in each size."""

from __future__ import annotations

import string
from functools import lru_cache
from threading import Lock
from typing import NamedTuple, final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.effects import blend, fonts
from vicinal.backend.pixels import copied

_compiled = njit(nogil=True, cache=True, error_model="numpy")

LETTERS = string.ascii_letters + string.digits
NONE = -1
MOST = 64 << 20  # bytes of covers that are kept
SMALL = 64  # pixels: up to this size all letters are drawn once one is, so that soon there is nothing left to draw


class Sheet(NamedTuple):
    """What has been drawn of a font so far; nothing in it that is known ever changes.

    Args:
        rows: for every size in pixels its row in the two tables, NONE without, and NONE at the end.
        letters: (sizes, 62, 6) where the cover of a letter begins, its height and width, its left and top, and how far it is to the next,
            in 64ths of a pixel.
        kerns: (sizes, 62, 62) by how much, in 64ths, a letter stands further from the one before than that.
        covers: all of them, one after the other, up to 255 a pixel.
    """

    rows: NDArray[np.int64]
    letters: NDArray[np.int32]
    kerns: NDArray[np.int32]
    covers: NDArray[np.uint8]


def _blank() -> Sheet:
    many = len(LETTERS)
    return Sheet(np.array([NONE]), np.empty((0, many, 6), np.int32), np.empty((0, many, many), np.int32), np.empty(1 << 16, np.uint8))


def numbered(text: NDArray[np.str_]) -> NDArray[np.int64]:
    """(b, n) the numbers of the letters of (b,) lines, then NONE; NONE alone for a line in which there is anything else."""
    codes = np.ascontiguousarray(text).view(np.uint32).reshape(len(text), -1)
    numbers = _numbers()[np.minimum(codes, 128)]
    numbers[((numbers == NONE) & (codes > 0)).any(1)] = NONE
    return numbers


@lru_cache(maxsize=1)
def _numbers() -> NDArray[np.int64]:
    """(129,) by its code, the number of a letter."""
    found = np.full(129, NONE)
    found[[ord(letter) for letter in LETTERS]] = range(len(LETTERS))
    return found


@lru_cache(maxsize=32)
def of_font(path: str) -> Letters:
    """The letters of a font, which all threads share."""
    return Letters(path)


@final
class Letters:
    """The letters of a font, in the sizes in which they were asked for."""

    def __init__(self, font: str):
        self._font, self._sheet, self._used, self._lock = font, _blank(), 0, Lock()

    def drawn(self, lines: NDArray[np.int64], sizes: NDArray[np.int64]) -> tuple[Sheet, NDArray[np.int64]]:
        """A sheet that has the letters of (b, n) lines in (b,) sizes, and (b,) the rows of these sizes."""
        sheet = self._sheet
        rows = _rows(sheet, sizes)
        if _lacking(lines, rows, sheet.letters):
            with self._lock:
                sheet = self._sheet = self._more(lines, sizes)
            rows = _rows(sheet, sizes)
        return sheet, rows

    def box(self, text: str, size: int) -> NDArray[np.int64]:
        """(4,) the left and top, height and width of one line."""
        lines = numbered(np.array([text]))
        sheet, rows = self.drawn(lines, np.array([size]))
        return boxes(lines, rows, sheet.letters, sheet.kerns)[0]

    def line(self, text: str, size: int) -> NDArray[np.uint8]:
        """(h, w) how much of each pixel one line covers."""
        lines, box = numbered(np.array([text])), self.box(text, size)
        sheet, rows = self.drawn(lines, np.array([size]))
        made = np.empty(box[2] * box[3], np.uint8)
        _set(lines[0], rows[0], box, sheet.letters, sheet.kerns, sheet.covers, made)
        return made.reshape(box[2:])

    def _more(self, lines: NDArray[np.int64], sizes: NDArray[np.int64]) -> Sheet:
        """The sheet with what it lacks; covers are added behind those that others may be reading."""
        sheet, self._used = (self._sheet, self._used) if self._used < MOST else (_blank(), 0)
        sheet = self._grown(sheet, sizes)
        for line, size in zip(lines.tolist(), sizes.tolist(), strict=True):
            for letter in range(len(LETTERS)) if size <= SMALL and line[0] != NONE else line:
                if letter != NONE and sheet.letters[sheet.rows[size], letter, 0] == NONE:
                    sheet = self._with(sheet, letter, size)
        return sheet

    def _grown(self, sheet: Sheet, sizes: NDArray[np.int64]) -> Sheet:
        """A copy of the tables with room for more sizes."""
        known = len(sheet.letters)
        rows = np.full(max(len(sheet.rows), sizes.max() + 2), NONE)
        rows[: len(sheet.rows)] = sheet.rows
        new = np.unique(sizes[rows[sizes] == NONE]).tolist()
        rows[new] = range(known, known + len(new))
        letters = np.concatenate([sheet.letters, np.full((len(new), *sheet.letters.shape[1:]), NONE, np.int32)])
        kerns = np.concatenate([sheet.kerns, *(fonts.kerns(self._font, size, LETTERS)[None] for size in new)])
        return Sheet(rows, letters, kerns, sheet.covers)

    def _with(self, sheet: Sheet, letter: int, size: int) -> Sheet:
        cover, *place = fonts.letter(self._font, size, LETTERS[letter])
        sheet.letters[sheet.rows[size], letter] = self._used, *cover.shape, *place
        covers, end = sheet.covers, self._used + cover.size
        if end > len(covers):
            covers = np.concatenate([covers, np.empty(end, np.uint8)])
        covers[self._used : end] = cover.ravel()
        self._used = end
        return sheet._replace(covers=covers)


def _rows(sheet: Sheet, sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    return sheet.rows[np.minimum(sizes, len(sheet.rows) - 1)]


@_compiled
def _lacking(lines, rows, letters):
    """Whether a letter of a line has not been drawn."""
    for b in range(len(lines)):
        for letter in lines[b]:
            if letter == NONE:
                break
            if rows[b] == NONE or letters[rows[b], letter, 0] == NONE:
                return True
    return False


@_compiled
def boxes(lines, rows, letters, kerns):
    """(b, 4) the left and top of lines, as seen from where the first letter is set, and their height and width; at least a pixel."""
    found = np.zeros((len(lines), 4), np.int64)
    for b in range(len(lines)):
        pen, before, far = 0, NONE, 1 << 40
        left, top, right, bottom = far, far, -far, -far
        for letter in lines[b]:
            if letter == NONE:
                break
            pen += kerns[rows[b], before, letter] if before != NONE else 0
            _, height, width, x, y, step = letters[rows[b], letter]
            x += (pen + 32) >> 6
            left, right, top, bottom = min(left, x), max(right, x + width), min(top, y), max(bottom, y + height)
            pen, before = pen + step, letter
        if before != NONE:
            found[b] = left, top, max(bottom - top, 1), max(right - left, 1)
    return found


@_compiled
def _set(line, row, box, letters, kerns, covers, made):
    """The cover of a line, row by row into (h w,); a letter over another covers what that left free."""
    made[:] = 0
    pen, before, reached = 0, NONE, 0
    for letter in line:
        if letter == NONE:
            break
        pen += kerns[row, before, letter] if before != NONE else 0
        start, height, width, x, y, step = letters[row, letter]
        left, top = x + ((pen + 32) >> 6) - box[0], y - box[1]
        over = min(max(reached - left, 0), width)
        for down in range(height):
            to, at = (top + down) * box[3] + left, start + down * width
            _over(made, np.uintp(to), covers, np.uintp(at), np.uintp(over))
            copied(made, to + over, covers, at + over, width - over)
        pen, before, reached = pen + step, letter, max(reached, left + width)


@_compiled
def _over(below, to, above, at, count):
    for i in range(count):
        one, other = np.int32(below[to + i]), np.int32(above[at + i])
        both = one * other + 128
        below[to + i] = one + other - ((both + (both >> 8)) >> 8)


@_compiled
def written(out, lines, rows, boxes, letters, kerns, covers, places, colour, opacity, half):
    """Lines over images, at shares (b, 2) of the free room; for the rest see ``boxes`` and ``blend.tinted``."""
    _, height, width, _ = out.shape
    room = np.empty((boxes[:, 2] * boxes[:, 3]).max(), np.uint8)
    for b in range(len(out)):
        high, wide = boxes[b, 2], boxes[b, 3]
        if high > 0:
            cover = room[: high * wide]
            _set(lines[b], rows[b], boxes[b], letters, kerns, covers, cover)
            left, top = np.int64(np.rint((width - wide) * places[b, 0])), np.int64(np.rint((height - high) * places[b, 1]))
            blend.tinted(out[b], cover.reshape((high, wide)), left, top, colour[b], opacity[b], half)
