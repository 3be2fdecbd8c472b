"""Which metadata tokens every item carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.errors import ConfigError
from artifacts.ragged import Ragged


@dataclass(frozen=True, slots=True)
class MetadataTokens:
    """Metadata of n items.

    Attributes:
        names: (column, value) of every token: columns as the settings list them, values sorted.
        of_items: n lists of token numbers, columns in the same order.
    """

    names: tuple[tuple[str, str], ...]
    of_items: Ragged

    @property
    def holders(self) -> IntVector:
        """(m,) items that carry each token."""
        return np.bincount(self.of_items.values, minlength=len(self.names)).astype(np.int32)


def metadata_tokens(
    columns: Mapping[str, Sequence[str | None]], rows: NDArray[np.integer]
) -> MetadataTokens:
    """Number what the columns say of the items `rows`; what they say of others is no token.

    Raises:
        ConfigError: a column says nothing of any of these items.

    Cost: O(columns * n log n).
    """
    names: list[tuple[str, str]] = []
    codes = np.full((len(rows), len(columns)), -1, dtype=np.int32)
    for place, (column, values) in enumerate(columns.items()):
        said = [values[row] for row in rows.tolist()]
        different = sorted({value for value in said if value is not None})
        if not different:
            raise ConfigError(
                f"train.meta.columns: {column!r} says nothing of any of the {len(rows):,} items "
                "that are learnt from; take it out, or map it under [prepare.items.columns]"
            )
        number = {value: len(names) + rank for rank, value in enumerate(different)}
        codes[:, place] = [-1 if value is None else number[value] for value in said]
        names += [(column, value) for value in different]
    known = codes >= 0
    return MetadataTokens(tuple(names), Ragged.of(known.sum(axis=1), codes[known]))
