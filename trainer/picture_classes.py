"""Which pictures fine-tuning learns from, which class each is of, and which it is stopped by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.catalog import PATH_SEPARATOR, Catalog
from artifacts.errors import DataError
from trainer.images_config import FineTuneConfig

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PictureClasses:
    """A choice among p pictures.

    Attributes:
        names: of the c classes, sorted.
        training: (t,) places among the p pictures, ascending.
        training_classes: (t,) int32 into `names`; every class occurs.
        heldout: (h,) places, of items that no training picture shows; h may be 0.
        heldout_classes: (h,) int32 into `names`.
    """

    names: tuple[str, ...]
    training: Places
    training_classes: IntVector
    heldout: Places
    heldout_classes: IntVector

    def weights(self, balance: float) -> FloatVector:
        """Return (t,) weights of the training pictures, of mean 1: class size ** -balance."""
        sizes = np.bincount(self.training_classes, minlength=len(self.names))
        weights = np.power(sizes[self.training_classes].astype(np.float64), -balance)
        return np.asarray(weights / weights.mean(), dtype=np.float32)


def choose_classes(rows: IntVector, catalog: Catalog, config: FineTuneConfig) -> PictureClasses:
    """Name the class of every picture, draw the sample, and hold out whole items.

    Args:
        rows: (p,) vocabulary rows of the pictures' items.
        catalog: gives the category paths.
        config: level, limits, share and seed.

    Raises:
        DataError: fewer than two classes have pictures enough.
    """
    rng = np.random.default_rng(config.seed)
    labels = _labels(rows, catalog, config.level)
    names, sizes = np.unique(labels[labels != ""], return_counts=True)
    names = names[sizes >= config.min_pictures]
    if len(names) < 2:
        raise DataError(
            f"train.image.fine_tune: expected at least two classes of {config.min_pictures} "
            f"pictures, got {len(names)}; set `level`, or train without fine-tuning"
        )
    chosen = _sample([np.flatnonzero(labels == name) for name in names], config, rng)
    heldout = [_held_out(rows[places], config.heldout, rng) for places in chosen]
    return PictureClasses(
        tuple(names.tolist()),
        *_joined([places[~held] for places, held in zip(chosen, heldout, strict=True)]),
        *_joined([places[held] for places, held in zip(chosen, heldout, strict=True)]),
    )


def _labels(rows: IntVector, catalog: Catalog, level: int | None) -> NDArray[np.str_]:
    def label(row: int) -> str:
        levels = (catalog.category_paths[row] or "").split(PATH_SEPARATOR)
        return PATH_SEPARATOR.join(levels[:level])

    by_row = {row: label(row) for row in set(rows.tolist())}
    return np.array([by_row[row] for row in rows.tolist()], dtype=np.str_)


def _sample(places: list[Places], config: FineTuneConfig, rng: np.random.Generator) -> list[Places]:
    """Draw at most `max_pictures` by one limit for all classes, the highest that fits."""
    sizes = np.sort([len(of_class) for of_class in places])
    limit = max(config.max_pictures // len(sizes), 1)
    while np.minimum(sizes, limit + 1).sum() <= config.max_pictures and limit < sizes[-1]:
        limit += 1
    return [
        np.sort(rng.choice(of_class, min(limit, len(of_class)), replace=False))
        for of_class in places
    ]


def _held_out(rows: IntVector, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Mark the pictures of the items of one class that are held out; one item always stays."""
    items = np.unique(rows)
    # Rounded by chance, so that small classes hold out their share of items on average.
    count = min(int(share * len(items) + rng.random()), len(items) - 1)
    return np.isin(rows, rng.choice(items, count, replace=False))


def _joined(parts: list[Places]) -> tuple[Places, IntVector]:
    """Return all places, ascending, with the number of the part that each comes from."""
    places = np.concatenate(parts)
    classes = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    order = np.argsort(places)
    return places[order], classes[order]
