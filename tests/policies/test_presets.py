"""Presets: files that are policies, with a reason for every line; annotations follow through all of them."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from needed import FOLDER, loaded, names
from PIL import Image

import vicinal as v
from vicinal.core.policy import read_document
from vicinal.testing.case import pictures

FILES = sorted(FOLDER.glob("*.yaml"))
NAMES = [path.stem for path in FILES]
WANTED = ["autoaugment-imagenet", "autoaugment-cifar10", "autoaugment-svhn", "randaugment", "trivialaugment", "trivialaugment-wide",
          "augmix", "simclr", "moco-v2", "classification", "detection", "segmentation", "medical", "satellite", "document"]  # fmt: skip


def test_every_preset_is_there_and_is_told():
    told = v.presets()
    assert sorted(told) == sorted(WANTED)
    assert all(re.fullmatch(r"[A-Z].{15,90}\.", line) for line in told.values()), told


@pytest.mark.parametrize("path", [*FILES, FOLDER / "tables" / "operations.yaml"], ids=lambda path: path.stem)
def test_every_operation_has_a_reason(path: Path):
    known = {name for file in FILES for name in names(read_document(file)["policy"])} | set(v.registry())
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    operations = [line for line in lines if (found := re.match(r"\s*- (\w+)(:|\s|$)", line)) and found[1] in known]
    assert operations
    for line in operations:
        assert re.search(r"  # .{5,}", line), line


def test_the_searched_tables_say_where_they_come_from():
    head = (FOLDER / "tables" / "autoaugment.yaml").read_text("utf-8").split("\n\n")[0]
    assert "torchvision 0.28" in head
    assert "BSD-3-Clause" in head


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_a_policy_file(name: str, tmp_path: Path):
    policy = loaded(name)
    assert v.load(FOLDER / f"{name}.yaml") == policy
    assert v.parse(str(policy)) == policy
    policy.save(tmp_path / "copy.yaml")
    assert v.load(tmp_path / "copy.yaml") == policy
    assert v.load(tmp_path / "copy.yaml").fingerprint == policy.fingerprint


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_runs_on_a_batch_and_addresses_its_samples(name: str):
    policy, images = loaded(name), pictures(4, 70, 90)
    whole = policy(images, seed=1, index=range(4))
    alone = policy(images[2], seed=1, index=2)
    views = zip(whole, alone, strict=True) if policy.views else [(whole, alone)]
    assert all(np.array_equal(many[2], one) for many, one in views)


def test_settings_reach_the_operation_they_name():
    assert loaded("randaugment", n=3, magnitude=14).children == (v.RandAugment(n=3, magnitude=14),)
    assert loaded("autoaugment-svhn", strength=0.5).children == (v.AutoAugment(policy="svhn", strength=0.5),)
    small = loaded("simclr", size=32, strength=0.5)
    assert [view.shape for view in small(pictures(2), seed=0)] == [(2, 32, 32, 3)] * 2
    full = loaded("simclr")
    jitter = next(node for node in small.walk() if type(node).__name__ == "Compose" and node.children)
    assert (jitter.strength, len(list(full.walk()))) == (0.5, len(list(small.walk())))


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("simcl", {}, r"^preset: expected one of augmix, .*, got 'simcl'; write v\.preset\('simclr'\)$"),
        (3, {}, r"^preset: expected one of augmix, .*, got 3; write v\.preset\('augmix'\)$"),
        (
            "randaugment",
            {"strength": 1},
            r"^preset randaugment\.strength: expected one of its settings: n, magnitude, got 'strength'; write preset\('randaugment'\)$",
        ),
        ("document", {"size": 1}, r"^preset document\.size: expected no settings: it has none, got 'size'; write preset\('document'\)$"),
        ("randaugment", {"magnitude": 31}, r"RandAugment\.magnitude: expected a number in \[0, 30\], got 31; write magnitude=9$"),
    ],
)
def test_what_there_is_not_is_a_sentence(name, settings, says):
    with pytest.raises(v.PolicyError, match=says):
        v.preset(name, **settings)


# Annotations follow: a white rectangle in the picture, the same in the mask, and its box.


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    image, mask = np.full((120, 160, 3), 90, np.uint8), np.zeros((120, 160), np.uint8)
    image[40:80, 60:110], mask[40:80, 60:110] = (250, 60, 60), 7
    return image, mask, np.array([[60.0, 40, 110, 80]])


TASKS = ["detection", "segmentation", "classification", "medical", "satellite", "document", "randaugment", "trivialaugment-wide",
         "trivialaugment", "autoaugment-imagenet", "autoaugment-cifar10", "autoaugment-svhn"]  # fmt: skip


@pytest.mark.parametrize("name", TASKS)
def test_boxes_and_masks_follow_the_picture(name: str):
    policy, (image, mask, box) = loaded(name), scene()
    batch = 40
    out = policy(image=[image] * batch, mask=[mask] * batch, boxes=[box] * batch, seed=4)
    seen = 0
    for made, boxes, picture in zip(out["mask"], out["boxes"], out["image"], strict=True):
        assert made.shape == picture.shape[:2]
        assert set(np.unique(made)) <= {0, 7}
        near = 0.02 * max(made.shape) + 1  # a pixel of the original is several here
        if len(boxes):
            left, top, right, bottom = boxes[0]
            ys, xs = np.nonzero(made[int(max(top - near, 0)) : int(bottom + near), int(max(left - near, 0)) : int(right + near)] == 7)
            if len(xs) < 60:
                continue
            inside = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
            around = inside + np.tile([int(max(left - near, 0)), int(max(top - near, 0))], 2)
            assert np.abs(boxes[0] - around).max() < near, (boxes, around)
            seen += 1
    assert seen >= batch // 4


@pytest.mark.parametrize("name", ["randaugment", "trivialaugment-wide", "autoaugment-cifar10"])
def test_the_geometry_of_a_policy_moves_the_picture_as_the_mask(name: str):
    policy = loaded(name)
    moves = [node for node in policy.walk() if type(node).__name__ in ("Shear", "Translate", "Rotate")]
    _, mask, _ = scene()
    bright = np.where(mask[..., None] == 7, np.uint8(255), np.uint8(0)).repeat(3, 2)
    for move in moves[:6]:
        out = v.Compose([move])(image=[bright] * 6, mask=[mask] * 6, seed=3)
        for picture, made in zip(out["image"], out["mask"], strict=True):
            agree = (picture[..., 0] > 127) == (made == 7)
            assert agree.mean() > 0.995


def test_real_pictures_keep_their_boxes(shared_data):
    folder = shared_data("coco-slice")
    policy = loaded("detection")
    pictures_ = sorted(folder.rglob("*.jpg"))[:6]
    if not pictures_:
        pytest.skip(f"no pictures in {folder}")
    images = [np.asarray(Image.open(path).convert("RGB")) for path in pictures_]
    boxes = [np.array([[0.3 * i.shape[1], 0.3 * i.shape[0], 0.6 * i.shape[1], 0.7 * i.shape[0]]]) for i in images]
    out = policy(image=images, boxes=boxes, seed=0)
    for image, found in zip(out["image"], out["boxes"], strict=True):
        assert image.shape[:2] == (640, 640)
        assert len(found) == 0 or ((found >= -1e-6).all() and (found <= 640 + 1e-6).all())


def test_the_files_are_plain_yaml():
    for path in FILES:
        document = yaml.safe_load(io.StringIO(path.read_text("utf-8")))
        assert {"vicinal", "summary", "policy"} <= set(document) <= {"vicinal", "summary", "paper", "settings", "policy"}
