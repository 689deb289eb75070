"""The built-in data set: scikit-learn's 1,797 handwritten digits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from vicinal.data.build import joined
from vicinal.data.dataset import Dataset
from vicinal.data.part import Part


@final
@dataclass(frozen=True)
class Digits:
    """1,797 digits of 8x8 pixels (Alpaydin and Kaynak, UCI 1998); grey levels 0..16 become round(v * 255 / 16)."""

    name: str = "digits"
    looks: str = "the word digits: scikit-learn's 1,797 handwritten digits, 8x8"

    def matches(self, path: Path) -> bool:
        return str(path) == self.name and not path.exists()

    def read(self, path: Path, skip_bad: bool) -> Dataset:
        from sklearn.datasets import load_digits  # a second to import, and nothing else here needs it

        levels, labels = load_digits(return_X_y=True)
        images = np.rint(levels * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8)
        return joined([Part(self.name, images, labels)], name=self.name, format=self.name, origin=str(path))
