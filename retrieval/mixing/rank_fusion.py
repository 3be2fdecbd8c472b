"""Mixing by weighted ranks."""

from collections.abc import Sequence

from retrieval.mixing.weighted_list import Pick, WeightedList, rank_worth


def fuse_ranks(lists: Sequence[WeightedList], n: int) -> list[Pick]:
    """Rank items by the sum of weight / (60 + rank) over the lists that hold them.

    Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009), with weights: an item that several lists
    hold gains from each. A negative weight takes away, and what is left with nothing is left out.

    Args:
        lists: what is mixed.
        n: items wanted.

    Returns:
        At most n picks of distinct rows, ties by ascending row. A pick is owed to the list that adds
        most to its score, of equals to the earlier one.

    Cost: O(m log m) for m items in all.
    """
    scores: dict[int, float] = {}
    owed: dict[int, tuple[float, int, int]] = {}
    for at, (rows, weight) in enumerate(lists):
        for place, row in enumerate(rows):
            share = weight * rank_worth(place)
            scores[row] = scores.get(row, 0.0) + share
            if share > owed.get(row, (0.0,))[0]:
                owed[row] = (share, at, place)
    best = sorted((-score, row) for row, score in scores.items() if score > 0)
    return [Pick(owed[row][1], owed[row][2], -worth) for worth, row in best[:n]]
