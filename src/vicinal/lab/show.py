"""A look at data before any training: a contact sheet of what a policy makes of them, and the recipe of one sample."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.compose import Compose, Views
from vicinal.core.errors import ParameterError, raise_all
from vicinal.core.files import write_files
from vicinal.core.mixing import mixers
from vicinal.core.policy import read_policy
from vicinal.core.recipe import Recipe
from vicinal.core.transform import Node
from vicinal.data import Annotated, Dataset, read_annotations
from vicinal.data.annotations import is_annotated
from vicinal.lab.arms import unfit
from vicinal.lab.feed import taken
from vicinal.lab.load import load
from vicinal.lab.report import Sheet, SheetRow
from vicinal.lab.report.marks import Marks
from vicinal.lab.report.sheet import VERSIONS, picture, spread


def load_any(source: str, format: str = "auto", skip_bad: bool = False, resize: int | None = None) -> Dataset | Annotated:
    """Labelled images as ``load`` reads them, or annotated pictures; ``skip_bad`` clips or drops what does not fit there."""
    if not is_annotated(Path(source).expanduser(), format):
        return load(source, format, skip_bad, resize)
    if resize is not None:
        raise ParameterError("--resize", "labelled images, which have nothing that must move along", source, f"Resize(size={resize}) | ...")
    invalid, missing = ("clip", "drop") if skip_bad else ("raise", "raise")
    return read_annotations(source, format=format, invalid=invalid, missing=missing)


def sheet_file(data: Dataset | Annotated, policy: str, seed: int, path: Path) -> tuple[str, Path]:
    """Write a contact sheet of a policy on some images as PNG: a column for each epoch, or for each view of a policy with Views.

    Mixers take their partners from the images shown, or from all of the data with ``partner="dataset"``. Annotations are drawn.

    Returns:
        The plan in words, and the path.

    Raises:
        PolicyError: the policy does not end in an image. StoreError: the file cannot be written.
    """
    node = read_policy(policy)
    one = Compose(node.of) if isinstance(node, Views) else node  # view i of Views is the plain policy at view=i
    raise_all("--policy", unfit("--policy", one, "image"))
    rows = spread(np.arange(len(data)))
    index, named = _numbers(data)[rows], _named(data, one, rows)
    where: dict[str, Any] = {"seed": seed, "index": index, **_source(data, one)}
    places: list[dict[str, Any]] = (
        [{"view": view} for view in range(node.n)] if isinstance(node, Views) else [{"epoch": epoch} for epoch in range(VERSIONS)]
    )
    columns = [one(**named, **where, **place) for place in places]
    sheet = Sheet(policy, [_row(data, rows[n], n, columns, named, f"seed={seed} index={index[n]}") for n in range(len(rows))])
    write_files({path: base64.b64decode(picture(sheet).uri.split(",", 1)[1])})
    return one.explain(**named, seed=seed, index=index), path


def _row(data: Dataset | Annotated, row: int, number: int, columns: Sequence[Any], named: dict[str, Any], address: str) -> SheetRow:
    versions = [np.asarray(column["image"][number]) for column in columns]
    if isinstance(data, Dataset):
        return SheetRow(np.asarray(data.images[row]), versions, address)
    before = {name: getattr(value, "data", value) if name != "image" else value for name, value in named.items()}
    return SheetRow(named["image"][number], versions, address, [Marks.of(found, number) for found in (before, *columns)])


def _numbers(data: Dataset | Annotated) -> NDArray[np.int64]:
    """(N,) what the items are called in addresses."""
    return data.sources if isinstance(data, Dataset) else np.arange(len(data))


def _named(data: Dataset | Annotated, policy: Node, rows: Sequence[int]) -> dict[str, Any]:
    """The targets of a call on some of the data."""
    if isinstance(data, Annotated):
        return {"image": [data.image(row) for row in rows], **data.targets(rows)}
    return {"image": [taken(policy, np.asarray(data.images[row])[None])[0] for row in rows]}


def _source(data: Dataset | Annotated, policy: Node) -> dict[str, Any]:
    """Where mixers take their partners from, if they ask for more than the batch."""
    if all(mixer.partner == "batch" for mixer in mixers(policy, None)):
        return {}
    if isinstance(data, Annotated):
        return {"source": data}
    return {"source": (lambda number: {name: value[0] for name, value in _named(data, policy, [number]).items()}, len(data))}


def recipe_of(data: Dataset | Annotated, policy: str, seed: int, at: str) -> Recipe:
    """The recipe at EPOCH:INDEX or EPOCH:INDEX:VIEW, where INDEX is a source id of the data and VIEW the number of a copy.

    Raises:
        ParameterError: no such place, or no such source id.
    """
    node = read_policy(policy)
    parts = at.split(":")
    if len(parts) not in (2, 3) or not all(part.strip().isdecimal() for part in parts):
        raise ParameterError("--at", "EPOCH:INDEX or EPOCH:INDEX:VIEW", repr(at), "--at 3:17")
    epoch, index, view = (*map(int, parts), 0)[:3]
    numbers = _numbers(data)
    rows = np.flatnonzero(numbers == index)
    if not len(rows):
        low, high = numbers.min(), numbers.max()
        raise ParameterError("--at", f"an index from {low} to {high}", str(index), f"--at {epoch}:{low}")
    item = data[int(rows[0])] if isinstance(data, Annotated) else {"image": _named(data, node, rows.tolist())["image"][0]}
    return node.at(seed=seed, epoch=epoch, index=index, view=view, **item)
