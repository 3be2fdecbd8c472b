"""Lists that take turns."""

from collections.abc import Callable, Sequence

from retrieval.mixing.weighted_list import Pick, WeightedList, rank_worth


def giving(lists: Sequence[WeightedList]) -> list[int]:
    """Return the places of the lists that may give items."""
    return [place for place, each in enumerate(lists) if each.weight > 0 and each.rows]


def take_turns(
    lists: Sequence[WeightedList], n: int, order_of: Callable[[int], Sequence[int]]
) -> list[Pick]:
    """Let lists give their best item that is not taken yet, one each in every round.

    What a list of negative weight holds is not taken from any other.

    Args:
        lists: what is mixed.
        n: items wanted.
        order_of: places of the lists in the order of their turns, by number of the round.
    """
    heads = [0] * len(lists)
    taken = {row for rows, weight in lists if weight < 0 for row in rows}
    picks: list[Pick] = []
    round = 0
    while len(picks) < n:
        before = len(picks)
        for at in order_of(round):
            rows = lists[at].rows
            while heads[at] < len(rows) and rows[heads[at]] in taken:
                heads[at] += 1
            if heads[at] < len(rows) and len(picks) < n:
                taken.add(rows[heads[at]])
                picks.append(Pick(at, heads[at], rank_worth(len(picks))))
        if len(picks) == before:
            break
        round += 1
    return picks
