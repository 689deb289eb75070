"""Write docs/bridges.md: what becomes of every transform of Albumentations and torchvision, told by ``v.bridge_report`` itself.

    python docs/make_bridges.py

Each is made with its defaults, and with the least arguments where it has no defaults.
"""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from benchmarks import peers  # noqa: E402

import vicinal as v  # noqa: E402

PAGE = DOCS / "bridges.md"
HEAD = """\
# Pipelines of other libraries

<!-- Written by docs/make_bridges.py; edit the rules in src/vicinal/bridges instead. -->

What `v.from_albumentations` (2.0.8) and `v.from_torchvision` (0.28, `transforms.v2`) make of every transform, with its
defaults. *Exact* is the same law, and for fixed parameters the same picture; *near* differs as the reason says, and is wrapped
with `near=False`; *wrapped* runs as it is, on one image after the other. Other settings may fare otherwise:
`print(v.bridge_report(pipeline))` tells.
"""

ABSTRACT = {"BaseCompose", "BasicTransform", "DualTransform", "ImageOnlyTransform", "Transform", "Transform3D"}
ALBUMENTATIONS: Mapping[str, Any] = {
    "AtLeastOneBBoxRandomCrop": lambda A: A.AtLeastOneBBoxRandomCrop(20, 20),
    "CenterCrop": lambda A: A.CenterCrop(20, 20),
    "CenterCrop3D": lambda A: A.CenterCrop3D((2, 2, 2)),
    "Crop": lambda A: A.Crop(3, 4, 23, 30),
    "CropAndPad": lambda A: A.CropAndPad(px=3, keep_size=False),
    "CropNonEmptyMaskIfExists": lambda A: A.CropNonEmptyMaskIfExists(20, 20),
    "GridElasticDeform": lambda A: A.GridElasticDeform((3, 3), 3),
    "LongestMaxSize": lambda A: A.LongestMaxSize(40),
    "OneOrOther": lambda A: A.OneOrOther(A.HorizontalFlip(), A.VerticalFlip()),
    "Pad": lambda A: A.Pad(3),
    "Pad3D": lambda A: A.Pad3D(1),
    "PadIfNeeded3D": lambda A: A.PadIfNeeded3D((2, 2, 2)),
    "RandomCrop": lambda A: A.RandomCrop(20, 20),
    "RandomCrop3D": lambda A: A.RandomCrop3D((2, 2, 2)),
    "RandomResizedCrop": lambda A: A.RandomResizedCrop((20, 20)),
    "RandomSizedBBoxSafeCrop": lambda A: A.RandomSizedBBoxSafeCrop(20, 20),
    "RandomSizedCrop": lambda A: A.RandomSizedCrop((20, 40), (20, 20)),
    "Resize": lambda A: A.Resize(20, 20),
    "SmallestMaxSize": lambda A: A.SmallestMaxSize(40),
    "TextImage": lambda A: A.TextImage("font.ttf"),
    "ToTensorV2": lambda A: __import__("albumentations.pytorch").pytorch.ToTensorV2(),
}
ALBUMENTATIONS_GROUPS = ("Compose", "OneOf", "RandomOrder", "ReplayCompose", "SelectiveChannelTransform", "Sequential", "SomeOf")
TORCHVISION: Mapping[str, Any] = {
    "CenterCrop": lambda T: T.CenterCrop(20),
    "ConvertBoundingBoxFormat": lambda T: T.ConvertBoundingBoxFormat("XYXY"),
    "CutMix": lambda T: T.CutMix(num_classes=3),
    "FiveCrop": lambda T: T.FiveCrop(20),
    "GaussianBlur": lambda T: T.GaussianBlur(13),
    "JPEG": lambda T: T.JPEG((30, 90)),
    "Lambda": lambda T: T.Lambda(abs),
    "LinearTransformation": lambda T: T.LinearTransformation(_torch().eye(12), _torch().zeros(12)),
    "MixUp": lambda T: T.MixUp(num_classes=3),
    "Normalize": lambda T: T.Normalize([0.5] * 3, [0.25] * 3),
    "Pad": lambda T: T.Pad(3),
    "RandomAdjustSharpness": lambda T: T.RandomAdjustSharpness(2),
    "RandomAffine": lambda T: T.RandomAffine(10),
    "RandomCrop": lambda T: T.RandomCrop(20),
    "RandomPosterize": lambda T: T.RandomPosterize(4),
    "RandomResize": lambda T: T.RandomResize(20, 24),
    "RandomResizedCrop": lambda T: T.RandomResizedCrop(20),
    "RandomRotation": lambda T: T.RandomRotation(10),
    "RandomShortestSize": lambda T: T.RandomShortestSize([20, 24]),
    "RandomSolarize": lambda T: T.RandomSolarize(128),
    "Resize": lambda T: T.Resize([20, 20]),
    "ScaleJitter": lambda T: T.ScaleJitter((30, 30)),
    "SetClampingMode": lambda T: T.SetClampingMode("soft"),
    "TenCrop": lambda T: T.TenCrop(20),
    "ConvertImageDtype": lambda T: T.ConvertImageDtype(_torch().float32),
    "ToDtype": lambda T: T.ToDtype(_torch().float32, scale=True),
    "UniformTemporalSubsample": lambda T: T.UniformTemporalSubsample(2),
}
TORCHVISION_GROUPS = ("Compose", "RandomApply", "RandomChoice", "RandomOrder")


