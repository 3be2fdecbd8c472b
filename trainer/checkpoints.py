"""Keeps the state of a long training, so that one that was interrupted goes on where it stood."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import map_array
from artifacts.folders import remove_stale_staging, staged_folder

PREFIX = "epoch-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a training stood.

    Attributes:
        epochs: passes that are finished.
        arrays: state of the model by name, mapped.
    """

    epochs: int
    arrays: Mapping[str, NDArray[Any]]


class Checkpoints:
    """The checkpoints of one training; the folder's name must tell it from every other one.

    Each is written aside and renamed, and only then is the one before it removed: whenever the
    process dies, the newest whole one is there.
    """

    def __init__(
        self, folder: Path, *, every_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._every_s = every_s
        self._clock = clock
        self._written = clock()

    def part(self, name: str) -> Self:
        """Return the checkpoints of a part of this training, removed with the whole."""
        return type(self)(self._folder / name, every_s=self._every_s, clock=self._clock)

    def latest(self) -> Checkpoint | None:
        """Return the newest checkpoint, or None where there is none.

        Raises:
            ArtifactError: a file of it is unreadable.
        """
        kept = self._kept()
        if not kept:
            return None
        return Checkpoint(
            epochs=int(kept[-1].name.removeprefix(PREFIX)),
            arrays={path.stem: map_array(path) for path in sorted(kept[-1].glob("*.npy"))},
        )

    def offer(self, epochs: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a checkpoint after `epochs` passes, unless the last one is young enough.

        Cost: all arrays written and flushed to the disk.
        """
        if self._clock() - self._written >= self._every_s:
            self.store(epochs, arrays)

    def store(self, epochs: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write a checkpoint after `epochs` passes, however young the last one is.

        Cost: all arrays written and flushed to the disk.
        """
        older = self._kept()
        with staged_folder(self._folder / f"{PREFIX}{epochs:06d}") as folder:
            for name, array in arrays.items():
                np.save(folder / f"{name}.npy", array)
        for path in older:
            shutil.rmtree(path)
        remove_stale_staging(self._folder)
        self._written = self._clock()

    def remove(self) -> None:
        """Delete all of them; the training is finished and its result stored."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _kept(self) -> list[Path]:
        return sorted(self._folder.glob(f"{PREFIX}*"))
