"""VMIS-kNN as the paper writes it: with a map and a heap, one session at a time."""

import heapq
from collections import defaultdict
from math import log

from artifacts.recent_sessions import RecentSessions
from retrieval.session_knn_config import SessionKnnConfig


def vmis_scores(
    table: RecentSessions, visited: list[int], config: SessionKnnConfig
) -> dict[int, float]:
    """Return the scores of all items as Kersbergen et al. 2022 define them, map and heap and all."""
    session = [row for row in visited if row >= 0][-config.last_items :]
    similarities = _similarities(table, session, config.sample)
    # Of two equally similar sessions the more recent one, which has the higher number.
    ranked = sorted(similarities, key=lambda number: (-similarities[number], -number))
    scores: dict[int, float] = defaultdict(float)
    for number in ranked[: config.neighbors]:
        items = table.session_items.row(number).tolist()
        match = min(place for place, row in enumerate(reversed(session)) if row in items)
        match_weight = 1 - (match + 1) / (config.last_items + 1)
        for item in items:
            idf = log(table.total / table.support[item])
            scores[item] += match_weight * similarities[number] * idf
    return scores


def _similarities(table: RecentSessions, session: list[int], sample: int) -> dict[int, float]:
    similarities: dict[int, float] = {}
    recent: list[int] = []
    seen: set[int] = set()
    for place, row in enumerate(reversed(session)):
        if row in seen:
            continue
        seen.add(row)
        decay = (len(session) - place) / len(session)
        for number in table.item_sessions.row(row).tolist():
            if number in similarities:
                similarities[number] += decay
            elif len(similarities) < sample:
                similarities[number] = decay
                heapq.heappush(recent, number)
            elif number > recent[0]:
                del similarities[heapq.heapreplace(recent, number)]
                similarities[number] = decay
            else:
                break
    return similarities
