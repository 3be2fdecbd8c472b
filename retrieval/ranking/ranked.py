"""The answer to one list of candidates."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix
from artifacts.errors import ShelfmateError
from retrieval.answer import BatchOutcomes


class Contributions(NamedTuple):
    """What each feature did to each score."""

    names: tuple[str, ...]
    """(f,) features."""
    values: FloatMatrix
    """(m, f) what the model saw, NaN where a value is absent."""
    parts: NDArray[np.float64]
    """(m, f + 1) what was added; the last column is the model's base value."""


class Ranked(NamedTuple):
    """All candidates of a list, best first; those that the catalogue does not know come last."""

    item_ids: Sequence[str]
    """Every candidate, once."""
    scores: Sequence[float]
    """(m,) of the candidates that are known."""
    schema_version: str
    """Name of the schema of the features that were read: equal names stand for equal columns."""
    skipped: tuple[str, ...] = ()
    """Ids of the context that the snapshot does not know."""
    contributions: Contributions | None = None
    """Of the candidates that are known, in the order of the answer; None where nobody asked."""


RankedBatch: TypeAlias = BatchOutcomes[Ranked]
"""Of a batch that asks for an order."""

RankedOutcome: TypeAlias = Ranked | ShelfmateError
"""What became of one list."""
