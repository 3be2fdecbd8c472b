"""Mixing by turns."""

from collections.abc import Sequence

from retrieval.mixing.turns import giving, take_turns
from retrieval.mixing.weighted_list import Pick, WeightedList


def round_robin(lists: Sequence[WeightedList], n: int) -> list[Pick]:
    """Let each list give its best item that is not taken yet, in turn, the heaviest list first.

    Args:
        lists: what is mixed; of equal weights the earlier list comes first.
        n: items wanted.

    Returns:
        At most n picks of distinct rows; scores are those of the places in the mixture.

    Cost: O(items looked at).
    """
    order = sorted(giving(lists), key=lambda place: -lists[place].weight)
    return take_turns(lists, n, lambda _: order)
