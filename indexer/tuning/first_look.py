"""Kinds of index compared on a sample of the vectors, so that few are built over all of them."""

from collections.abc import Sequence

from indexer.tuning.field import Standing

ROWS = 20_000
"""Vectors of the sample: enough for an inverted file to have its shape, built within seconds."""
QUERIES = 400
WORTH_IT = 3
"""Times as many vectors from which on a sample is looked at first."""
SLOWER = 2.0
"""Times the fastest beyond which a kind is dropped: ranks change with the number of vectors, but
hardly by more."""
MOST_KINDS = 3


def is_worth_it(n: int) -> bool:
    """Tell whether n vectors are so many that kinds are compared on a sample first."""
    return n >= WORTH_IT * ROWS


def judge(standings: Sequence[Standing]) -> tuple[list[str], list[str]]:
    """Return the names of the kinds worth building over all vectors, and why others are not."""
    best: dict[str, Standing] = {}
    for standing in sorted(standings, key=lambda one: one.cost):
        best.setdefault(standing.contender.family.name, standing)
    ranked = list(best.items())
    limit = SLOWER * ranked[0][1].best.measured.seconds
    kept = [name for name, one in ranked if one.best.measured.seconds <= limit][:MOST_KINDS]
    dropped = [
        f"{name}: {one.best.measured.seconds * 1e6:.0f} us a query at recall "
        f"{one.best.measured.recall:.3f} among {ROWS:,} vectors"
        for name, one in ranked
        if name not in kept
    ]
    return kept, dropped
