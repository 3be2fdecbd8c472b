"""The methods that the second protocol compares: each scores every candidate for a whole prefix."""

from typing import Protocol

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.ragged import Ragged
from trainer.ranking import positions
from trainer.scorers import NOT_A_CANDIDATE, Scorer


class SessionScorer(Protocol):
    """Scores the candidates `rows` for the beginnings of sessions; higher is better.

    Attributes:
        name: name of the method in reports.
        rows: (m,) int32 vocabulary rows of the candidates, strictly ascending.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see the class

    @property
    def rows(self) -> IntVector: ...  # noqa: D102 - see the class

    def scores(self, prefixes: Ragged) -> FloatMatrix:
        """Score all candidates.

        Args:
            prefixes: q lists of vocabulary rows, oldest first, none of them empty; rows that the
                method does not know may be among them.

        Returns:
            (q, m) float32 that the caller may change; -inf where the method has nothing to say.
        """
        ...


class LastItemScorer:
    """Looks at the last item of a prefix alone, by any method of the first protocol."""

    def __init__(self, scorer: Scorer) -> None:
        self.name = scorer.name
        self.rows = scorer.rows
        self._scorer = scorer

    def scores(self, prefixes: Ragged) -> FloatMatrix:
        """Return the scores for the last items; all -inf where one is unknown."""
        last = prefixes.values[prefixes.offsets[1:] - 1]
        known = positions(self.rows, last) >= 0
        scores = np.full((len(last), len(self.rows)), NOT_A_CANDIDATE, dtype=np.float32)
        if known.any():
            scores[known] = self._scorer.scores(last[known])
        return scores
