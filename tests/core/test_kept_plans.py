"""Plans in which nothing is drawn are worked out once; what is drawn, or looked at, never is."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import vicinal as v

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 6, 8, 3)).astype(np.uint8)


def test_a_plan_without_draws_is_that_of_every_batch_of_its_form() -> None:
    policy = v.VerticalFlip()
    first, second, other = (policy(image=batch, seed=seed) for batch, seed in ((IMAGES, 0), (IMAGES[::-1], 1), (IMAGES[:2], 2)))
    assert first.plan is second.plan is not other.plan
    assert np.array_equal(second["image"], IMAGES[::-1, ::-1])
    with pytest.raises(ValueError, match="read-only"):
        first.plan.params["VerticalFlip"]["on"][:] = False


@pytest.mark.parametrize("policy", [v.VerticalFlip(p=0.5), v.RandomRotate90(), v.CornerCrop(size=4)], ids=repr)
def test_what_depends_on_the_address_is_planned_anew(policy: v.Transform) -> None:
    assert policy(image=IMAGES, seed=0, view=0).plan is not policy(image=IMAGES, seed=0, view=1).plan


def test_kept_plans_do_not_travel() -> None:
    policy = v.VerticalFlip()
    policy(IMAGES, seed=0)
    assert "plans" not in vars(pickle.loads(pickle.dumps(policy)))


def test_what_is_the_same_at_every_call_is_lowered_once_and_does_not_travel() -> None:
    policy = v.Compose([v.RandomRotate90(), v.Posterize(bits=3, p=0.5)])
    first, second = (policy(image=IMAGES, seed=seed).plan.params["Posterize"]["bits"] for seed in (0, 2))
    posterize = policy.of[1]
    assert first is second
    assert len(posterize.lowered) == 1
    assert not pickle.loads(pickle.dumps(posterize)).lowered
    assert not v.Posterize(bits=(2, 4)).fixed


def test_alternatives_that_differ_in_parameters_alone_are_lowered_as_one() -> None:
    turns = [v.Rotate(angle=(-20, 0), name="left"), v.Contrast(gain=(0.5, 2)), v.Rotate(angle=(0, 30), p=0.5, name="right")]
    policy = v.OneOf([*turns, v.Rotate(angle=(0, 30), border="reflect")])
    images = np.random.default_rng(0).integers(0, 256, (24, 6, 8, 3)).astype(np.uint8)
    made = policy(image=images, seed=0)
    assert policy._kinds == [[0, 2], [1], [3]]
    assert made.plan.slots[0].paths[:2] == ("OneOf/left", "OneOf/right")
    alone = [policy(images[row], seed=0, index=row) for row in range(24)]
    assert np.array_equal(made["image"], alone)
