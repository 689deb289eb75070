"""Reading photographs as JPEG with a policy: ``vicinal.data.Loader`` on two threads against a PyTorch DataLoader on two processes.

    python -m benchmarks.loader [--rounds 7]

Both give float32 batches (32, 3, 224, 224) of the same files: RandomResizedCrop, flip, ColorJitter, normalise, to-tensor; theirs with
cv2.imread and Albumentations. Speed is measured in one process, in turn, with workers that live on; memory in a process for each, which
imports torch on both sides: the peaks of the process and its children together.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NO_ALBUMENTATIONS_UPDATE"), "1"))

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from PIL import Image

import vicinal as v
from benchmarks.timing import interleaved
from vicinal.data import Loader

BATCH, WORKERS, REPEATS, EPOCHS = 32, 2, 12, 3
AIM = 1.5
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Epoch = Callable[[int], int]


def folder() -> Path:
    """The photographs under VICINAL_DATA, or beside the checkout."""
    root = Path(os.environ.get("VICINAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (root / "photos").exists():
        sys.exit(f"photographs not found in {root}: set VICINAL_DATA to the folder that holds photos/")
    return root / "photos"


def as_jpeg(photos: Path, to: Path) -> list[Path]:
    """Every photograph as JPEG: as it is, or encoded at quality 95."""
    for path in sorted([*photos.glob("*.jpg"), *photos.glob("*.png")]):
        if path.suffix == ".jpg":
            (to / path.name).write_bytes(path.read_bytes())
        else:
            Image.open(path).convert("RGB").save(to / f"{path.stem}.jpg", quality=95)
    return sorted(to.iterdir())


def ours(files: list[Path]) -> Epoch:
    """A function that goes through an epoch and counts the images."""
    jitter = v.ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2), saturation=(0.8, 1.2), hue=(-18, 18))
    steps = [v.RandomResizedCrop(size=224), v.HorizontalFlip(p=0.5), jitter, v.Normalize(mean=MEAN, std=STD), v.ToTensor()]
    loader = Loader(files, v.Compose(steps), batch_size=BATCH, threads=WORKERS)
    return lambda epoch: sum(len(torch.from_numpy(batch["image"])) for batch in loader.at(epoch))


def theirs(files: list[Path]) -> Epoch:
    """The same by the peers."""
    import albumentations as A
    import cv2
    from albumentations.pytorch import ToTensorV2
    from torch.utils.data import DataLoader, Dataset

    jitter = A.ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2), saturation=(0.8, 1.2), hue=(-0.05, 0.05), p=1)
    steps = [A.RandomResizedCrop((224, 224)), A.HorizontalFlip(p=0.5), jitter, A.Normalize(mean=MEAN, std=STD), ToTensorV2()]
    policy = A.Compose(steps, seed=0)

    class Photos(Dataset):
        def __len__(self) -> int:
            return len(files)

        def __getitem__(self, index: int) -> torch.Tensor:
            return policy(image=cv2.cvtColor(cv2.imread(str(files[index])), cv2.COLOR_BGR2RGB))["image"]

    def alone(_: int) -> None:
        cv2.setNumThreads(0)

    loader = DataLoader(Photos(), BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True, worker_init_fn=alone)
    return lambda epoch: sum(len(batch) for batch in loader)


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from family(int(child))


def held(pid: int) -> tuple[int, int]:
    """KiB of a process and its children: resident in each, and with what several share counted once."""
    rollups = [Path(f"/proc/{one}/smaps_rollup").read_text() for one in family(pid)]
    resident, once = (sum(int(line.split()[1]) for text in rollups for line in text.splitlines() if line.startswith(key))
                      for key in ("Rss:", "Pss:"))  # fmt: skip
    return resident, once


def peak(side: str, files: list[Path]) -> str:
    """MiB at the peaks of a process of its own that goes through some epochs."""
    command = [sys.executable, "-m", "benchmarks.loader", "--alone", side, "--files", str(files[0].parent)]
    process, highest = subprocess.Popen(command), (0, 0)
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a process that has just ended
            highest = tuple(map(max, highest, held(process.pid)))
        time.sleep(0.02)
    return f"{highest[0] / 2**10:>5.0f} MiB resident, {highest[1] / 2**10:>4.0f} MiB with shared pages once"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--alone", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    parser.add_argument("--files", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.alone:
        epoch = {"ours": ours, "theirs": theirs}[chosen.alone](sorted(chosen.files.iterdir()) * REPEATS)
        for number in range(EPOCHS):
            epoch(number)
        return
    with tempfile.TemporaryDirectory() as place:
        files = as_jpeg(folder(), Path(place))
        count = len(files) * REPEATS
        times = interleaved({"ours": ours(files * REPEATS), "theirs": theirs(files * REPEATS)}, chosen.rounds)
        ratios = [other / mine for mine, other in zip(times.seconds["ours"], times.seconds["theirs"], strict=True)]
        print(f"{count} images of {len(files)} files, batches of {BATCH}, {WORKERS} threads against {WORKERS} processes")
        print(f"vicinal     {1 / times.median('ours'):>5.0f} images/s  {peak('ours', files)}")
        print(f"DataLoader  {1 / times.median('theirs'):>5.0f} images/s  {peak('theirs', files)}")
        print(f"{statistics.median(ratios):.1f}x as fast (rounds {min(ratios):.1f} to {max(ratios):.1f}; aim {AIM}x)")


if __name__ == "__main__":
    main()
