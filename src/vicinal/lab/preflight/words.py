"""What a check says about all of it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vicinal.data.dataset import Dataset
from vicinal.lab.preflight.findings import Finding
from vicinal.lab.preflight.judged import Judged
from vicinal.lab.preflight.leaks import Leaks, conflicting
from vicinal.lab.preflight.survive import THRESHOLD, Kept
from vicinal.lab.preflight.sweep import Safe
from vicinal.lab.preflight.values import Valued
from vicinal.lab.wording import accuracy, decimal, listed

_WEIGHTS = (("lost", "wrong"), ("survives", "fine"))  # of verdicts; all others are doubts
_CLASSES = 3  # that a sentence names


def answer_sentence(findings: Sequence[Finding]) -> str:
    """How many findings of each weight there are.

    Example:
        >>> answer_sentence([Finding("wrong", "a", "A."), Finding("fine", "b", "B."), Finding("fine", "c", "C.")])
        '1 thing is wrong; 2 are in order.'
        >>> answer_sentence([Finding("fine", "b", "B.")])
        'Nothing is wrong; 1 is in order.'
    """
    count = {weight: sum(finding.weight == weight for finding in findings) for weight in ("wrong", "doubt", "fine")}
    wrong = f"{count['wrong']} thing{'s are' if count['wrong'] > 1 else ' is'} wrong" if count["wrong"] else "Nothing is wrong"
    doubt = f", {count['doubt']} {'are' if count['doubt'] > 1 else 'is'} doubtful" if count["doubt"] else ""
    return f"{wrong}{doubt}; {count['fine']} {'is' if count['fine'] == 1 else 'are'} in order."


def leak_findings(data: Dataset, found: Sequence[Leaks]) -> Iterator[Finding]:
    """Findings on groups that straddle and on copies in two parts; one where there are none."""
    for leak in found:
        held, other = leak.parts
        if leak.straddling:
            sentence = f"{accuracy(leak.straddling)} of the {held} items have a sibling, an item of the same source, in {other}."
            yield Finding("wrong", "leak", sentence, "Split by source.")
        if len(leak.pairs):
            yield _copies(leak)
        if leak.searched < 1:
            yield Finding(
                "note", "leak", f"Only {accuracy(leak.searched)} of the {held} items were compared with {other}: there are too many."
            )
    if wrong := conflicting(data, found):
        plural = "s" if wrong > 1 else ""
        yield Finding("wrong", "labels", f"{wrong:,} of these pair{plural} have different labels: one of the two is wrong.")
    if not any(leak.straddling or len(leak.pairs) for leak in found):
        yield Finding("fine", "leak", "No copy and no sibling stands in two parts: test, dev and train are apart.")


def _copies(leak: Leaks) -> Finding:
    held, other = leak.parts
    count, near = len(leak.pairs), len(leak.pairs) - leak.exact
    kinds = [f"{number:,} {word}" for number, word in ((leak.exact, "to the byte"), (near, "nearly")) if number]
    plural = "items have copies" if count > 1 else "item has a copy"
    sentence = f"{count:,} {held} {plural} in {other}: {listed(kinds)}."
    return Finding("wrong" if held == "test" else "doubt", "leak", sentence, "Take them out, or give copies one source id.")


def judged_finding(told: Judged, classes: Sequence[str]) -> Finding:
    """The verdict on one policy as a sentence."""
    name, verdict, weight = told.arm.name, told.verdict, dict(_WEIGHTS).get(told.verdict, "doubt")
    share = _share(told.survival.overall)
    if verdict == "unknown":
        return Finding(weight, "labels", f"{name}: the judges know none of the originals, so nothing can be said.")
    if verdict == "survives":
        return Finding(weight, "labels", f"{name}: labels survive, {share} of what the judges knew.")
    taught = f", {_share(told.taught.overall)} once they have been taught it" if told.taught else ""
    if verdict == "unfamiliar":
        sentence = f"{name}: labels are there but look unfamiliar, {share} of what the judges knew{taught}."
        return Finding(weight, "labels", sentence, "Compare it: nothing in the data says whether it helps.")
    start = {"doubtful": "perhaps too strong", "partly lost": "labels of some classes are lost"}.get(verdict, "labels are lost")
    sentence = f"{name}: {start}, {share} of what the judges knew{taught}{_worst(told, classes)}."
    return Finding(weight, "labels", sentence, _advice(told))


def valued_finding(told: Valued) -> Finding:
    """The verdict on one policy in a regression as a sentence."""
    name, verdict, weight = told.arm.name, told.verdict, dict(_WEIGHTS).get(told.verdict, "doubt")
    if verdict == "unknown":
        return Finding(weight, "targets", f"{name}: the judges explain nothing of the targets, so nothing can be said.")
    start = {"survives": "targets survive", "unfamiliar": "targets are there but look unfamiliar", "doubtful": "perhaps too strong"}
    taught = f", {_share(told.taught)} once they have been taught it" if told.taught else ""
    moved = f"Answers move by {decimal(told.moved, 2)} standard deviations of the targets, equivariance {decimal(told.equivariance, 2)}."
    sentence = f"{name}: {start.get(verdict, 'targets are lost')}, {_share(told.survival)} of what the judges explained{taught}. {moved}"
    advice = {"survives": "", "unfamiliar": "Compare it: nothing in the data says whether it helps."}
    return Finding(weight, "targets", sentence, advice.get(verdict, "Make it weaker, or leave it out: targets do not move with items."))


def _share(kept: Kept) -> str:
    return f"{accuracy(kept.share)} [{decimal(100 * kept.low)}, {decimal(100 * kept.high)}]"


def _worst(told: Judged, classes: Sequence[str]) -> str:
    """The classes whose labels go first, of those that practised judges are sure to have lost and taught ones do not give back."""
    last = told.taught or told.survival
    heard = zip(classes, told.survival.classes, last.classes, strict=True)
    lost = sorted((kept.share, name) for name, first, kept in heard if first.verdict == "lost" and kept.share < THRESHOLD)
    named = [f"{name} ({accuracy(share)})" for share, name in lost[:_CLASSES]]
    return f"; least of {listed(named)}" if named else ""


def _advice(told: Judged) -> str:
    """The ranges to keep to, or the strength, or to leave it out."""
    if exceeded := [safe for safe in told.safe if safe.exceeded]:
        return f"Safe: {listed([range_words(safe) for safe in exceeded])}."
    safe = [strength for strength, share in told.strengths if share >= THRESHOLD]
    return f"Try a strength of {max(safe):g}." if safe and max(safe) < 1 else "Leave it out, or keep it from these classes."


def range_words(safe: Safe) -> str:
    """A safe range as a person says it.

    Example:
        >>> range_words(Safe("Rotate", "angle", "degrees", 0.0, (-90.0, 90.0), -21.3, 30.0, False, True, ()))
        'Rotate.angle from -21.3 to at least 30 degrees'
    """
    low, high = (
        f"{'at least ' if is_open else ''}{value:.3g}" for value, is_open in ((safe.low, safe.low_open), (safe.high, safe.high_open))
    )
    ends = f"from {low} to {high}"
    if safe.asked[0] >= safe.neutral:
        ends = f"up to {high}"
    elif safe.asked[1] <= safe.neutral:
        ends = f"down to {low}"
    return f"{safe.operation}.{safe.parameter} {ends} {safe.unit}".rstrip()
