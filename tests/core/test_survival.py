"""The survival report against shapely, one operation after the other, and against what calls keep."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import CANVAS, PLAIN

import vicinal as v

SIZE, BATCH, EPOCHS, SMALL = (48, 64), 5, 4, 9.0
IMAGES = np.zeros((BATCH, *SIZE, 1), np.uint8)


def scene(seed: int) -> tuple[list[np.ndarray], list[list[str]]]:
    """Boxes of two classes."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 0.7, (BATCH, 6, 2)) * SIZE[::-1]
    boxes = np.concatenate([low, np.minimum(low + rng.uniform(3, 30, low.shape), SIZE[::-1])], -1)
    counts = rng.integers(0, 7, BATCH)
    names = [rng.choice(["cell", "nucleus"], count).tolist() for count in counts]
    return [part[:count] for part, count in zip(boxes, counts, strict=True)], names


def fates(moves: list[v.Transform], boxes: list, names: list, min_visible: float, outside: str, seed: int) -> dict:
    """What each move drops, truncates and shrinks, by shapely."""
    told = {(kind, name, move.label): 0 for kind in ("dropped", "truncated", "shrunk") for name in ("cell", "nucleus") for move in moves}
    kept = {"cell": 0, "nucleus": 0}
    for epoch in range(EPOCHS):
        for row in range(BATCH):
            state = [
                [shapely.box(*box), shapely.box(*box), True, False, min(box[2] - box[0], box[3] - box[1]) < SMALL] for box in boxes[row]
            ]
            size = SIZE
            for move in moves:
                plan = move(image=np.zeros((*size, 1), np.uint8), seed=seed, epoch=epoch, index=row).plan
                for part in plan.moves():
                    if part.active[0]:
                        size = tuple(part.size[0])
                        _step(part.matrix[0], size, state, names[row], move.label, told, min_visible, outside)
            for (_, _, alive, _, _), name in zip(state, names[row], strict=True):
                kept[name] += alive
    return {"told": told, "kept": kept}


def _step(matrix: np.ndarray, size: tuple, state: list, names: list, label: str, told: dict, min_visible: float, outside: str) -> None:
    (a, b, x), (c, d, y) = matrix[:2]
    for one, name in zip(state, names, strict=True):
        left, whole = (shapely.affinity.affine_transform(shape, [a, b, c, d, x, y]) for shape in one[:2])
        left = left.intersection(shapely.box(0, 0, size[1], size[0]))
        share = left.area / whole.area
        cut = share < 1 - 1e-9
        stays = not cut or (share > 0 and share >= min_visible and outside != "drop")
        x0, y0, x1, y1 = left.bounds if left.area else (0, 0, 0, 0)
        short, gone = min(x1 - x0, y1 - y0) < SMALL, one[2] and not stays
        told["dropped", name, label] += gone
        told["truncated", name, label] += one[2] and stays and share < 0.999 and not one[3]
        told["shrunk", name, label] += one[2] and stays and short and not one[4]
        one[:] = [left, whole, one[2] and stays, one[3] or share < 0.999, one[4] or short]


SETTINGS = st.tuples(st.sampled_from(["clip", "drop"]), st.sampled_from([0.0, 0.3, 0.9]))


@settings(derandomize=True, max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(PLAIN + CANVAS), min_size=1, max_size=3, unique_by=lambda move: move.label), SETTINGS, st.integers(0, 99))
def test_the_counts_are_those_of_shapely(moves: list, declared: tuple, seed: int) -> None:
    (outside, share), (boxes, names) = declared, scene(seed)
    policy = v.Compose(moves)
    told = v.survival(
        policy, image=IMAGES, boxes=v.Boxes(boxes, outside=outside, min_visible=share), label=names, seed=seed, epochs=EPOCHS, small=SMALL
    )
    expected = fates(moves, boxes, names, share, outside, seed)
    for k, name in enumerate(told.classes):
        assert told.given[k] == EPOCHS * sum(part.count(name) for part in names)
        assert told.kept[k] == expected["kept"][name]
        assert told.kept[k] + told.dropped[k].sum() == told.given[k]
        for p, label in enumerate(told.operations):
            for kind in ("dropped", "truncated", "shrunk"):
                assert getattr(told, kind)[k, p] == expected["told"][kind, name, label], (kind, name, label)


