"""Items of a list whose title has been met before: duplicates that anybody sees."""

from dataclasses import dataclass

import numpy as np

from artifacts.arrays import IntMatrix, IntVector
from artifacts.catalog import Catalog
from artifacts.text import normalize


@dataclass(frozen=True, slots=True)
class TitleDoubles:
    """Counts duplicates by title.

    Attributes:
        codes: (v,) int32, equal for items of equal titles, letter case aside; distinct without one.
        sources: (s,) int32 rows that lists are of.
    """

    codes: IntVector
    sources: IntVector

    @classmethod
    def of(cls, catalog: Catalog, sources: IntVector) -> "TitleDoubles":
        """Read the titles of a catalogue. Cost: O(v)."""
        code_of: dict[str, int] = {}
        codes = np.empty(len(catalog), dtype=np.int32)
        for row in range(len(catalog)):
            title = catalog.titles[row]
            # An item without a title is nobody's double.
            codes[row] = -2 - row if title is None else code_of.setdefault(normalize(title), row)
        return cls(codes, sources)

    def count(self, lists: IntMatrix) -> int:
        """Count the items with the title of the source or of a better item, over (s, k) lists."""
        titles = np.where(lists >= 0, self.codes[np.maximum(lists, 0)], -1)  # (s, k)
        met = titles == self.codes[self.sources][:, np.newaxis]
        for place in range(1, lists.shape[1]):
            met[:, place] |= (titles[:, :place] == titles[:, place : place + 1]).any(axis=1)
        return int((met & (lists >= 0)).sum())
