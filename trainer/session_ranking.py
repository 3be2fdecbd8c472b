"""Rank the true next item at every position of the held-out sessions."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.ragged import Ragged
from trainer.ranking import (
    UNRANKED,
    Ranking,
    best_positions,
    positions,
    ranks_among,
    rows_per_block,
)
from trainer.scorers import NOT_A_CANDIDATE
from trainer.session_scorers import SessionScorer


@dataclass(frozen=True, slots=True)
class PrefixCases:
    """Every step of s sessions, session after session.

    Attributes:
        prefixes: n lists of vocabulary rows: what was visited before each step.
        targets: (n,) int32 rows of what came next.
        sessions: (n,) int64 number of the session of each step.
    """

    prefixes: Ragged
    targets: IntVector
    sessions: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.targets)

    @classmethod
    def of(cls, sessions: Ragged) -> "PrefixCases":
        """Take sessions of at least two items apart.

        Cost: O(sum over sessions of length^2) memory.
        """
        lengths = sessions.lengths - 1  # steps of each session
        numbers = np.repeat(np.arange(len(sessions), dtype=np.int64), lengths)
        first = np.repeat(np.cumsum(lengths) - lengths, lengths)
        seen = np.arange(len(numbers), dtype=np.int64) - first + 1  # items before each step
        starts = np.asarray(sessions.offsets)[numbers]
        begins = np.cumsum(seen) - seen
        places = np.arange(int(seen.sum()), dtype=np.int64) + np.repeat(starts - begins, seen)
        values = np.asarray(sessions.values)
        return cls(Ragged.of(seen, values[places]), values[starts + seen], numbers)


def rank_prefixes(
    scorer: SessionScorer,
    cases: PrefixCases,
    *,
    k: int,
    block_bytes: int,
    step: Callable[[int], None] = lambda _: None,
) -> Ranking:
    """Rank every target among all candidates but the last item of its prefix.

    Ties count against the target, as in `trainer.ranking.rank_cases`.

    Args:
        scorer: the method; its `rows` lie within the vocabulary.
        cases: prefixes and targets.
        k: length of the lists behind `listings`, ties by ascending row.
        block_bytes: size of the scores held at a time, at least one prefix's.
        step: told the number of prefixes after each block.

    Cost: O(n * candidates).
    """
    ranks = np.full(len(cases), UNRANKED, dtype=np.int64)
    listings = np.zeros(len(scorer.rows), dtype=np.int64)
    last = positions(scorer.rows, cases.prefixes.values[cases.prefixes.offsets[1:] - 1])
    wanted = positions(scorer.rows, cases.targets)
    size = rows_per_block(block_bytes, len(scorer.rows))
    for first in range(0, len(cases) if len(scorer.rows) else 0, size):
        block = np.arange(first, min(first + size, len(cases)), dtype=np.int64)
        scores = scorer.scores(cases.prefixes.take(block))
        known = last[block] >= 0
        scores[np.flatnonzero(known), last[block][known]] = NOT_A_CANDIDATE
        ranks[block] = ranks_among(scores, block - first, wanted[block])
        for row in scores:
            listings[best_positions(row, k)] += 1
        step(len(block))
    return Ranking(ranks, scorer.rows, listings)
