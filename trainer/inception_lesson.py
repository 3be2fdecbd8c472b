"""What fine-tuning reads in every epoch: the outputs of the frozen part, computed once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.errors import DataError
from artifacts.progress import Progress
from trainer.images_config import FineTuneConfig
from trainer.picture_classes import PictureClasses, Places
from trainer.picture_reader import PictureReader
from trainer.picture_refusals import Refusal
from trainer.picture_views import flipped_crop
from trainer.pictures import Picture

Batch: TypeAlias = NDArray[Any]
Frozen: TypeAlias = Callable[[Batch], Batch]
"""A part of the network that does not learn: (m, ...) inputs to (m, ...) outputs."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the last blocks see.

    Attributes:
        inputs: (t, v, ...) float16 or float32, t pictures in v views, the first one unaltered.
        classes: (t,) int32.
        weights: (t,) float32 of mean 1.
        heldout_inputs: (u, ...), of items that no training picture shows.
        heldout_classes: (u,) int32.
    """

    inputs: Batch
    classes: IntVector
    weights: FloatVector
    heldout_inputs: Batch
    heldout_classes: IntVector

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[tuple[Batch, Batch, Batch]]:
        """Yield inputs, classes and weights for ever: a pass shows each picture in one drawn view.

        The few that do not fill a batch are left out of the pass; the next has another order.
        """
        count, views = self.inputs.shape[:2]
        size = min(size, count)
        while True:
            order = rng.permutation(count)
            for start in range(0, count - size + 1, size):
                chosen = np.sort(order[start : start + size])
                inputs = self.inputs[chosen, rng.integers(views, size=size)]
                yield inputs.astype(np.float32), self.classes[chosen], self.weights[chosen]

    def through(self, frozen: Frozen) -> "Lesson":
        """Return the lesson as it looks after a further part of the network that stands still."""
        count, views = self.inputs.shape[:2]
        outputs = frozen(self.inputs.reshape(count * views, *self.inputs.shape[2:]))
        outputs = outputs.reshape(count, views, *outputs.shape[1:])
        heldout = frozen(self.heldout_inputs) if len(self.heldout_inputs) else outputs[:0, 0]
        return replace(self, inputs=outputs, heldout_inputs=heldout)

    def steps(self, size: int) -> int:
        """Return the batches of one pass."""
        return len(self.inputs) // min(size, len(self.inputs))


def prepare_lesson(
    frozen: Frozen,
    reader: PictureReader,
    classes: PictureClasses,
    scratch: Path,
    *,
    progress: Progress,
) -> Lesson:
    """Compute every view of every picture once.

    Args:
        frozen: (m, s, s, 3) uint8 pictures to what the last blocks see.
        reader: the pictures; its settings hold the table `fine_tune`.
        classes: what is learned from and held out; pictures that cannot be decoded are left out.
        scratch: an existing folder for the outputs, which are mapped from there.
        progress: gets a step a batch and view.

    Raises:
        DataError: no picture to learn from can be decoded.
    """
    config = reader.config.fine_tune
    assert config is not None, "bug: fine-tuning without its settings"
    views = _Views(frozen, reader, config, progress)
    learned, inputs = views.compute(classes.training, config.views, scratch / "inputs.npy")
    stopping, heldout = views.compute(classes.heldout, 1, scratch / "heldout.npy")
    if not learned.any():
        raise DataError("train.image.fine_tune: none of the pictures to learn from can be decoded")
    return Lesson(
        inputs=inputs,
        classes=classes.training_classes[learned],
        weights=classes.weights(config.balance)[learned],
        heldout_inputs=heldout[:, 0] if stopping.any() else inputs[:0, 0],
        heldout_classes=classes.heldout_classes[stopping],
    )


@dataclass(frozen=True, slots=True)
class _Views:
    """One run of the frozen part."""

    frozen: Frozen
    reader: PictureReader
    config: FineTuneConfig
    progress: Progress

    def compute(self, places: Places, views: int, path: Path) -> tuple[NDArray[np.bool_], Batch]:
        """Return which places were read, and the outputs of those, mapped from `path`."""
        rng = np.random.default_rng(self.config.seed)
        refused: dict[str, Refusal] = {}
        kept: list[int] = []
        sheet: Batch = np.empty((0, views), dtype=np.float16)
        for batch, pictures in self.reader.batches(
            places.tolist(), self.reader.config.batch, refused
        ):
            for view in range(views if pictures else 0):
                outputs = self.frozen(np.stack(self._shown(pictures, view, rng)))
                if not len(sheet):
                    shape = (len(places), views, *outputs.shape[1:])
                    sheet = open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
                sheet[len(kept) : len(kept) + len(batch), view] = outputs
                self.progress.advance()
            kept += batch
        return np.isin(places, kept), sheet[: len(kept)]

    def _shown(self, pictures: list[Picture], view: int, rng: np.random.Generator) -> list[Picture]:
        if view == 0:
            return pictures
        smallest = self.config.smallest_crop
        return [flipped_crop(picture, rng, smallest=smallest) for picture in pictures]
