"""Every arm against the controls: how much of its gain could be had without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.lab import arms, statistics, wording
from vicinal.lab.analysis.scene import Scene, ends, together, usable
from vicinal.lab.pace import score
from vicinal.lab.sides import Side
from vicinal.lab.split import spare
from vicinal.lab.study import seen_by

_LITTLE = 0.1  # share of a gain up to which none of it may be said


def confounds(scene: Scene) -> list[dict[str, Any]]:
    """How much of the naive gain of every arm the controls reach without it: unchanged copies, and as many optimiser steps."""
    return [found for name, side in scene.asked.items() if (found := _confound(scene, name, side)) is not None]


def _confound(scene: Scene, name: str, side: Side) -> dict[str, Any] | None:
    duplicate = next(iter(scene.controls("duplicate").values()), None)
    matched = step_matched(scene.sides, side, scene.reference)
    controls = [control for control in (duplicate, matched) if control is not None]
    if not controls or not usable(_scores(scene, side, scene.reference, *controls)):
        return None
    found = explained(scene, side, duplicate, matched)
    parts = [part for part in (found.duplicate, found.step_matched) if part is not None]
    most = max(parts, key=lambda part: part.mean, default=None)
    share = {"share": None, "low": None, "high": None} if most is None or most.low is None else _share(most)
    return {
        "arm": name,
        "naive": found.gain.mean,
        "duplicate": None if found.duplicate is None else found.duplicate.mean * found.gain.mean,
        "steps": None if found.step_matched is None else found.step_matched.mean * found.gain.mean,
        **share,
        "sentence": "" if most is None else _confound_sentence(scene, name, found, most),
    }


def _share(found: statistics.Estimate) -> dict[str, float | None]:
    return {"share": found.mean, "low": found.low, "high": found.high}


def step_matched(sides: Mapping[str, Side], side: Side, reference: Side) -> Side | None:
    """The reference trained for as many steps as an arm took, where those are not the reference's own."""
    if side.steps == reference.steps:
        return None
    return next((other for other in sides.values() if other.arm.control == "steps" and other.steps == side.steps), None)


def explained(scene: Scene, side: Side, duplicate: Side | None, matched: Side | None) -> statistics.Explained:
    """The shares of a gain that the controls reach, over the seeds that all of them have."""
    known = [one for one in (duplicate, matched) if one is not None]
    scores = _scores(scene, side, scene.reference, *known)
    gains = scores - scores[1]
    first = None if duplicate is None else gains[2]
    return statistics.explained(gains[0], first, None if matched is None else gains[-1], scene.level)


def _scores(scene: Scene, *sides: Side) -> NDArray[np.float64]:
    """(sides, S) scores under the seeds that all of them have."""
    return np.array([[score(one, scene.metric) for one in some] for some in together(*sides)])


def _confound_sentence(scene: Scene, name: str, found: statistics.Explained, most: statistics.Estimate) -> str:
    reason = "as many optimiser steps without it" if most is found.step_matched else "unchanged copies"
    gain = f"{name}'s gain of {wording.points(found.gain.mean, scene.unit)} {scene.unit.word}"
    if most.low is None:
        return f"{gain} is too uncertain to say how much of it {reason} would reach."
    return f"{_share_words(most)} of {gain} is reached by {reason}."


def _share_words(share: statistics.Estimate) -> str:
    """A share of a gain: all of it, and next to none of it, in words."""
    if share.mean <= 0.005 and (share.high or 0) < _LITTLE:
        return "None"
    return f"All ({wording.percentages(ends(share))})" if share.mean >= 0.995 else f"About {wording.percentages(ends(share))}"


def step_note(scene: Scene) -> str | None:
    """Where arms took other numbers of steps than the reference: how much of each naive difference is compute."""
    notes = []
    for side in scene.asked.values():
        matched = step_matched(scene.sides, side, scene.reference)
        if matched is not None and usable(_scores(scene, side, scene.reference, matched)):
            notes.append(_step_sentence(scene, side, matched))
    return " ".join(notes) or None


