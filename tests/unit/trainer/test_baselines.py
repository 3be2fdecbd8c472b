from collections import Counter, defaultdict

import numpy as np
import pytest

from tests.made_lists import ragged, random_lists
from trainer.baselines import AssociationRuleScorer, ItemKnnScorer, SequentialRuleScorer

ITEMS = 30
LISTS = random_lists(150, 24, longest=9, seed=3)
SESSIONS = ragged(LISTS)


def pairs_by_loop() -> Counter[tuple[int, int]]:
    counts: Counter[tuple[int, int]] = Counter()
    for session in LISTS:
        for one, item in enumerate(session):
            for other, neighbor in enumerate(session):
                if one != other:
                    counts[item, neighbor] += 1
    return counts


def rules_by_loop(steps: int) -> dict[tuple[int, int], float]:
    weights: defaultdict[tuple[int, int], float] = defaultdict(float)
    for session in LISTS:
        for place, item in enumerate(session):
            for distance in range(1, min(steps, place) + 1):
                weights[session[place - distance], item] += 1 / distance**2
    return weights


def cosines_by_loop() -> dict[tuple[int, int], float]:
    holders = {
        item: {number for number, session in enumerate(LISTS) if item in session}
        for item in range(ITEMS)
    }
    return {
        (one, other): len(holders[one] & holders[other])
        / np.sqrt(len(holders[one]) * len(holders[other]))
        for one in holders
        for other in holders
        if holders[one] & holders[other]
    }


def check(scorer, expected) -> None:
    assert list(scorer.rows) == sorted({item for session in LISTS for item in session})
    scores = scorer.scores(scorer.rows)
    for query, row in zip(scorer.rows, scores, strict=True):
        for candidate, score in zip(scorer.rows, row, strict=True):
            if query != candidate:  # ranking excludes the query item
                wanted = expected.get((query, candidate), -np.inf)
                assert score == pytest.approx(wanted, rel=1e-5)


def test_association_rules_count_pairs_of_places():
    check(AssociationRuleScorer(SESSIONS, items=ITEMS), pairs_by_loop())


@pytest.mark.parametrize("steps", [1, 3, 20])
def test_sequential_rules_weigh_steps_by_the_square_of_their_distance(steps):
    check(SequentialRuleScorer(SESSIONS, items=ITEMS, steps=steps), rules_by_loop(steps))


def test_item_knn_is_the_cosine_of_sets_of_sessions():
    check(ItemKnnScorer(SESSIONS, items=ITEMS), cosines_by_loop())


def test_rules_point_forward_only():
    scorer = SequentialRuleScorer(ragged([[0, 1]]), items=2, steps=5)
    forward, back = scorer.scores(np.array([0, 1], np.int32))
    assert (forward[1], back[0]) == (1, -np.inf)