@settings(derandomize=True, max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(PLAIN + CANVAS), min_size=1, max_size=3, unique_by=lambda move: move.label), SETTINGS, st.integers(0, 99))
def test_what_is_counted_as_kept_is_what_calls_keep(moves: list, declared: tuple, seed: int) -> None:
    (outside, share), (boxes, names) = declared, scene(seed)
    target = v.Boxes(boxes, outside=outside, min_visible=share, min_size=4)
    in_turn = v.Compose([node for move in moves for node in (move, v.Barrier())])
    told = v.survival(v.Compose(moves), image=IMAGES, boxes=target, label=names, seed=seed, epochs=EPOCHS)
    kept = [in_turn(image=IMAGES, boxes=target, seed=seed, epoch=epoch).instances.kept.sum() for epoch in range(EPOCHS)]
    assert told.kept.sum() == sum(kept)
    began_small = sum(int((np.minimum(*(part[:, 2:] - part[:, :2]).T) < 4).sum()) for part in boxes if len(part)) * EPOCHS
    assert told.kept.sum() + told.dropped.sum() >= told.given.sum() - began_small
    assert told.kept.sum() + told.dropped.sum() <= told.given.sum()


def test_unusable_boxes_are_counted_and_nothing_happens_to_them() -> None:
    boxes = v.Boxes([[5.0, 5, 2, 9], [50, 5, 90, 9], [5, 5, 25, 25]], invalid="clip")
    told = v.survival(v.Translate(x=-3), image=IMAGES[0], boxes=boxes, label=["a", "a", "b"], epochs=2)
    assert (told.classes, told.given.tolist(), told.kept.tolist()) == (("a", "b"), [4, 2], [2, 2])
    assert (told.invalid.tolist(), told.repaired.tolist()) == ([2, 0], [2, 0])
    assert told.dropped.sum() == told.truncated.sum() == 0


def test_what_became_too_small_is_dropped_by_what_made_it_so() -> None:
    boxes = v.Boxes([[0.0, 0, 20, 20], [0, 0, 40, 40]], min_size=9)
    policy = v.parse("HorizontalFlip() | Resize(size=(24, 32), name='half') | Resize(size=(20, 30), name='less')")
    told = v.survival(policy, image=IMAGES[0], boxes=boxes, label=["small", "large"], epochs=1)
    assert told.operations == ("HorizontalFlip", "half", "less")
    assert told.classes == ("large", "small")
    assert (told.kept.tolist(), told.dropped.tolist()) == ([1, 0], [[0, 0, 0], [0, 0, 1]])


def test_policies_that_move_nothing_keep_everything() -> None:
    boxes, names = scene(1)
    told = v.survival(v.parse("Invert() | GaussianNoise(std=0.1)"), image=IMAGES, boxes=boxes, label=names)
    assert told.operations == ()
    assert np.array_equal(told.kept, told.given)
    assert "nucleus" in str(told)
    assert told.as_dict()["kept"] == told.kept.tolist()


def test_without_labels_all_instances_are_of_one_class() -> None:
    boxes, _ = scene(2)
    for label in (None, [1] * BATCH, np.zeros(BATCH)):
        assert v.survival(v.Translate(x=-9), image=IMAGES, boxes=boxes, label=label, epochs=1).classes == ("all",)


@pytest.mark.parametrize("targets", [{}, {"mask": np.zeros((BATCH, *SIZE))}])
def test_without_boxes_there_is_a_sentence(targets: dict) -> None:
    with pytest.raises(v.TargetError, match=r"^survival: expected boxes"):
        v.survival(v.Translate(x=-9), image=IMAGES, **targets)


