"""A built-in data set for regressions: points on a line, of which everything is known in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from vicinal.data.build import from_series
from vicinal.data.dataset import Dataset


@final
@dataclass(frozen=True)
class Line:
    """100 points of y = x, evenly spaced from -10 to 10; the variance v of x is 34.007. Noise on x flattens a fit by v / (v + s**2)."""

    name: str = "line"
    looks: str = "the word line: 100 points of y = x, for regressions"

    def matches(self, path: Path) -> bool:
        return str(path) == self.name and not path.exists()

    def read(self, path: Path, skip_bad: bool) -> Dataset:
        x = np.linspace(-10, 10, 100)
        return from_series(x[:, None], x, name=self.name)
