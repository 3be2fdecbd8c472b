"""Mixing by a draft, so that no list is favoured."""

from collections.abc import Sequence

import xxhash

from retrieval.mixing.turns import giving, take_turns
from retrieval.mixing.weighted_list import Pick, WeightedList


def team_draft(lists: Sequence[WeightedList], n: int, seed: int) -> list[Pick]:
    """Let each list draft its best item that is left, in an order drawn anew for every round.

    Team-draft interleaving (Radlinski, Kurup, Joachims 2008, section 4.2) for any number of lists.
    The lots are hashes of the seed, so that the same lists are mixed alike wherever and whenever.

    Args:
        lists: what is mixed; weights above 0 make no difference.
        n: items wanted.
        seed: of the lots, in 64 bits.

    Returns:
        At most n picks of distinct rows; scores are those of the places in the mixture.

    Cost: O(items looked at), and a hash for each turn.
    """
    places = giving(lists)

    def lots(round: int) -> list[int]:
        return sorted(places, key=lambda place: _lot(seed, round, place))

    return take_turns(lists, n, lots)


def _lot(seed: int, round: int, place: int) -> int:
    return xxhash.xxh3_64_intdigest(f"{round}:{place}".encode(), seed)