def _step_sentence(scene: Scene, side: Side, matched: Side) -> str:
    naive, honest = (side.gains(other, scene.metric) for other in (scene.reference, matched))
    share = explained(scene, side, None, matched).step_matched
    known = share is not None and share.low is not None and share.mean > 0.005
    compute = f"{_share_words(share)} of the gain is compute, not augmentation." if known and share is not None else ""
    sentences = (
        f"{side.arm.name} took {side.steps / scene.reference.steps:.1f} times the optimiser steps of none and differs from it by "
        f"{wording.points(float(naive.mean()), scene.unit)} {scene.unit.word}.",
        f"Against none trained for as many steps it differs by {scene.said(scene.mean(honest))}.",
        compute,
    )
    return " ".join(filter(None, sentences))


def cheap(scene: Scene) -> list[dict[str, Any]]:
    """Every arm against the best cheap alternative: chosen by its mean on dev, compared on test, corrected over the arms (Holm)."""
    known = scene.controls("cheap")
    if not known:
        return []
    panel = {str(arm.policy) for arm in arms.cheap()}  # one that was asked about has no second as a control
    known |= {name: side for name, side in scene.asked.items() if str(side.arm.policy) in panel}
    rivals = {name: _best_on_dev(scene, {other: side for other, side in known.items() if other != name}) for name in scene.asked}
    pairs = {name: rival for name, rival in rivals.items() if rival is not None}
    gains = {name: scene.asked[name].gains(rival, scene.metric) for name, rival in pairs.items()}
    found = scene.judged({name: values for name, values in gains.items() if usable(values)})
    return [_cheap(scene, name, pairs[name].arm.name, one) for name, one in found.items()]


def _best_on_dev(scene: Scene, known: dict[str, Side]) -> Side | None:
    known = {name: side for name, side in known.items() if usable(side.scores(scene.metric, "dev"))}
    return max(known.values(), key=lambda side: float(side.scores(scene.metric, "dev").mean()), default=None)


def _cheap(scene: Scene, name: str, rival: str, found: statistics.Comparison) -> dict[str, Any]:
    said = {"helps": "beats", "hurts": "loses to", "no evidence": "is not shown to differ from"}[found.verdict]
    sentence = f"{name} {said} the cheap alternative that is best on dev, {rival}: {scene.said(found.difference)}."
    return {"arm": name, "against": rival, **ends(found.difference), "p": found.difference.p_adjusted, "sentence": sentence}


def real_images(scene: Scene) -> list[dict[str, Any]]:
    """Arms with generated items against the reference with as many real ones more as their generator saw (`Study` says which)."""
    if "real" not in scene.study.controls:
        return []
    found = [_real(scene, name, side) for name, side in scene.asked.items() if side.arm.generated is not None]
    return [one for one in found if one is not None]


def _real(scene: Scene, name: str, side: Side) -> dict[str, Any] | None:
    seen = seen_by(side.arm)
    fitting = [other for other in scene.controls("real").values() if other.arm.real <= seen]
    rival = max(fitting, key=lambda other: other.arm.real, default=None)
    values = np.zeros(0) if rival is None else side.gains(rival, scene.metric)
    if spare(scene.study.data, scene.cell.size, scene.study.rules.test) == 0:
        sentence = f"{name} cannot be compared with {seen:,} real items more, as many as its generator saw: the data have none left."
        return {"arm": name, "against": None, "mean": None, "low": None, "high": None, "sentence": sentence}
    if rival is None or not usable(values):  # its trials failed, or were left out
        return None
    gain = scene.mean(values)
    fewer = f" (its generator saw {seen:,}, but the data have no more left)" if rival.arm.real < seen else ""
    word = {1: "is better than", -1: "is worse than", 0: "is not shown to differ from"}[gain.sign]
    sentence = f"{name} {word} {rival.arm.real:,} real items more{fewer}: {scene.said(gain)}."
    return {"arm": name, "against": rival.arm.name, **ends(gain), "sentence": sentence}