def test_objects_that_mask_dropout_takes_are_dropped_by_it() -> None:
    masks = np.zeros((3, *SIZE), bool)
    boxes = [[0, 0, 10, 10], [20, 0, 40, 20], [50, 20, 60, 40]]
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = True
    policy, targets = v.parse("Translate(x=-15) | MaskDropout(count=1)"), {"boxes": boxes, "masks": masks, "label": ["a", "b", "b"]}
    told = v.survival(policy, image=IMAGES[0], seed=3, epochs=9, **targets)
    assert told.operations == ("Translate", "MaskDropout")
    made = [policy(image=IMAGES[0], seed=3, epoch=epoch, **targets)["label"] for epoch in range(9)]
    assert told.kept.tolist() == [sum(part.count(name) for part in made) for name in ("a", "b")]
    assert told.dropped[:, 0].tolist() == [9, 0]
    assert (told.dropped.sum(1) + told.kept).tolist() == told.given.tolist()
    assert told.dropped[1, 1] == sum(len(part) < 2 for part in made) > 0


def test_an_instance_is_dropped_by_what_leaves_nothing_of_its_mask() -> None:
    mask = np.zeros((1, *SIZE), bool)
    mask[0, :4, :4] = True  # a small object in a large box
    policy = v.parse("HorizontalFlip() | Translate(x=20) | VerticalFlip()")
    told = v.survival(policy, image=IMAGES[0], boxes=[[0, 0, 40, 40]], masks=mask, epochs=2)
    assert told.dropped.tolist() == [[0, 2, 0]]
    polygons = [[[0, 0], [4, 0], [4, 4], [0, 4]]]
    assert v.survival(policy, image=IMAGES[0], boxes=[[0, 0, 40, 40]], polygons=polygons, epochs=2).dropped.tolist() == [[0, 2, 0]]


@pytest.mark.parametrize(("tight", "shrunk"), [(False, 0), (True, 1)])
def test_tight_boxes_shrink_with_what_is_in_them(tight: bool, shrunk: int) -> None:
    mask = np.zeros((1, *SIZE), bool)
    mask[0, 10:22, 10:22] = True
    target = v.Boxes([[10, 10, 40, 40]], tight=tight)
    told = v.survival(v.Translate(x=-15), image=IMAGES[0], boxes=target, masks=mask, epochs=1)
    assert (told.kept.tolist(), told.shrunk.tolist()) == ([1], [[shrunk]])  # seven columns of the object are left, 25 of its box
    least = v.survival(
        v.Translate(x=-15), image=IMAGES[0], boxes=v.Boxes([[10, 10, 40, 40]], tight=tight, min_size=8), masks=mask, epochs=1
    )
    assert least.dropped.tolist() == [[shrunk]]


@settings(derandomize=True, max_examples=10, deadline=None)
@given(
    st.lists(st.sampled_from(PLAIN + CANVAS), min_size=1, max_size=2, unique_by=lambda move: move.label), st.booleans(), st.integers(0, 99)
)
def test_with_masks_what_is_counted_as_kept_is_what_calls_keep(moves: list, tight: bool, seed: int) -> None:
    boxes, names = scene(seed)
    masks = [np.zeros((len(part), *SIZE), bool) for part in boxes]
    for part, held in zip(boxes, masks, strict=True):
        for (x0, y0, x1, y1), mask in zip(part.astype(int), held, strict=True):
            mask[y0 + 1 : (y0 + y1) // 2 + 2, x0 + 1 : (x0 + x1) // 2 + 2] = True
    target, policy = v.Boxes(boxes, tight=tight, min_size=3), v.Compose([*moves, v.MaskDropout(count=(0, 2))])
    in_turn = v.Compose([node for move in policy.of for node in (move, v.Barrier())])
    told = v.survival(policy, image=IMAGES, boxes=target, masks=masks, label=names, seed=seed, epochs=2)
    kept = [in_turn(image=IMAGES, boxes=target, masks=masks, seed=seed, epoch=epoch).instances.kept.sum() for epoch in range(2)]
    assert told.kept.sum() == sum(kept)


def test_oriented_boxes_are_counted_too() -> None:
    boxes = v.Boxes([[20.0, 20, 16, 10, 30], [5, 40, 6, 6, 0]], "cxcywhr")
    told = v.survival(v.Translate(x=-12), image=IMAGES[0], boxes=boxes, epochs=1, small=3)
    assert (told.given.tolist(), told.kept.tolist(), told.dropped.tolist()) == ([2], [1], [[1]])
