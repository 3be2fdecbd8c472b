"""Items by falling popularity, per category and for the whole shop: the last fallback."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import IntVector, map_array
from artifacts.catalog import Catalog


@dataclass(frozen=True, slots=True)
class PopularityTable:
    """Rows sorted by falling session count, ties by ascending row; items never seen are left out.

    Attributes:
        offsets: (c + 2,) int32; category code i owns `rows[offsets[i]:offsets[i + 1]]`, and the
            segment after the last category holds the whole shop.
        rows: (m,) int32 vocabulary rows.
    """

    offsets: IntVector
    rows: IntVector

    def in_category(self, code: int) -> IntVector:
        """Return the rows of a category, most popular first."""
        return self.rows[self.offsets[code] : self.offsets[code + 1]]

    def overall(self) -> IntVector:
        """Return the rows of the whole shop, most popular first."""
        return self.rows[self.offsets[-2] : self.offsets[-1]]

    @classmethod
    def of(cls, catalog: Catalog) -> "PopularityTable":
        """Sort a catalogue. Cost: O(n log n)."""
        counts = np.asarray(catalog.popularity)
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] > 0].astype(np.int32)
        codes = np.asarray(catalog.category_codes)[order]
        segments = [order[codes == code] for code in range(len(catalog.categories))]
        segments.append(order)
        sizes = [0, *(len(segment) for segment in segments)]
        return cls(
            offsets=np.cumsum(sizes).astype(np.int32),
            rows=np.concatenate(segments).astype(np.int32),
        )

    def save(self, folder: Path) -> None:
        """Write the two arrays into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "offsets.npy", self.offsets)
        np.save(folder / "rows.npy", self.rows)

    @classmethod
    def open(cls, folder: Path) -> "PopularityTable":
        """Map a table that `save` wrote.

        Raises:
            ArtifactError: a file is missing or unreadable.
        """
        return cls(offsets=map_array(folder / "offsets.npy"), rows=map_array(folder / "rows.npy"))
