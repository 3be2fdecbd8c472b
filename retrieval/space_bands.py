"""The bands of a space as serving looks them up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from artifacts.arrays import FloatMatrix, FloatVector
from indexer.bands import limits_of
from indexer.bands_config import BandsConfig


@dataclass(frozen=True, slots=True)
class SpaceBands:
    """Thresholds by category of what a list is for.

    Attributes:
        values: (c + 1, 3) float32 as `indexer.band_kernels.keep_apart` takes them, a line for each
            category code; the last line is the space's own.
        most_hits: hits looked at before a list is left short.
    """

    values: FloatMatrix
    most_hits: int

    @classmethod
    def of(cls, config: BandsConfig, categories: Sequence[str]) -> "SpaceBands":
        """Look up the thresholds of each category of a catalogue."""
        lines = [limits_of(config.of(name)) for name in categories]
        return cls(np.vstack([*lines, limits_of(config)]), config.most_hits)

    def limits(self, category: int | None) -> FloatVector:
        """Return the (3,) thresholds of a category code, the space's own for None."""
        line: FloatVector = self.values[-1 if category is None else category]
        return line
