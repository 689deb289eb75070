"""Whole policies against Albumentations and torchvision v2 on the same images, on one thread and on two.

    python -m benchmarks.policies [--only P1 P4] [--threads 1 2] [--rounds 5]

All of them run in one process, in turn. Ours takes a batch, theirs an image at a time; on two threads each of theirs has half of the
images. Microseconds an image are those of the best round, and so is the ratio to the faster of the two: above 1, vicinal is faster;
"median" is the ratio of the middle rounds. "tv batch" is torchvision on the whole batch as one tensor, where it can be: then one draw
serves all images, which is another thing, so it stands beside the ratio. "roof" compares our time with one pass that reads the input
once (of a random crop, the part it shows) and writes the output once, at the speed of copying memory measured in the same rounds.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import final

from benchmarks import peers, pictures
from benchmarks.rows import Row, rows
from benchmarks.sides import Side, ours, sides
from benchmarks.timing import Call, Times, copying, interleaved

OURS, COPY, PEERS, TOGETHER = "vicinal", "copy", ("Albumentations", "torchvision"), "tv batch"
BUDGET = 12  # seconds a row


@final
@dataclass(frozen=True)
class Measured:
    """Seconds an image of a row on some threads, and the bytes that an ideal pass moves for it."""

    row: Row
    threads: int
    times: Times
    moved: float

    @property
    def roof(self) -> float:
        """The share of the speed of copying that we come to."""
        return self.moved * self.times.least(COPY) / self.times.least(OURS)

    def line(self) -> str:
        """The row of the table."""
        cells = "".join(f"{self._time(name):>15}" for name in (OURS, *PEERS, TOGETHER))
        return f"{self.row.name:<9}{self.threads:>2}{cells}{self._ratios():>17}{self.row.aim:>5g}x {self.roof:>6.1%}"

    def _time(self, name: str) -> str:
        return f"{1e6 * self.times.least(name):,.1f} us" if name in self.times.seconds else "-"

    def _ratios(self) -> str:
        fastest = self.times.fastest(PEERS)
        if fastest is None:
            return "-"
        least, median = (of(fastest) / of(OURS) for of in (self.times.least, self.times.median))
        return f"{least:.1f}x ({median:.1f}x)" + ("  " if least >= self.row.aim else " <")


def measured(row: Row, threads: int, libraries: dict[str, ModuleType], rounds: int) -> Measured:
    """Time a row, once what all of them give has the same form."""
    targets = row.targets(row.batch)
    ways = {OURS: ours(row, targets, threads)} | sides(row, targets, libraries, threads)
    _same_form(row, ways)
    calls = {name: _call(side) for name, side in ways.items()} | {COPY: copying(threads)}
    result = ways[OURS].apply(0)
    views = result if isinstance(result, list) else [result]
    read = row.read * row.views * sum(image.nbytes for image in targets["image"])
    moved = read + sum(image.nbytes for view in views for image in view["image"])
    return Measured(row, threads, interleaved(calls, rounds, least=0.05, budget=BUDGET), moved / row.batch)


def _call(side: Side) -> Call:
    def call(number: int) -> int:
        side.apply(number)
        return side.count

    return call


def _same_form(row: Row, ways: dict[str, Side]) -> None:
    forms = {name: side.form() for name, side in ways.items()}
    if len(set(forms.values())) > 1:
        raise SystemExit(f"{row.name}: results differ in form, so times do not compare: {forms}")


def chosen(only: Sequence[str], batch: int | None) -> list[Row]:
    """Rows by name, or all; with another size of batch if one is given."""
    names = {row.name for row in rows()}
    if unknown := set(only) - names:
        raise SystemExit(f"--only: expected some of {', '.join(sorted(names))}, got {', '.join(sorted(unknown))}")
    picked = [row for row in rows() if not only or row.name in only]
    return [row if batch is None else replace(row, batch=batch) for row in picked]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="ROW", help="names of rows")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, help="another number of images, for a quick look")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # of the peers, about their own arguments
    libraries, missing = peers.installed()
    picked = chosen(given.only, given.batch)
    print("\n".join([*missing, f"on {pictures.origin()}", *(f"{row.name:<9}{row.what} (batch of {row.batch})" for row in picked)]))
    print(
        f"\n{'policy':<7}threads{OURS:>12}"
        + "".join(f"{name:>15}" for name in (*PEERS, TOGETHER))
        + f"{'ratio (median)':>16}{'aim':>7}{'roof':>7}"
    )
    with peers.threads(1):
        for row in picked:
            for threads in given.threads:
                print(measured(row, threads, libraries, given.rounds).line(), flush=True)
    print("<: below its aim")


if __name__ == "__main__":
    main()
