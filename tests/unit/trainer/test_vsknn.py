import math

import numpy as np
import pytest

from artifacts.ragged import Ragged
from tests.made_lists import ragged, random_lists
from trainer.baselines_config import BaselinesConfig
from trainer.vsknn import VsknnScorer, known_positions

ITEMS = 30
LISTS = random_lists(200, 24, longest=9, seed=5)
PREFIXES = random_lists(60, ITEMS, longest=7, seed=6)


def votes_by_loop(prefix: list[int], config: BaselinesConfig) -> dict[int, float]:
    """VSKNN with sets and dictionaries, as the paper tells it."""
    known = {item for session in LISTS for item in session}
    prefix = [item for item in prefix if item in known]
    if not prefix:
        return {}
    length = len(prefix)
    weights = {item: (place / length) ** 2 for place, item in enumerate(prefix, 1)}
    sharers = [n for n, session in enumerate(LISTS) if set(session) & set(prefix)]
    similar = []
    for number in sorted(sharers, reverse=True)[: config.sample]:
        shared = set(LISTS[number]) & set(prefix)
        similar.append((-sum(weights[item] for item in shared) / len(weights), -number))
    scores: dict[int, float] = {}
    for similarity, number in sorted(similar)[: config.neighbors]:
        items = set(LISTS[-number])
        step = next(step for step, item in enumerate(reversed(prefix), 1) if item in items)
        for item in items:
            occurrences = sum(session.count(item) for session in LISTS)
            boost = 1 + config.idf_weight * math.log(len(LISTS) / occurrences)
            scores[item] = scores.get(item, 0) - similarity / step * boost
    return scores


@pytest.mark.parametrize(("neighbors", "sample"), [(5, 1_000), (1_000, 1_000), (7, 20), (1, 1)])
def test_votes_are_those_of_sets_and_dictionaries(neighbors, sample):
    config = BaselinesConfig(neighbors=neighbors, sample=sample)
    scorer = VsknnScorer(ragged(LISTS), items=ITEMS, config=config)
    scores = scorer.scores(ragged(PREFIXES))
    for prefix, row in zip(PREFIXES, scores, strict=True):
        expected = votes_by_loop(prefix, config)
        wanted = [expected.get(int(item), -np.inf) for item in scorer.rows]
        np.testing.assert_allclose(row, wanted, rtol=1e-5)


def test_a_prefix_of_unknown_items_gets_no_vote():
    scorer = VsknnScorer(ragged([[0, 1], [1, 2]]), items=9, config=BaselinesConfig())
    assert np.isneginf(scorer.scores(ragged([[7, 8]]))).all()


def test_no_training_session_is_no_candidate():
    none = Ragged.of(np.empty(0, np.int64), np.empty(0, np.int32))
    scorer = VsknnScorer(none, items=9, config=BaselinesConfig())
    assert scorer.scores(ragged([[1]])).shape == (1, 0)


def test_known_positions_leave_out_what_is_unknown():
    rows = np.array([2, 5], np.int32)
    known = known_positions(ragged([[5, 1, 2], [7], [2]]), rows)
    assert [known.row(i).tolist() for i in range(3)] == [[1, 0], [], [0]]
