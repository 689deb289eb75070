"""What an error says to write is tried: it cures the fault."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import vicinal as v
from vicinal.core.errors import VicinalError
from vicinal.data import from_arrays, from_series
from vicinal.lab.measure.outputs import checked_classes, checked_numbers, checked_probabilities
from vicinal.learn.feed import checked_inputs, checked_labels, checked_weights
from vicinal.learn.trainer import Goal

IMAGE, BATCH = np.zeros((8, 10, 3), np.uint8), np.zeros((2, 8, 10, 3), np.uint8)
FLOATS, WORDS = np.zeros((8, 10, 3), np.float32), v.wrapped(str.upper, name="upper")
GOAL = Goal((2,), 3)
HALVES = np.full((2, 2), 0.5)


def flipped(**targets: Any) -> Any:
    given: dict[str, Any] = {"image": IMAGE, "seed": 0} | targets
    return v.HorizontalFlip()(**given)


def arrays(**more: Any) -> Any:
    return from_arrays(np.zeros((6, 4, 4, 1), np.uint8), [0, 0, 0, 1, 1, 1], **more)


def written(fails: Callable[[], Any]) -> str:
    with pytest.raises(VicinalError) as caught:
        fails()
    assert caught.value.write
    return caught.value.write.removesuffix(", say")


VALUES: list[tuple[str, Callable[[Any], Any], Any]] = [
    ("image", lambda image: v.Invert()(image, seed=0), [IMAGE, IMAGE[..., :1]]),
    ("image", lambda image: v.Grayscale()(image, seed=0), np.zeros((4, 4, 5), np.uint8)),
    ("image", lambda image: v.ChromaticAberration()(image, seed=0), np.zeros((4, 4, 2), np.uint8)),
    ("image", lambda image: v.Sepia()(image, seed=0), IMAGE[..., 0]),
    ("image", lambda image: v.Sepia()(image, seed=0), BATCH[..., :1]),
    ("text", lambda text: WORDS(text=text), 5),
    ("texts", lambda texts: WORDS(text=texts), [1, 2]),
    ("texts", lambda texts: WORDS(text=texts), np.array([["a"]])),
    ("rows", lambda rows: flipped(boxes=rows), np.array([0.0, 0, 3, 3])),
    ("rows", lambda rows: flipped(boxes=rows), np.array([[0.0, 0, 3, 3, 1]])),
    ("rows", lambda rows: flipped(boxes=rows), np.array([[0.0, 0, 3, 3], [0, 0, np.nan, 1]])),
    ("points", lambda points: flipped(keypoints=points), np.array([[1.0, 2, 3, 4]])),
    ("mask", lambda mask: flipped(mask=mask), np.zeros((4, 5), np.int32)),
    ("masks", lambda masks: flipped(masks=masks), np.ones((2, 8, 10))),
    ("masks", lambda masks: flipped(masks=masks), np.ones((8, 10), bool)),
    ("masks", lambda masks: flipped(masks=masks), np.ones((8, 10, 2), bool)),
    ("ring", lambda ring: flipped(polygons=[ring]), [1, 1, 5, 1, 5, 5]),
    ("ring", lambda ring: flipped(polygons=[ring]), [[1, 1], [5, 5]]),
    ("times", lambda times: v.TimeShift(by=1)(series=np.zeros(9, np.float32), events=times, seed=0), np.array([[1.0, 2]])),
    ("series", lambda series: from_series(series, np.arange(6.0)), np.zeros((6, 2, 2, 2))),
    ("sources", lambda sources: arrays(sources=sources), np.arange(6) / 2),
    ("sources", lambda sources: arrays(sources=sources), np.arange(-3, 3)),
    ("labels", lambda labels: checked_probabilities(HALVES, labels), np.array([1, 2])),
    ("labels", lambda labels: checked_probabilities(HALVES, labels), np.array([0.0, 1])),
    ("labels", lambda labels: checked_probabilities(HALVES, labels), np.eye(2)),
    ("labels", lambda labels: checked_classes([0, 1], labels), np.array([-1, 1])),
    ("outputs", lambda outputs: checked_numbers(outputs, np.zeros((2, 4))), np.zeros((2, 2, 2))),
    ("labels", lambda labels: checked_labels(labels, (4,), GOAL, "feed"), np.array([0.0, 1, 2, 1])),
    ("labels", lambda labels: checked_labels(labels, (4,), GOAL, "feed"), np.array([-1, 0, 1, 1])),
    ("labels", lambda labels: checked_labels(labels, (4,), Goal((2,), 1, True), "feed"), np.array([1, 2, 3, 4])),
    ("weights", lambda weights: checked_weights(weights, 2, GOAL), np.ones((3, 3))),
    ("inputs", lambda inputs: checked_inputs(inputs, 2), np.zeros((4, 2, 1), np.float32)),
    ("angle", lambda angle: v.Rotate(angle=angle), {"lgo": [1, 2]}),
    ("angle", lambda angle: v.Rotate(angle=angle), {"normal": [0, -1]}),
    ("angle", lambda angle: v.Rotate(angle=angle), {"choice": []}),
    ("angle", lambda angle: v.Rotate(angle=angle), {"log": [1, 2], "about": 1}),
    ("angle", lambda angle: v.Rotate(angle=angle), None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "call", "wrong"), VALUES)
def test_the_written_value_is_taken(name: str, call: Callable[[Any], Any], wrong: Any):
    write = written(lambda: call(wrong))
    call(eval(write, {"np": np, "cv2": pytest.importorskip("cv2"), "N": 2, name: wrong}))


@pytest.mark.parametrize("pair", [(IMAGE, FLOATS), (FLOATS, IMAGE), (IMAGE.astype(np.uint16), IMAGE), (FLOATS, IMAGE.astype(np.uint16))])
def test_a_list_gets_one_dtype(pair: tuple[np.ndarray, np.ndarray]):
    image = [part + part.dtype.type(1) for part in pair]
    image[1] = eval(written(lambda: v.Invert()(image, seed=0)), {"np": np, "image": image})
    v.Invert()(image, seed=0)


ARGUMENTS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (lambda **given: v.Compose([v.Invert()], **given), {"exact": 2}),
    (lambda **given: v.Views([v.Invert()], **given), {"p": 0.5}),
    (lambda **given: v.OneOf([v.Invert(), v.Invert()], **given), {"weights": (1,)}),
    (v.Invert, {"name": "a/b"}),
    (v.Invert, {"name": ""}),
    (v.ToTensor, {"p": 0.5}),
    (v.Resize, {"size": 0}),
    (v.Lambda, {"function": "numpy"}),
    (v.Jitter, {"std": -1}),
    (lambda **given: v.Invert()(BATCH, **given), {"seed": -1}),
    (lambda **given: v.Invert()(BATCH, seed=0, **given), {"epoch": [1, 2, 3]}),
    (lambda **given: v.Invert()(BATCH, seed=0, **given), {"epoch": 0.5}),
    (lambda **given: v.Invert()(BATCH, seed=0, **given), {"index": [0.5, 1]}),
    (lambda **given: flipped(keypoints=v.Keypoints([[1.0, 2], [3, 4]], **given)), {"swap": [(0, 9)]}),
    (arrays, {"sources": [1, 2]}),
    (arrays, {"official_test": [True]}),
]  # fmt: skip


@pytest.mark.parametrize(("call", "wrong"), ARGUMENTS)
def test_the_written_argument_is_taken(call: Callable[..., Any], wrong: dict[str, Any]):
    write = written(lambda: call(**wrong))
    call(**wrong | eval(f"dict({write})", {"np": np, "images": BATCH}))
