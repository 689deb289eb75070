"""Small pictures and the one way in which these tests look at a refusal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vicinal.core.errors import DataError


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """(6, 4, 4) grey levels, no two images alike."""
    return np.random.default_rng(0).integers(0, 256, (6, 4, 4)).astype(np.uint8)


@pytest.fixture
def refused() -> Callable[..., DataError]:
    """``refused(call, where=, expected=, got=, write=)``: the call raises DataError, and each part holds the words given."""

    def check(call: Callable[[], object], **words: str) -> DataError:
        with pytest.raises(DataError) as caught:
            call()
        for part, text in words.items():
            assert text in (getattr(caught.value, part) or ""), f"{part} of: {caught.value}"
        return caught.value

    return check
