"""Texts as the main target: decided by the address alone, in any form and batch, by any backend, and refused where they do not belong."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import vicinal as v

TEXTS = ["all the world 's a stage", "to be or not to be", "the rest is silence", "brevity is the soul of wit", "ça ira 🙂"]


def shuffled(text: str) -> str:
    """Draws from the global generators of Python and NumPy."""
    words = text.split()
    random.shuffle(words)
    return " ".join(words[int(np.random.randint(len(words))) :])  # noqa: NPY002


def thinned(text: str, rng: np.random.Generator) -> str:
    return "".join(letter for letter in text if rng.random() > 0.3)


POLICIES = {
    "one": v.wrapped(thinned),
    "global": v.wrapped(shuffled, p=0.7),
    "nested": v.Compose(
        [
            v.OneOf([v.wrapped(thinned), v.wrapped(shuffled), v.Lambda(function="string:capwords")]),
            v.wrapped(str.upper, name="upper", p=0.5),
        ]
    ),
}
policies = pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))


@policies
def test_a_text_is_decided_by_its_address_alone(policy: v.Transform) -> None:
    whole = policy(TEXTS, seed=3, epoch=2)
    assert all(type(text) is str for text in whole)
    assert len(set(policy(TEXTS[:1] * 40, seed=3))) > 1
    for rows in ([4], [3, 0, 2]):
        assert policy([TEXTS[row] for row in rows], seed=3, epoch=2, index=rows) == [whole[row] for row in rows]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda row: policy(TEXTS[row], seed=3, epoch=2, index=row), range(5))) == whole
    assert policy(TEXTS, seed=3, epoch=2, threads=2) == policy(TEXTS, seed=3, epoch=2, backend="reference") == whole


@policies
def test_texts_come_back_in_the_form_in_which_they_came(policy: v.Transform) -> None:
    as_list = policy(TEXTS, seed=1)
    for given in (np.array(TEXTS), np.array(TEXTS, object)):
        before = given.copy()
        array = policy(given, seed=1)
        assert (array.dtype, array.tolist()) == (object, as_list)
        assert array.address.index.tolist() == list(range(5))
        assert (given == before).all()
    result = policy(text=TEXTS, label=np.arange(5), seed=1)
    assert (result["text"], result["label"].tolist()) == (as_list, list(range(5)))
    assert isinstance(policy(text=TEXTS[0], seed=1)["text"], str)
    assert policy.at(seed=1, index=2).replay(TEXTS[2]) == as_list[2]
    assert len(policy(text=np.array([], object), seed=0)["text"]) == 0


def test_views_of_texts() -> None:
    first, second = v.Views([POLICIES["one"]])(TEXTS, seed=0)
    assert first == POLICIES["one"](TEXTS, seed=0) != second


def test_what_was_asked_is_explained() -> None:
    assert POLICIES["one"].explain(TEXTS).splitlines()[-1] == "  out: texts"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: v.Rotate(angle=3)(text=TEXTS), "Rotate: expected a target of kind image, got text"),
        (lambda: v.Jitter(std=1)(text=TEXTS), "Jitter: expected a target of kind series, got text"),
        (lambda: v.MixUp()(text=TEXTS, label=np.eye(5)), "MixUp: expected a target of kind image, got label, text"),
        (lambda: v.Compose([POLICIES["one"], v.Invert()])(text=TEXTS), "expected a target of kind image, got text"),
        (lambda: POLICIES["one"](text=[1, 2]), r"text: expected a str, or a list or \(B,\) array of them, got int"),
        (lambda: POLICIES["one"](text=np.array([["a"]])), r"text: expected a str.*got an array of shape \(1, 1\)"),
        (lambda: POLICIES["one"](text=[]), "text: expected at least one sample"),
        (lambda: POLICIES["one"](text=TEXTS, boxes=[np.zeros((0, 4))] * 5), "boxes: expected no target but label beside texts, got boxes"),
        (lambda: POLICIES["one"](text=TEXTS, image=np.zeros((5, 4, 4, 1))), "exactly one of image, series, volume and text"),
        (lambda: v.wrapped(len, name="len")(TEXTS), r"Wrapped\(len\): expected a str, as it came, got int"),
        (lambda: v.Lambda(function="builtins:len")(TEXTS), r"Lambda\(builtins:len\): expected a str, as it came, got int"),
        (lambda: v.wrapped(str.index, name="index")(TEXTS), r"Wrapped\(index\): expected an operation that can run on this item alone"),
    ],
)
def test_what_does_not_belong_together_gets_a_sentence(call, says: str) -> None:
    with pytest.raises(v.TargetError, match=says):
        call()
