"""Detection and segmentation policies on real pictures with real annotations: the same laws as on synthetic ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import shapely
from PIL import Image

import vicinal as v
from vicinal.data import Annotated, read_annotations

Data = Callable[[str], Path]
DETECTION = v.parse(
    "HorizontalFlip(p=0.5) | RandomRotate90(p=0.3) | Affine(angle=(-15, 15), scale=(0.8, 1.25), x=(-0.1, 0.1), unit='share') | "
    "OneOf([Perspective(amount=0.1), ElasticTransform(amplitude=(0, 6), smoothness=48)], p=0.5) | "
    "Brightness(by=(-0.1, 0.1)) | Gamma(exponent=(0.8, 1.25)) | Letterbox(size=256)"
)
SEGMENTATION = v.parse(
    "ElasticTransform(amplitude=(2, 8), smoothness=64, border='reflect') | Rotate(angle=(-30, 30), border='reflect') | "
    "HorizontalFlip(p=0.5) | RandomResizedCrop(size=192, scale=(0.3, 1)) | Gamma(exponent=(0.7, 1.4)) | GaussianNoise(std=(0, 0.03))"
)
STRAIGHT = v.parse(
    "HorizontalFlip(p=0.5) | Affine(angle=(-20, 20), scale=(0.8, 1.5), x=(-0.2, 0.2), unit='share') | Resize(size=(200, 240))"
)


def picture(path: Path) -> np.ndarray:
    """(H, W, 3) uint8."""
    return np.asarray(Image.open(path).convert("RGB"))


def coco(root: Path, count: int = 8) -> list[dict]:
    """Pictures with boxes, polygons, classes, and semantic masks."""
    data = read_annotations(root / "instances.json", segments="polygons").take(range(count))
    masks = [np.asarray(Image.open(root / "semantic-masks" / f"{path.stem}.png")) for path in data.paths]
    return [{**data[row], "mask": mask} for row, mask in enumerate(masks)]


def voc(root: Path, count: int = 12) -> Annotated:
    """Pictures of blood cells with boxes."""
    return read_annotations(root, part="train").take(range(count))


def column(samples: list[dict], name: str) -> list:
    return [sample[name] for sample in samples]


def drawn(sample: dict) -> np.ndarray:
    """(N, H, W) the polygons filled."""
    size = sample["image"].shape[:2]
    masks = [cv2.fillPoly(np.zeros(size, np.uint8), [np.rint(ring).astype(np.int32)], 1) for ring in sample["polygons"]]
    return np.array(masks, bool).reshape(-1, *size)


def extent(ring: np.ndarray) -> np.ndarray:
    return np.concatenate([ring.min(0), ring.max(0)])


@pytest.mark.parametrize("seed", [0, 1])
def test_boxes_hold_the_pixels_of_their_instances_on_coco(shared_data: Data, seed: int) -> None:
    samples = coco(shared_data("coco-slice"))
    masks, boxes = [drawn(sample) for sample in samples], []
    for sample in samples:
        # The pixels of a filled polygon reach half a pixel over it.
        ends = np.array([sample["image"].shape[1::-1]] * 2).ravel()
        boxes.append(np.array([np.clip(extent(ring) + [-1, -1, 1, 1], 0, ends) for ring in sample["polygons"]]).reshape(-1, 4))
    out = DETECTION(image=column(samples, "image"), boxes=boxes, masks=masks, label=column(samples, "label"), seed=seed)
    assert all(image.shape == (256, 256, 3) for image in out["image"])
    for part, kept, label, sample, numbers in zip(out["boxes"], out["masks"], out["label"], samples, out.kept, strict=True):
        assert len(part) == len(kept) == len(label)
        assert np.array_equal(label, sample["label"][numbers])
        for box, mask in zip(part, kept, strict=True):
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            found = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
            assert (box[:2] <= found[:2] + 1).all()
            assert (box[2:] >= found[2:] - 1).all()
    assert sum(len(part) for part in out["boxes"]) > 0.5 * sum(len(part) for part in boxes)


def test_polygons_and_masks_of_coco_stay_together(shared_data: Data) -> None:
    samples = coco(shared_data("coco-slice"), 5)
    masks, polygons = [drawn(sample) for sample in samples], column(samples, "polygons")
    out = DETECTION(image=column(samples, "image"), polygons=polygons, masks=masks, seed=3)
    agreements = []
    for rings, kept in zip(out["polygons"], out["masks"], strict=True):
        assert len(rings) == len(kept)
        for ring, mask in zip(rings, kept, strict=True):
            filled = cv2.fillPoly(np.zeros(mask.shape, np.uint8), [np.rint(ring - 0.5).astype(np.int32)], 1) > 0
            if mask.sum() > 200:
                agreements.append((filled & mask).sum() / (filled | mask).sum())
    assert len(agreements) > 10
    assert np.median(agreements) > 0.9
    assert min(agreements) > 0.6


@pytest.mark.parametrize("limit", [0.0, 0.5])
def test_visible_shares_of_real_boxes_are_those_of_shapely(shared_data: Data, limit: float) -> None:
    samples = list(voc(shared_data("bccd-voc")))
    boxes = column(samples, "boxes")
    out = STRAIGHT(image=column(samples, "image"), boxes=v.Boxes(boxes, min_visible=limit), seed=1)
    (move,) = out.plan.moves()
    row = 0
    for number, part in enumerate(boxes):
        (a, b, x), (c, d, y) = move.matrix[number, :2]
        for box in part:
            whole = shapely.affinity.affine_transform(shapely.box(*box), [a, b, c, d, x, y])
            left = whole.intersection(shapely.box(0, 0, 240, 200))
            share = left.area / whole.area
            assert out.instances.visible[row] == pytest.approx(share, abs=1e-6)
            assert out.instances.kept[row] == (share > 0 and share >= limit)
            if out.instances.kept[row]:
                place = out.instances.kept[out.instances.owner == number][: row - np.argmax(out.instances.owner == number)].sum()
                assert out["boxes"][number][place] == pytest.approx(left.bounds, abs=1e-6)
            row += 1


def test_the_report_counts_real_cells(shared_data: Data) -> None:
    data, policy = voc(shared_data("bccd-voc")), v.RandomCrop(size=256)
    told = v.survival(policy, data, epochs=3, boxes=lambda rows: v.Boxes(data.targets(rows)["boxes"], min_visible=0.3))
    labels = np.concatenate([picture.labels for picture in data.pictures])
    assert told.classes == data.classes
    assert told.given.tolist() == (3 * np.bincount(labels)).tolist()
    named = {"image": [data.image(row) for row in range(len(data))], **data.targets(range(len(data)))}
    named["boxes"] = v.Boxes(named["boxes"], min_visible=0.3)
    left = [label for epoch in range(3) for label in policy(**named, seed=0, epoch=epoch)["label"]]
    assert told.kept.tolist() == np.bincount(np.concatenate(left), minlength=3).tolist()


def test_safe_crops_keep_every_real_cell(shared_data: Data) -> None:
    samples = list(voc(shared_data("bccd-voc")))
    policy = v.parse("HorizontalFlip(p=0.5) | RandomRotate90() | RandomSizedBBoxSafeCrop(size=300)")
    boxes = v.Boxes(column(samples, "boxes"), min_visible=1)
    out = policy(image=column(samples, "image"), boxes=boxes, label=column(samples, "label"), seed=0)
    assert all(np.array_equal(label, sample["label"]) for label, sample in zip(out["label"], samples, strict=True))


def test_no_class_appears_in_a_semantic_mask(shared_data: Data) -> None:
    samples = coco(shared_data("coco-slice"))
    for policy in (SEGMENTATION, DETECTION):
        out = policy(image=column(samples, "image"), mask=v.Mask(column(samples, "mask"), fill=255), seed=2)
        for sample, mask, image in zip(samples, out["mask"], out["image"], strict=True):
            assert mask.shape == image.shape[:2]
            assert mask.dtype == sample["mask"].dtype
            assert set(np.unique(mask)) <= {*np.unique(sample["mask"]), 255}


def test_membranes_stay_dark_under_their_masks(shared_data: Data) -> None:
    root = shared_data("membrane") / "train"
    names = sorted(path.name for path in (root / "images").iterdir())[:6]
    images, masks = (np.stack([np.asarray(Image.open(root / kind / name)) for name in names])[..., None] for kind in ("images", "masks"))
    out = SEGMENTATION(image=images, mask=masks, seed=4)
    assert set(np.unique(out["mask"])) == {0, 255}
    before = [image[mask == 255].mean() - image[mask == 0].mean() for image, mask in zip(images, masks, strict=True)]
    after, wrong = [], []
    for row, (image, mask) in enumerate(zip(out["image"], out["mask"], strict=True)):
        other = out["mask"][row - 1]
        after.append(image[mask == 255].mean() - image[mask == 0].mean())
        wrong.append(image[other == 255].mean() - image[other == 0].mean())
    assert np.mean(after) > 0.6 * np.mean(before)
    assert np.mean(after) > 4 * abs(np.mean(wrong))


@pytest.mark.parametrize("policy", [DETECTION, SEGMENTATION], ids=["detection", "segmentation"])
@pytest.mark.parametrize("name", ["photos", "coco-slice", "membrane"])
def test_a_region_painted_into_a_picture_lies_where_its_mask_lies(shared_data: Data, name: str, policy: v.Node) -> None:
    """The picture with and without the region, at one address: they differ where the moved mask says."""
    folder = {"photos": "", "coco-slice": "images", "membrane": "train/images"}[name]
    paths = sorted(path for path in (shared_data(name) / folder).iterdir() if path.suffix in (".png", ".jpg") and "rommel" not in path.name)
    images = [picture(path) // 2 for path in paths[::4][:5]]  # darker, so that there is room to paint
    painted, masks = [], []
    for image in images:
        height, width = image.shape[:2]
        y, x = np.mgrid[:height, :width] + 0.5
        masks.append(((y - height * 0.45) / (height * 0.2)) ** 2 + ((x - width * 0.55) / (width * 0.25)) ** 2 < 1)
        painted.append(image + masks[-1][..., None] * np.uint8(110))
    one, other = (policy(image=pictures, mask=masks, seed=6, valid=True) for pictures in (images, painted))
    for a, b, mask, valid in zip(one["image"], other["image"], one["mask"], one["valid"], strict=True):
        differ = (np.abs(a.astype(int) - b).max(-1) > 40) & valid
        mask = mask & valid  # a border may mirror the region
        assert mask.any()
        assert (differ & mask).sum() / (differ | mask).sum() > 0.93


def test_annotations_that_do_not_fit_their_picture_get_a_sentence(shared_data: Data) -> None:
    first, second = coco(shared_data("coco-slice"), 2)
    wide = first["boxes"] - np.pad(first["boxes"][:, :2], ((0, 0), (2, 0)))
    with pytest.raises(
        v.TargetError,
        match=r"^mask\[0\]: expected the size of its image, \(\d+, \d+\), got \(\d+, \d+\)"
        r"; write cv2\.resize\(mask, .*, interpolation=cv2\.INTER_NEAREST\)$",
    ):
        SEGMENTATION(image=first["image"], mask=second["mask"], seed=0)
    with pytest.raises(v.TargetError, match=r"^boxes\[0\]\[\d+\]: expected x0 < x1 and y0 < y1 within the canvas of .*format='xywh'"):
        DETECTION(image=first["image"], boxes=wide, seed=0)  # COCO's boxes are no xyxy
    assert len(DETECTION(image=first["image"], boxes=v.Boxes(wide, "coco"), seed=0)["boxes"])
    with pytest.raises(v.TargetError, match=r"^label: expected 2 entries, one a sample, got 1; write label=\[\.\.\.\] of length 2$"):
        DETECTION(image=column([first, second], "image"), label=[first["label"]], seed=0)


def test_yolo_labels_of_coco_come_back_in_their_format(shared_data: Data, tmp_path: Path) -> None:
    root = shared_data("coco-slice")
    (tmp_path / "images").symlink_to(root / "images")
    (tmp_path / "labels").symlink_to(root / "labels-yolo")
    data = read_annotations(tmp_path).take(range(6))
    rows = [np.loadtxt(root / "labels-yolo" / f"{path.stem}.txt", ndmin=2) for path in data.paths]
    boxes, images = v.Boxes([row[:, 1:] for row in rows], "yolo"), [data.image(row) for row in range(6)]
    out = v.parse("HorizontalFlip() | Resize(size=(97, 203))")(image=images, boxes=boxes, label=data.targets(range(6))["label"], seed=0)
    for row, made, label in zip(rows, out["boxes"], out["label"], strict=True):
        assert made == pytest.approx(row[:, 1:] * [-1, 1, 1, 1] + [1, 0, 0, 0], abs=2e-3)  # labels that reach over the edge are cut
        assert np.array_equal(label, row[:, 0])
