import numpy as np
import pytest

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.ragged import Ragged
from tests.made_lists import ragged
from trainer.scorers import PopularityScorer
from trainer.session_ranking import PrefixCases, rank_prefixes
from trainer.session_scorers import LastItemScorer

ITEMS = 20
LISTS = [
    np.random.default_rng(seed).integers(0, ITEMS, 2 + seed % 6).tolist() for seed in range(40)
]


class DrawnScorer:
    """Coarse scores that depend on the whole prefix, for items that are not all known."""

    name = "drawn"
    rows: IntVector = np.array([row for row in range(ITEMS) if row % 5], dtype=np.int32)

    def of(self, prefix: list[int]) -> list[float]:
        rng = np.random.default_rng(prefix)
        drawn = rng.integers(0, 5, len(self.rows)).astype(float)
        return [-np.inf if score == 4 else score for score in drawn]

    def scores(self, prefixes: Ragged) -> FloatMatrix:
        lists = [prefixes.row(number).tolist() for number in range(len(prefixes))]
        return np.array([self.of(prefix) for prefix in lists], dtype=np.float32)


def test_cases_are_all_beginnings_and_what_follows_them():
    cases = PrefixCases.of(ragged(LISTS))
    expected = [
        (number, session[:place], session[place])
        for number, session in enumerate(LISTS)
        for place in range(1, len(session))
    ]
    made = [
        (int(cases.sessions[i]), cases.prefixes.row(i).tolist(), int(cases.targets[i]))
        for i in range(len(cases))
    ]
    assert made == expected


@pytest.mark.parametrize("block_bytes", [1, 300, 1 << 20], ids=["one prefix", "few", "all"])
def test_ranks_and_lists_are_those_of_a_loop(block_bytes):
    scorer, cases = DrawnScorer(), PrefixCases.of(ragged(LISTS))
    ranking = rank_prefixes(scorer, cases, k=4, block_bytes=block_bytes)
    listings = dict.fromkeys(scorer.rows.tolist(), 0)
    for case, rank in enumerate(ranking.ranks):
        prefix, target = cases.prefixes.row(case).tolist(), int(cases.targets[case])
        scores = dict(zip(scorer.rows.tolist(), scorer.of(prefix), strict=True))
        scores.pop(prefix[-1], None)
        alive = {item: score for item, score in scores.items() if score > -np.inf}
        best = sum(score >= alive[target] for score in alive.values()) if target in alive else 0
        assert rank == best
        for item in sorted(alive, key=lambda item: (-alive[item], item))[:4]:
            listings[item] += 1
    assert ranking.listings.tolist() == list(listings.values())


def test_methods_of_one_item_look_at_the_last_one():
    scorer = LastItemScorer(PopularityScorer(np.array([3, 1, 0, 2], np.int32)))
    scores = scorer.scores(ragged([[2, 0], [0, 2], [3]]))
    np.testing.assert_array_equal(scores, [[3, 1, 2], [-np.inf] * 3, [3, 1, 2]])