def _torch() -> ModuleType:
    return __import__("torch")


def _names(module: ModuleType, base: str) -> list[str]:
    """The public transforms of a module: what is called so, and is more than an abstract class."""
    found = [name for name, held in vars(module).items() if inspect.isclass(held) and any(base in one.__name__ for one in held.__mro__)]
    return sorted(name for name in found if not name.startswith("_") and name not in ABSTRACT)


def operations(library: str) -> Iterator[tuple[str, Any]]:
    """Every transform and composition of a library, by name, with its defaults."""
    if library == "albumentations":
        A = peers.albumentations()
        names = [*_names(A, "BasicTransform"), *_names(A, "BaseCompose"), "ToTensorV2"]
        made, groups, flips = ALBUMENTATIONS, ALBUMENTATIONS_GROUPS, lambda: [A.HorizontalFlip(), A.VerticalFlip()]
    else:
        A = peers.torchvision()[1]
        names = _names(A, "Module")
        made, groups, flips = TORCHVISION, TORCHVISION_GROUPS, lambda: [A.RandomHorizontalFlip(), A.RandomVerticalFlip()]
    for name in sorted(set(names)):
        cls = getattr(A, name, None)
        yield name, made[name](A) if name in made else cls(flips()) if name in groups else cls()


def verdict(operation: Any) -> tuple[str, str]:
    """What becomes of one operation, and why."""
    lines = [line for line in v.bridge_report(operation).lines if line.verdict != "note"]
    worst = next((line for word in ("wrapped", "near") for line in lines if line.verdict == word), None)
    return (worst.verdict, worst.reason.split("; refuses")[0]) if worst else ("exact", "")


def page() -> str:
    """The text of the page."""
    return "\n".join([HEAD, *section("Albumentations"), *section("torchvision")])


def section(library: str) -> Iterator[str]:
    """The tables of one library."""
    found = {name: verdict(operation) for name, operation in operations(library.lower())}
    counts = Counter(word for word, _ in found.values())
    yield f"## {library}\n\nExact: {counts['exact']}, near: {counts['near']}, wrapped: {counts['wrapped']}.\n"
    yield "**Exact:** " + ", ".join(f"`{name}`" for name, (word, _) in found.items() if word == "exact") + ".\n"
    for word in ("near", "wrapped"):
        yield f"| {word} | {'what differs' if word == 'near' else 'because'} |\n|---|---|"
        yield from (f"| `{name}` | {reason} |" for name, (found_word, reason) in found.items() if found_word == word)
        yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
