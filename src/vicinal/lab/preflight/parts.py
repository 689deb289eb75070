"""Whether the parts of a data set were made alike: range, mean, layout, order of channels, and the balance of their classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from vicinal.data.dataset import Dataset, Images
from vicinal.lab.preflight.findings import Finding
from vicinal.lab.wording import decimal, listed

_MOST = 2000  # items of a part that are looked at
_LEVEL = 0.001  # of the test on means, after Bonferroni
_EFFECT = 0.2  # standard deviations: Cohen's "small"; less is beyond chance in a large test part, and of no matter
_FAR = 1.0  # standard deviations: no sampling explains it
_RARE, _RARER = 3.0, 10.0  # times the most frequent class outnumbers the rarest
_COLOURS = (1, 3, 4)


@final
@dataclass(frozen=True, eq=False)
class Form:
    """How the images of a part are stored: in their own unit.

    Args:
        dtypes, shapes: every one that occurs; low, high: extreme values, the highest as the 99.9 % quantile of the items' maxima.
        mean, std: (N, C) of every item and channel, scaled to [0, 1] where the dtype says how; empty where channels differ.
    """

    dtypes: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    low: float
    high: float
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    @staticmethod
    def of(images: Images) -> Form:
        """The form of (N, H, W, C) images, or of a list of images; evenly spread ones are looked at where there are many."""
        some = [np.asarray(images[row]) for row in np.linspace(0, len(images) - 1, min(_MOST, len(images))).astype(int)]
        shapes, dtypes = tuple(dict.fromkeys(one.shape for one in some)), tuple(sorted({str(one.dtype) for one in some}))
        alike = len({shape[-1] for shape in shapes}) == 1
        of = (
            [[function(_scaled(one), axis=tuple(range(one.ndim - 1))) for one in some] for function in (np.mean, np.std)]
            if alike
            else [[], []]
        )
        high = float(np.quantile([one.max() for one in some], 0.999))
        return Form(dtypes, shapes, float(min(one.min() for one in some)), high, np.array(of[0]), np.array(of[1]))

    @property
    def channels_first(self) -> bool:
        """Whether every image looks like (C, H, W): few rows of many columns of many channels."""
        return all(len(shape) == 3 and shape[0] in _COLOURS and shape[1] > 4 and shape[2] > 4 for shape in self.shapes)


def _scaled(image: NDArray) -> NDArray[np.float64]:
    top = np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1
    return image.astype(np.float64) / top


def preprocessing(train: Images, test: Images) -> Iterator[Finding]:
    """Findings on two parts that were not made alike, from their arrays as they come: any dtype, range and layout.

    Example:
        >>> noise = np.random.default_rng(0).random((50, 8, 8, 3), np.float32)
        >>> [finding.sentence for finding in preprocessing(noise, noise * 255)]
        ['Values reach 255.0 in test and 1.0 in train: one of them was divided by 255 and the other was not.']
    """
    first, second = Form.of(train), Form.of(test)
    yield from _layout(first, second)
    yield from _range(first, second)
    if first.mean.size and second.mean.size and first.mean.shape[1] == second.mean.shape[1]:
        yield from _channels(first, second)


def _layout(train: Form, test: Form) -> Iterator[Finding]:
    both = [name for name, form in (("train", train), ("test", test)) if form.channels_first]
    if both:
        shape = "x".join(map(str, (train if both[0] == "train" else test).shapes[0]))
        advice = "Move the axis: images.transpose(0, 2, 3, 1)."
        yield Finding(
            "wrong", "layout", f"Images of {listed(both)} look channels first ({shape}); height, width, channels is meant.", advice
        )
    if train.dtypes != test.dtypes:
        sentence = f"Values are {listed(train.dtypes)} in train and {listed(test.dtypes)} in test."
        yield Finding("wrong", "dtype", sentence, "Read both parts in one way.")


def _range(train: Form, test: Form) -> Iterator[Finding]:
    if train.dtypes != test.dtypes or min(train.high, test.high) <= 0:
        return
    ratio = test.high / train.high
    known = next((top for top in (255, 65535) if 0.8 < max(ratio, 1 / ratio) / top < 1.25), None)
    sentence = f"Values reach {_short(test.high)} in test and {_short(train.high)} in train"
    if known:
        yield Finding("wrong", "range", f"{sentence}: one of them was divided by {known} and the other was not.", "Scale both alike.")
    elif not 0.5 <= ratio <= 2:
        yield Finding("wrong", "range", f"{sentence}.", "Scale both alike.")
    if (train.low < 0) != (test.low < 0) and min(train.low, test.low) < -0.1 * max(train.high, test.high):
        where = "test" if test.low < 0 else "train"
        yield Finding("wrong", "range", f"Values below 0 stand in {where} alone: was only one part standardised?", "Normalise both alike.")


def _short(value: float) -> str:
    return decimal(value, 1 if value >= 0.1 else 4)


def _channels(train: Form, test: Form) -> Iterator[Finding]:
    if not 0.5 <= test.high / max(train.high, 1e-12) <= 2:
        return  # the range has been told, and explains the rest
    if swapped(train.mean, test.mean):
        sentence = "Channels of test look like those of train in the reverse order: RGB in one part and BGR in the other?"
        yield Finding("wrong", "channels", sentence, "Reverse one: images[..., ::-1].")
        return
    for name, first, second in (("mean", train.mean, test.mean), ("spread", train.std, test.std)):
        apart, effect = drift(first, second)
        if apart and abs(effect) > _EFFECT:
            told = f"{decimal(float(first.mean()), 3)} in train and {decimal(float(second.mean()), 3)} in test"
            far = abs(effect) > _FAR
            inverted = name == "mean" and far and abs(1 - first.mean() - second.mean()) < 0.25 * abs(first.mean() - second.mean())
            words = "; is one the negative of the other?" if inverted else "."
            sentence = f"The {name} of the values differs beyond chance: {told}, {decimal(abs(effect))} standard deviations of items{words}"
            yield Finding("wrong" if far else "doubt", "drift", sentence, "Look whether both parts were recorded and prepared in one way.")


def drift(train: NDArray[np.float64], test: NDArray[np.float64]) -> tuple[bool, float]:
    """Whether some channel of (N, C) statistics of items differs beyond chance, and the largest effect in standard deviations.

    Welch's statistic against the normal law, with Bonferroni's correction for the channels.
    """
    spread = np.sqrt((train.var(0) + test.var(0)) / 2)
    difference = test.mean(0) - train.mean(0)
    effect = np.divide(difference, spread, out=np.zeros_like(spread), where=spread > 0)
    error = np.sqrt(train.var(0) / max(1, len(train) - 1) + test.var(0) / max(1, len(test) - 1))
    far = np.abs(difference) > special.ndtri(1 - _LEVEL / (2 * train.shape[1])) * error
    return bool((far & (spread > 0)).any()), float(effect[np.abs(effect).argmax()])


def swapped(train: NDArray[np.float64], test: NDArray[np.float64]) -> bool:
    """Whether the first and the last of three channels have changed places, by (N, 3 or more) means of items.

    Example:
        >>> warm = np.random.default_rng(0).normal((0.6, 0.5, 0.3), 0.05, (100, 3))
        >>> swapped(warm, warm[:, ::-1]), swapped(warm, warm)
        (True, False)
    """
    if train.shape[1] < 3:
        return False
    first, second = (part[:, 0] - part[:, 2] for part in (train, test))
    error = np.sqrt(first.var() / len(first) + second.var() / len(second))
    straight, crossed = abs(second.mean() - first.mean()), abs(second.mean() + first.mean())
    return bool(straight > 5 * error and crossed < 0.5 * straight and first.mean() * second.mean() < 0)


def balance(data: Dataset, train: NDArray[np.int64], test: NDArray[np.int64]) -> Iterator[Finding]:
    """Findings on rare classes in train, and on classes that test has in other shares."""
    counts = [np.bincount(data.labels[rows], minlength=len(data.classes)) for rows in (train, test)]
    most, least = int(counts[0].argmax()), int(counts[0].argmin())
    ratio = counts[0][most] / max(1, counts[0][least])
    if ratio >= _RARE:
        sentence = (
            f"Classes are unbalanced: {counts[0][most]:,} items of {data.classes[most]} in train "
            f"and {counts[0][least]:,} of {data.classes[least]}, {decimal(ratio)} to 1."
        )
        yield Finding("doubt" if ratio >= _RARER else "note", "balance", sentence, "Read balanced accuracy, and try resample: over.")
    lone = [name for name, one, other in zip(data.classes, *counts, strict=True) if (one > 0) != (other > 0)]
    if lone:
        yield Finding("doubt", "balance", f"Of {listed(lone[:10])} there are items in one of train and test alone.", "Look at the split.")
    shares = [count / max(1, count.sum()) for count in counts]
    apart = float(np.abs(shares[0] - shares[1]).sum() / 2)
    if apart > 0.1 and not lone and _differ(counts):
        sentence = f"Train and test have classes in other shares: {decimal(100 * apart)} % of the items would have to change their class."
        yield Finding("doubt", "balance", sentence, "Weigh classes, or read recalls instead of accuracy.")


def _differ(counts: list[NDArray[np.int64]]) -> bool:
    """Whether two rows of counts come from different shares: a chi-squared test; half an item keeps cells from being empty."""
    p: float = stats.chi2_contingency(np.array(counts) + 0.5)[1]  # type: ignore[index]
    return p < _LEVEL
