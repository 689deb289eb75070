"""Batches for training, read and augmented by threads: a batch is a pure function of the seed, the epoch and its number."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.backend import load
from vicinal.core.draw import Address, Draw
from vicinal.core.errors import DataError, ParameterError, PolicyError
from vicinal.core.inputs import Inputs, named_targets, read, wrapped
from vicinal.core.mixing import Blending, head, mixers
from vicinal.core.pages import Pages
from vicinal.core.plan import plan
from vicinal.core.run import Call, Result, augment_one_view, each_view
from vicinal.core.targets import Target
from vicinal.core.transform import Node
from vicinal.data.annotated import Annotated
from vicinal.data.arguments import check_whole, labels_of, paths
from vicinal.data.dataset import Dataset
from vicinal.data.reading import Pending, Reading

if TYPE_CHECKING:
    from vicinal.data.decode import Encoded

Targets = Callable[[NDArray[np.int64]], Mapping[str, Any]]
_MAKERS = 2  # while one batch is planned or waits for its last sample, the other keeps the workers busy


@final
@dataclass(frozen=True, eq=False)
class Batch(Mapping[str, Any]):
    """``image``, ``label`` where there are labels, further targets, and ``index``: the (B,) positions of the samples in the data.

    ``result`` is what the policy gave, with ``address``, ``plan``, ``kept`` and ``undo``.
    """

    result: Result
    index: NDArray[np.int64]

    def __getitem__(self, name: str) -> Any:
        return self.index if name == "index" else self.result[name]

    def __iter__(self) -> Iterator[str]:
        yield from (*self.result, "index")

    def __len__(self) -> int:
        return len(self.result) + 1

    def __repr__(self) -> str:
        return f"Batch({', '.join(self)}; {self.result.address})"


@final
class Loader:
    """Batches of augmented images from files, from ``Annotated`` pictures or from a ``Dataset``, also of series or texts.

    Every batch is a pure function of the data, the policy, ``seed``, the epoch and its number in it: neither the number of threads nor
    what came before changes a bit, and ``at(epoch, batch)`` resumes anywhere. A sample's draws are those of the address (seed, epoch,
    index), so ``policy(image, seed=..., epoch=..., index=...)`` gives the same sample.

    Files are decoded once their plan is known. Where it begins with a map that shrinks and averages, a JPEG is decoded at 1/2, 1/4 or 1/8
    of its scale, the largest step that keeps the resolution; draws and annotations stay those of the full size. Files give 8-bit RGB,
    turned as EXIF says; a ``Dataset`` gives its images as they are.

    Args:
        source: paths of image files, ``Annotated`` pictures, of which all targets come along, or a ``Dataset``.
        policy: what is done to every batch. With ``Views`` a list of batches comes, one a view; each decodes the files anew.
        batch_size: samples in a batch; the last one of an epoch may be smaller. drop_last: leave it out then.
        seed: of order and draws, in [0, 2**64).
        threads: that decode and augment. OpenCV's own threads are left alone.
        shuffle: a new order every epoch; otherwise the order of the data.
        labels: (N, ...) labels, one an image; those of the ``Dataset`` where it is None.
        targets: ``targets(index)`` gives further targets of a batch by name, lists or arrays of one entry for each of the (B,) positions;
            they stand before those of ``Annotated`` pictures.
        broken: what happens to a file that cannot be read: "raise" its DataError in the loop, or "skip" it and name it in ``skipped``.
        prefetch: batches that are made while one is used.
        reduce: whether a JPEG may be decoded at a smaller scale.
        backend: "auto", "cpu" or "reference".

    Raises:
        DataError: labels that do not fit, or nothing to load. In the loop: a file that cannot be read, by name.
        ParameterError: for a setting that makes no sense.

    Example:
        >>> import vicinal as v
        >>> from vicinal.data import Loader, read
        >>> loader = Loader(read("digits"), v.parse("Rotate(angle=(-15, 15)) | ToTensor()"), batch_size=500)
        >>> [batch["image"].shape for batch in loader.at(epoch=0)]
        [(500, 1, 8, 8), (500, 1, 8, 8), (500, 1, 8, 8), (297, 1, 8, 8)]
        >>> next(loader.at(epoch=3, batch=2))["label"][:5]
        array([7, 3, 4, 9, 5])
    """

    def __init__(self, source: Sequence[str | Path] | Dataset | Annotated, policy: Node, *, batch_size: int = 32, seed: int = 0,
                 threads: int = 2, shuffle: bool = True, labels: ArrayLike | None = None, drop_last: bool = False,
                 targets: Targets | None = None, broken: str = "raise", prefetch: int = 2, reduce: bool = True,
                 backend: str = "auto"):  # fmt: skip
        for name, value in (("batch_size", batch_size), ("threads", threads), ("prefetch", prefetch)):
            check_whole(name, value, 1)
        Address.of(seed)
        if broken not in ("raise", "skip"):
            raise ParameterError("Loader.broken", "'raise' or 'skip'", repr(broken), "broken='skip'")
        if not isinstance(policy, Node):
            raise PolicyError("Loader.policy", "a policy", repr(policy)[:80], "v.parse('HorizontalFlip(p=0.5)')")
        self.epoch = 0
        self._kind = source.kind if isinstance(source, Dataset) else "image"
        self._noted = source if isinstance(source, Annotated) else None
        self._source = source if isinstance(source, Dataset) else paths(source.paths if isinstance(source, Annotated) else source)
        self._labels = labels_of(source.labels if labels is None and isinstance(source, Dataset) else labels, len(self._source))
        self._policy, self._seed, self._targets = policy, int(seed), targets
        self._batch_size, self._shuffle, self._drop_last = batch_size, shuffle, drop_last
        self._threads, self._prefetch, self._reduce, self._skip = threads, prefetch, reduce, broken == "skip"
        self._engine = Blending(load(backend))
        self._skipped: dict[int, DataError] = {}

    def __len__(self) -> int:
        """Batches in an epoch, as long as none is skipped as a whole."""
        count, size = len(self._source), self._batch_size
        return count // size if self._drop_last else -(-count // size)

    def __iter__(self) -> Iterator[Any]:
        """The batches of ``self.epoch``, which then counts up: every pass over a loader is a new epoch."""
        epoch, self.epoch = self.epoch, self.epoch + 1
        return self.at(epoch)

    def at(self, epoch: int, batch: int = 0) -> Iterator[Any]:
        """The batches of an epoch, from one of them on; ``loader.epoch`` stays as it is."""
        check_whole("epoch", epoch, 0)
        check_whole("batch", batch, 0)
        Address.of(self._seed, epoch)
        return self._batches(epoch, batch)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """(N,) the positions of the samples in the order of an epoch: a pure function of (seed, epoch)."""
        rows = np.arange(len(self._source))
        return Draw(Address.of(self._seed, epoch, rows), "Loader").order("order") if self._shuffle else rows

    @property
    def skipped(self) -> tuple[str, ...]:
        """Files that could not be read so far, in the order of the data, each with the reason."""
        return tuple(f"{fault.where} ({fault.got})" for _, fault in sorted(self._skipped.items()))

    def _batches(self, epoch: int, first: int) -> Iterator[Any]:
        order, size, crew = self.order(epoch), self._batch_size, _Crew(self._threads)
        parts = (order[number * size : (number + 1) * size] for number in range(first, len(self)))
        jobs = (crew.makers.submit(self._made, rows, epoch, crew) for rows in parts)
        try:
            ahead = deque[Future](islice(jobs, self._prefetch))
            while ahead:
                made = ahead.popleft().result()
                ahead.extend(islice(jobs, 1))
                yield from made
                del made  # while the next batch is waited for, this one is the user's alone
        finally:
            crew.dismiss()

    def _made(self, rows: NDArray[np.int64], epoch: int, crew: _Crew) -> list[Any]:
        """A list of one batch, or of none where all of it is skipped."""
        while True:
            files, faults = self._opened(rows, crew)
            if not faults:
                try:
                    return [self._augmented(rows, files, epoch, crew, faults)]
                except DataError:
                    if not (faults and self._skip):
                        raise
            elif not self._skip:
                raise faults[min(faults)]
            bad = dict(faults)  # workers that are still at it may find more; the next round will, too
            self._skipped.update((int(rows[position]), fault) for position, fault in bad.items())
            rows = np.delete(rows, list(bad))
            if not len(rows):
                return []

    def _opened(self, rows: NDArray[np.int64], crew: _Crew) -> tuple[list[Encoded], dict[int, DataError]]:
        if isinstance(self._source, Dataset):
            return [], {}
        found = list(crew.readers.map(_attempt, [self._source[row] for row in rows]))
        files = [file for file in found if not isinstance(file, DataError)]
        return files, {position: fault for position, fault in enumerate(found) if isinstance(fault, DataError)}

    def _augmented(self, rows: NDArray[np.int64], files: list[Encoded], epoch: int, crew: _Crew, faults: dict[int, DataError]) -> Any:
        address = Address.of(self._seed, epoch, rows)
        if isinstance(self._source, Dataset):
            inputs = read(self._named(rows, self._source.take(rows).images))._replace(listed=False)
            call = Call(self._engine, self._threads, False, None, self._partners())
        else:
            pending = Pending(files, address, crew.workers, crew.pages, self._reduce, faults)
            named = self._named(rows, pending)
            others = {name: wrapped(name, value, False) for name, value in named.items() if name != "image"}
            inputs = Inputs("image", pending, False, False, False, others, pending.spec.but(targets=frozenset(named)))  # type: ignore[arg-type]
            call = Call(Reading(self._engine, self._threads), 1, False, None, self._partners())
        views = each_view(self._policy.views, address)
        made = [Batch(augment_one_view(self._policy, self._ready(inputs, view), view, call), rows) for view in views]
        return made[0] if self._policy.views is None else made

    def _ready(self, inputs: Inputs, address: Address) -> Inputs:
        """Files where passes stand before the first mixer, and else their pixels: mixers take arrays."""
        if not isinstance(inputs.data, Pending) or not mixers(self._policy, None):
            return inputs
        passes = head(plan(self._policy, Draw(address), inputs.spec, inputs=inputs)).primitives
        return inputs if passes else inputs._replace(data=inputs.data.copy())

    def _named(self, rows: NDArray[np.int64], images: Any) -> dict[str, Any]:
        noted = {} if self._noted is None else self._noted.targets(rows)
        label = {} if self._labels is None else {"label": self._labels[rows]}
        more = {} if self._targets is None else self._targets(rows)
        return named_targets(self._policy, (), {self._kind: images, **noted, **label, **more})

    def _partners(self) -> Any:
        """The data itself, for mixers whose partners come from a data set."""
        asked = any(mixer.partner == "dataset" for mixer in mixers(self._policy, None))
        return (self._item, len(self._source)) if asked else None

    def _item(self, index: int) -> dict[str, Any]:
        rows = np.array([index])
        images = self._source.take(rows).images if isinstance(self._source, Dataset) else [_opened(self._source[index]).pixels()]
        named = self._named(rows, images)
        return {name: (value.data if isinstance(value, Target) else value)[0] for name, value in named.items()}


@final
class _Crew:
    """The threads of one pass over the data: reading never waits behind decoding, and a batch waits for its samples in its own thread."""

    def __init__(self, threads: int):
        sizes = (("makers", _MAKERS), ("readers", threads), ("workers", threads))
        self.makers, self.readers, self.workers = (ThreadPoolExecutor(size, f"vicinal-loader-{name}") for name, size in sizes)
        self.pages = Pages()

    def dismiss(self) -> None:
        """End all threads; what is under way is finished, what waits is dropped.

        The first to begin is the last to end: glibc keeps for a thread what it has freed, and the next one gets what the last one left.
        """
        for pool in (self.workers, self.readers, self.makers):
            pool.shutdown(cancel_futures=True)


def _opened(path: Path, ahead: bool = False) -> Encoded:
    from vicinal.data.decode import opened  # OpenCV and Pillow are needed for files alone

    return opened(path, ahead)


def _attempt(path: Path) -> Encoded | DataError:
    try:
        return _opened(path, ahead=True)
    except DataError as fault:
        return fault
