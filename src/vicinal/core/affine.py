"""Stacks of affine and projective maps in homogeneous coordinates: (B, d + 1, d + 1) float64, column vectors, x before y.

Coordinates are continuous: edges at integers, the centre of pixel i at i + 0.5.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_HORIZON = 1e-6


def identity(batch: int, d: int = 2) -> NDArray[np.float64]:
    """(B, d + 1, d + 1) identity maps."""
    return unmoved(batch, d).copy()


def unmoved(batch: int, d: int = 2) -> NDArray[np.float64]:
    """The same, shared and read-only: who gets it need not look into it."""
    return _identities(batch, d)


@lru_cache(maxsize=64)
def _identities(batch: int, d: int) -> NDArray[np.float64]:
    maps = np.tile(np.eye(d + 1), (batch, 1, 1))
    maps.setflags(write=False)
    return maps


def translation(*shift: ArrayLike) -> NDArray[np.float64]:
    """(B, d + 1, d + 1) maps that add ``shift``: one (B,) array per axis, or a number that is one for all.

    Example:
        >>> apply(translation(np.array([3.0]), np.array([1.0])), np.array([[[0.0, 0.0]]])).tolist()
        [[[3.0, 1.0]]]
    """
    matrix = identity(max(map(np.size, shift)), len(shift))
    for axis, column in enumerate(shift):
        matrix[:, axis, -1] = column
    return matrix


def planar(a: Any, b: Any, c: Any, d: Any, centre: NDArray, x: Any = None, y: Any = None) -> NDArray[np.float64]:
    """(B, 3, 3) maps with the linear part ((a, b), (c, d)) about ``centre`` (B, 2), then a shift by (x, y), if there is one.

    Example:
        >>> apply(planar(0, 1, -1, 0, np.array([[2.0, 2.0]])), np.array([[[3.0, 2.0]]])).tolist()
        [[[2.0, 1.0]]]
    """
    matrix = identity(len(centre))
    middle_x, middle_y = centre[:, 0], centre[:, 1]
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 0, 2] = a, b, middle_x - (a * middle_x + b * middle_y)
    matrix[:, 1, 0], matrix[:, 1, 1], matrix[:, 1, 2] = c, d, middle_y - (c * middle_x + d * middle_y)
    for row, shift in enumerate((x, y)):
        if shift is not None:
            matrix[:, row, 2] += shift
    return matrix


def invert(matrix: NDArray) -> NDArray[np.float64]:
    """Inverse maps; exact where the linear part is a signed permutation, so flips stay flips to the last bit.

    Example:
        >>> invert(translation(np.array([3.0]), np.array([1.0])))[0, :2, 2].tolist()
        [-3.0, -1.0]
    """
    if matrix is unmoved(len(matrix), matrix.shape[-1] - 1):
        return matrix.copy()
    tilted = projective(matrix)
    if tilted.all() and len(tilted):
        return np.linalg.inv(matrix)
    if tilted.any():
        # Row by row, so that the bits of an affine map do not depend on its neighbours.
        inverse = np.empty_like(matrix, np.float64)
        inverse[tilted], inverse[~tilted] = np.linalg.inv(matrix[tilted]), invert(matrix[~tilted])
        return inverse
    inverse = identity(len(matrix), matrix.shape[-1] - 1)
    if matrix.shape[-1] == 2:
        inverse[:, 0, 0] = 1 / matrix[:, 0, 0]
        inverse[:, 0, 1] = -inverse[:, 0, 0] * matrix[:, 0, 1]
        return inverse
    a, b, x, c, d, y = matrix[:, :2].reshape(-1, 6).T
    det = a * d - b * c
    right, down, below, across = d / det, -b / det, -c / det, a / det
    inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 0, 2] = right, down, -(right * x + down * y)
    inverse[:, 1, 0], inverse[:, 1, 1], inverse[:, 1, 2] = below, across, -(below * x + across * y)
    return inverse


def projective(matrix: NDArray) -> NDArray[np.bool_]:
    """(B,) which maps are not affine."""
    if matrix is unmoved(len(matrix), matrix.shape[-1] - 1):
        return np.zeros(len(matrix), bool)
    return np.asarray(np.any(matrix[:, -1, :-1], 1))


def indexed(matrix: NDArray) -> NDArray[np.float64]:
    """(B, 2, 3) or (B, 3, 3) affine maps from pixel indices to pixel indices, from maps of continuous coordinates.

    Example:
        >>> indexed(np.array([[[-1.0, 0, 8], [0, 1, 0]]]))[0].tolist()
        [[-1.0, 0.0, 7.0], [0.0, 1.0, 0.0]]
    """
    found = np.array(matrix[:, :2], np.float64)
    found[:, :, 2] += 0.5 * (found[:, :, 0] + found[:, :, 1]) - 0.5
    return found


def apply(matrix: NDArray, points: NDArray) -> NDArray[np.float64]:
    """Map points (B, n, d) by matrices (B, d + 1, d + 1); points behind the horizon of a projective map go very far away."""
    moved = np.einsum("bij,bnj->bni", matrix[:, :-1, :-1], points) + matrix[:, None, :-1, -1]
    if not matrix[:, -1, :-1].any():
        return moved
    return moved / np.maximum(points @ matrix[:, -1, :-1, None] + matrix[:, -1, -1, None, None], _HORIZON)


def jacobian(matrix: NDArray, points: NDArray) -> NDArray[np.float64]:
    """(B, d, d) derivatives of the maps at points (B, d)."""
    if not matrix[:, -1, :-1].any():
        return matrix[:, :-1, :-1]
    depth = np.einsum("bj,bj->b", matrix[:, -1, :-1], points) + matrix[:, -1, -1]
    place = apply(matrix, points[:, None])[:, 0]
    return (matrix[:, :-1, :-1] - place[:, :, None] * matrix[:, -1:, :-1]) / depth[:, None, None]


def footprint(linear: NDArray) -> NDArray[np.float64]:
    """(B, d) source pixels per output pixel along the output's x (and y) for linear parts (B, d, d): 2 for halving, 0.5 for doubling."""
    maps = identity(len(linear), linear.shape[-1])
    maps[:, :-1, :-1] = linear
    return np.linalg.norm(invert(maps)[:, :-1, :-1], axis=1)
