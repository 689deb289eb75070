"""What a policy does to data, before anything is trained: a contact sheet, and the recipe of one sample."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np

from vicinal.core.errors import ParameterError
from vicinal.core.files import write_files
from vicinal.core.policy import read_policy
from vicinal.core.recipe import Recipe
from vicinal.data import read
from vicinal.data.dataset import Dataset
from vicinal.lab.report import Sheet, SheetRow
from vicinal.lab.report.sheet import picture

ROWS, VERSIONS = 8, 8


def recipe_of(source: str, format: str, policy: str, seed: int, at: str) -> Recipe:
    """The recipe at EPOCH:INDEX, where INDEX counts the source ids of the data."""
    try:
        epoch, index = (int(part) for part in at.split(":"))
    except ValueError:
        raise ParameterError("--at", "EPOCH:INDEX", repr(at), "--at 3:17") from None
    node, data = read_policy(policy), read(source, format=format)
    return node.at(seed=seed, epoch=epoch, index=index, image=_image(data, index))


def _image(data: Dataset, index: int) -> np.ndarray:
    rows = np.flatnonzero(data.sources == index)
    if not len(rows):
        raise ParameterError(
            "--at", f"an index from {data.sources.min()} to {data.sources.max()}", str(index), f"--at 0:{data.sources.min()}"
        )
    return data.images[rows[0]]


def sheet_file(source: str, format: str, policy: str, seed: int, path: Path) -> tuple[str, Path]:
    """Write a contact sheet of a policy on some images as PNG; returns the plan in words, and the path."""
    node, data = read_policy(policy), read(source, format=format)
    rows = np.linspace(0, len(data) - 1, min(ROWS, len(data))).astype(int)
    images = [np.asarray(data.images[row]) for row in rows]
    sources = data.sources[rows]
    versions = [node(images, seed=seed, epoch=epoch, index=sources) for epoch in range(VERSIONS)]
    sheet = Sheet(policy, [SheetRow(image, [version[i] for version in versions], "") for i, image in enumerate(images)])
    uri = picture(sheet).uri
    write_files({path: base64.b64decode(uri.split(",", 1)[1])})
    return node.explain(images, seed=seed, index=sources), path
