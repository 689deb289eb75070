"""Settings and sums that several mixers share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Draw
from vicinal.core.items import Items
from vicinal.core.space import is_number
from vicinal.core.special import beta_quantile
from vicinal.core.transform import option


def alpha_option() -> Any:
    """The law of the weight of the own label."""
    return option(1.0, expected="0, or a number of 0.01 or more", admits=lambda v: is_number(v) and (v == 0 or v >= 0.01),
                  doc="of Beta(alpha, alpha), the law of the own share; 0 mixes nothing, 1 is uniform, larger ones mix more")  # fmt: skip


def min_visible_option() -> Any:
    """When an instance is dropped."""
    return option(0.1, expected="a share in [0, 1]", admits=lambda v: is_number(v) and 0 <= v <= 1,
                  doc="instances of which less than this share is left are dropped")  # fmt: skip


def beta_weight(draw: Draw, alpha: float) -> NDArray[np.float64]:
    """(B,) draws of Beta(alpha, alpha); 1 for an alpha of 0."""
    u = draw.unit("weight")
    if alpha == 1:  # uniform
        return u
    return beta_quantile(u, alpha, alpha) if alpha else np.ones(len(u))


def paired(items: Items, pool: Items, other: NDArray[np.int64], weight: NDArray) -> NDArray[np.float64] | None:
    """(B, K) labels of samples with one partner each, other (B,), where weight (B,) is that of the own label."""
    if items.label is None or pool.label is None:
        return None
    own = weight[:, None]
    made = pool.label.take(other, 0)
    made *= 1 - own
    made += items.label * own
    return made


def labels(items: Items, pool: Items, partner: NDArray[np.int64], shares: NDArray) -> NDArray[np.float64] | None:
    """(B, K) labels of samples and their partners (B, k), weighted by (B, 1 + k) shares, the own one first."""
    if items.label is None or pool.label is None:
        return None
    return np.einsum("bp,bpk->bk", shares, np.concatenate([items.label[:, None], pool.label[partner]], 1))
