"""Every transform of images against the fastest library that has it: Albumentations, torchvision v2, Pillow and plain OpenCV.

    python -m benchmarks.operations [--only Rotate GaussianNoise] [--size 256 32] [--json]

On one thread, 8-bit images in batches of 64. The transforms are those of the registry with the fields of their ``example``; where that
names a size in pixels it is meant for a canvas of 32, and grows with the canvas. Ours draws and takes the batch; Albumentations and
torchvision draw, an image at a time; Pillow and OpenCV are bare calls with a fixed parameter, which draw and check nothing. Microseconds
an image, of the best round. "fastest" is the ratio to the fastest of the four, "drawing" to the faster of the two that draw: the aim
is about the first for large images and about the second for small ones, where a bare call has next to nothing to do. Mixers follow, and
AugMix; other groups and the policies of the literature are not here.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, final

from numpy.typing import NDArray

import vicinal as v
from benchmarks import calls, mixers, peers, pictures
from benchmarks.timing import Times, interleaved

OURS, DRAWING, BARE = "vicinal", ("Albumentations", "torchvision"), ("Pillow", "OpenCV")
COLUMNS = (OURS, *DRAWING, *BARE)
SMALL = 64
"""Images up to this side are small."""
BUDGET = 1.5  # seconds a row


@final
@dataclass(frozen=True)
class Measured:
    """Seconds an image of one transform at one size, and what the peers said that failed."""

    name: str
    size: int
    times: Times
    failures: tuple[str, ...]

    @property
    def aim(self) -> float:
        """How many times as fast as its opponent it is to be."""
        return 5.0 if self.size <= SMALL or self.name in ("GaussianNoise", "ElasticTransform") else 0.9

    @property
    def judged(self) -> float | None:
        """The ratio that the aim is about, if there is an opponent."""
        return self.ratio(DRAWING if self.size <= SMALL else DRAWING + BARE)

    @property
    def below(self) -> bool:
        """Whether it misses its aim."""
        return self.judged is not None and self.judged < self.aim

    def ratio(self, names: Sequence[str]) -> float | None:
        """How many times as fast as the fastest of some peers."""
        fastest = self.times.fastest(names)
        return None if fastest is None else self.times.least(fastest) / self.times.least(OURS)

    def line(self) -> str:
        """The row of the table."""
        cells = "".join(f"{1e6 * self.times.least(name):>15,.1f}" if name in self.times.seconds else f"{'-':>15}" for name in COLUMNS)
        ratios = (self.ratio(names) for names in (DRAWING + BARE, DRAWING))
        return f"{self.name:<24}{self.size:>4}{cells}" + "".join(f"{_times(of):>9}" for of in ratios) + " <" * self.below

    def data(self) -> dict[str, Any]:
        """The row as plain data."""
        times = {name: round(1e6 * self.times.least(name), 2) for name in self.times.seconds}
        return {
            "transform": self.name,
            "size": self.size,
            "microseconds": times,
            "ratio": self.judged,
            "aim": self.aim,
            "below": self.below,
        }


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}x"


def transforms() -> dict[str, type[v.Transform]]:
    """Those that act on single images, by name."""
    known = v.registry().items()
    return {name: cls for name, cls in sorted(known) if issubclass(cls, v.Transform) and "image" in cls.needs and not cls.mixes}


def names(only: Sequence[str] = ()) -> list[str]:
    """Of the rows: transforms, then mixers."""
    known = [*transforms(), *mixers.THEIRS]
    if unknown := set(only) - set(known):
        raise SystemExit(f"--only: expected names of image transforms or mixers, got {', '.join(sorted(unknown))}")
    return [name for name in known if name in only or not only]


def measured(name: str, batch: NDArray, libraries: dict[str, ModuleType], rounds: int) -> Measured:
    """Time one transform, or one mixer."""
    if cls := transforms().get(name):
        own, (found, failures) = calls.ours(cls, batch), calls.theirs(cls, batch, libraries)
    else:
        own, (found, failures) = mixers.ours(name, batch), mixers.theirs(name, batch, libraries)
    times = interleaved({OURS: own} | found, rounds, least=0.03, budget=BUDGET)
    return Measured(name, batch.shape[1], times, tuple(failures))


def summary(found: Sequence[Measured]) -> str:
    """What misses its aim, and which peers failed."""
    lines = ["<: below the aim, 0.9x (5x for GaussianNoise and ElasticTransform), and 5x for small images"]
    for side in dict.fromkeys(row.size for row in found):
        rows = [row for row in found if row.size == side]
        below = [f"{row.name} {_times(row.judged)}" for row in rows if row.below]
        lines.append(f"{side}x{side}: {len(rows)} transforms, {len(below)} below: {', '.join(below) or 'none'}")
    return "\n".join([*lines, *dict.fromkeys(failure for row in found for failure in row.failures)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="names of transforms")
    parser.add_argument("--size", nargs="+", type=int, default=[256, 32], help="sides of the images")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # of the peers, about their own arguments
    libraries, missing = peers.installed()
    tell = (lambda text: None) if given.json else (lambda text: print(text, flush=True))
    head = f"{'us an image':<24}{'size':>4}" + "".join(f"{name:>15}" for name in COLUMNS) + f"{'fastest':>9}{'drawing':>9}"
    tell("\n".join([*missing, f"on {pictures.origin()}", head]))
    found = []
    with peers.threads(1):
        for batch in (pictures.crops(given.batch, side) for side in given.size):
            for name in names(given.only):
                found.append(measured(name, batch, libraries, given.rounds))
                tell(found[-1].line())
    print(json.dumps([row.data() for row in found], indent=1) if given.json else summary(found))


if __name__ == "__main__":
    main()
