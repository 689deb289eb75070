"""The threads that torch would have elsewhere, here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Leaves torch ``count`` threads for a while; as many as it has for None."""
    if count is None:
        yield
        return
    import torch  # here, because settings are read without it

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
