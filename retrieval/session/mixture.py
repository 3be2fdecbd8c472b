"""From lists to one."""

from collections import Counter
from collections.abc import Mapping, Sequence

from artifacts.neighbors import PAD_ROW
from artifacts.relation import ScoreKind
from retrieval.candidates import Candidate, Scored
from retrieval.mixing import Calibration, MixingRules, Pick, WeightedList, mix
from retrieval.session.listing import Listing
from retrieval.session.task import SessionTask
from retrieval.session.visited import Visited


def mixture(
    listings: Sequence[Listing], n: int, task: SessionTask, visited: Visited
) -> list[Candidate]:
    """Return at most n candidates of the lists as they stand, each with the list it is owed to.

    What is mixed are ranks, never scores (docs/adr/0020).

    One list alone is not mixed: its candidates keep their scores.
    """
    if len(listings) == 1:
        (only,) = listings
        return [_anchored(candidate, only) for candidate in only.list.collector.candidates[:n]]
    lists = [
        WeightedList([candidate.row for candidate in each.list.collector.candidates], each.weight)
        for each in listings
    ]
    picks = mix(lists, n, _rules(task, visited))
    return [_picked(pick, listings[pick.list]) for pick in picks]


def _rules(task: SessionTask, visited: Visited) -> MixingRules:
    codes = task.state.snapshot.catalog.category_codes
    calibration = Calibration(
        _shares(codes[visited.rows].tolist(), visited.weights.tolist()),
        lambda row: int(codes[row]),
        task.config.calibration,
    )
    return MixingRules(task.config.mixing, visited.seed, calibration)


def _shares(codes: Sequence[int], weights: Sequence[float]) -> Mapping[int, float]:
    """Return the share of each category in what is liked."""
    totals: Counter[int] = Counter()
    for code, weight in zip(codes, weights, strict=True):
        totals[code] += max(weight, 0.0)  # type: ignore[assignment]  # counters count in halves, too
    whole = sum(totals.values())
    return {code: total / whole for code, total in totals.items() if total > 0}


def _picked(pick: Pick, listing: Listing) -> Candidate:
    candidate = _anchored(listing.list.collector.candidates[pick.place], listing)
    return candidate._replace(
        score=pick.score,
        kind=ScoreKind.RANK_FUSION,
        mixed_from=listing.name,
        unmixed=Scored(candidate.score, candidate.kind),
    )


def _anchored(candidate: Candidate, listing: Listing) -> Candidate:
    """Name the visited item whose neighbour a candidate is; the hybrid names its own anchor."""
    if candidate.anchor != PAD_ROW or listing.anchor == PAD_ROW:
        return candidate
    return candidate._replace(anchor=listing.anchor)
