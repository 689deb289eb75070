"""What a check says about all of it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vicinal.data.dataset import Dataset
from vicinal.lab.preflight.findings import Finding
from vicinal.lab.preflight.leaks import Leaks, conflicting
from vicinal.lab.wording import accuracy, listed


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
