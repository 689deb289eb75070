"""Stacks of affine maps in homogeneous coordinates: (B, d + 1, d + 1) float64, column vectors, x before y.

Coordinates are continuous: edges at integers, the centre of pixel i at i + 0.5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def identity(batch: int, d: int = 2) -> NDArray[np.float64]:
    """(B, d + 1, d + 1) identity maps."""
    return np.tile(np.eye(d + 1), (batch, 1, 1))


def translation(*shift: ArrayLike) -> NDArray[np.float64]:
    """(B, d + 1, d + 1) maps that add ``shift``: one (B,) array per axis.

    Example:
        >>> apply(translation(np.array([3.0]), np.array([1.0])), np.array([[[0.0, 0.0]]])).tolist()
        [[[3.0, 1.0]]]
    """
    columns = np.broadcast_arrays(*(np.asarray(axis, float) for axis in shift))
    matrix = identity(len(columns[0]), len(columns))
    for axis, column in enumerate(columns):
        matrix[:, axis, -1] = column
    return matrix


def about(linear: NDArray, centre: NDArray) -> NDArray[np.float64]:
    """(B, d + 1, d + 1) maps with the linear part (B, d, d) that leave ``centre`` (B, d) in place."""
    matrix = identity(len(linear), linear.shape[-1])
    matrix[:, :-1, :-1] = linear
    matrix[:, :-1, -1] = centre - np.einsum("bij,bj->bi", linear, centre)
    return matrix


def invert(matrix: NDArray) -> NDArray[np.float64]:
    """Inverse maps; exact where the linear part is a signed permutation, so flips stay flips to the last bit.

    Example:
        >>> invert(translation(np.array([3.0]), np.array([1.0])))[0, :2, 2].tolist()
        [-3.0, -1.0]
    """
    inverse = identity(len(matrix), matrix.shape[-1] - 1)
    if matrix.shape[-1] == 2:
        inverse[:, 0, 0] = 1 / matrix[:, 0, 0]
    else:
        a, b, c, d = (matrix[:, i, j] for i in (0, 1) for j in (0, 1))
        det = a * d - b * c
        inverse[:, 0, 0], inverse[:, 0, 1], inverse[:, 1, 0], inverse[:, 1, 1] = d / det, -b / det, -c / det, a / det
    inverse[:, :-1, -1] = -np.einsum("bij,bj->bi", inverse[:, :-1, :-1], matrix[:, :-1, -1])
    return inverse


def apply(matrix: NDArray, points: NDArray) -> NDArray[np.float64]:
    """Map points (B, n, d) by matrices (B, d + 1, d + 1)."""
    return np.einsum("bij,bnj->bni", matrix[:, :-1, :-1], points) + matrix[:, None, :-1, -1]


def minification(matrix: NDArray) -> NDArray[np.float64]:
    """(B,) the largest number of source pixels, along any axis of the output, per output pixel: 2 for halving, 0.5 for doubling."""
    return np.linalg.norm(invert(matrix)[:, :-1, :-1], axis=1).max(axis=1)
