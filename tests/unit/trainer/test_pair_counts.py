from collections import Counter

import numpy as np
import pytest

from artifacts.ragged import Ragged
from trainer.pair_counts import PairCounts, count_pairs


def ragged(sessions: list[list[int]]) -> Ragged:
    lengths = np.array([len(session) for session in sessions])
    values = np.array([item for session in sessions for item in session], dtype=np.int32)
    return Ragged.of(lengths, values)


def by_loop(sessions: list[list[int]], window: int, exponent: float) -> Counter[tuple[int, int]]:
    weights: Counter[tuple[int, int]] = Counter()
    for session in sessions:
        for i, one in enumerate(session):
            for j, other in enumerate(session):
                if 0 < abs(i - j) <= window and one != other:
                    weights[one, other] += abs(i - j) ** -exponent
    return weights


def as_dict(pairs: PairCounts) -> dict[tuple[int, int], float]:
    items = np.repeat(np.arange(len(pairs)), np.diff(pairs.starts))
    weights = pairs.shares * pairs.totals[items]
    return {
        (int(item), int(column)): float(weight)
        for item, column, weight in zip(items, pairs.columns, weights, strict=True)
    }


@pytest.mark.parametrize(("window", "exponent"), [(1, 0.0), (2, 0.7), (50, 1.0)])
def test_pairs_are_those_of_a_loop(window, exponent):
    rng = np.random.default_rng(3)
    sessions = [list(map(int, rng.integers(9, size=length))) for length in (1, 2, 7, 12, 5)]
    pairs = count_pairs(ragged(sessions), 10, window=window, distance_exponent=exponent)
    expected = by_loop(sessions, window, exponent)
    assert as_dict(pairs) == pytest.approx(dict(expected), rel=1e-5)
    assert len(pairs) == 10


def test_shares_add_up_to_one_and_lonely_items_have_none():
    pairs = count_pairs(ragged([[0, 1, 0, 2], [3]]), 4, window=3, distance_exponent=0.5)
    shares = np.add.reduceat(pairs.shares, pairs.starts[:3])
    np.testing.assert_allclose(shares, 1, rtol=1e-6)
    assert pairs.totals[3] == 0
    assert pairs.starts[3] == pairs.starts[4]


def test_no_sessions_give_no_pairs():
    pairs = count_pairs(ragged([]), 2, window=3, distance_exponent=0.5)
    np.testing.assert_array_equal(pairs.totals, [0, 0])
    assert len(pairs.columns) == 0


def test_scaled_counts_are_times_the_factors_of_both_items():
    sessions = [[0, 1, 2, 0, 3], [3, 1], [2, 2, 1]]
    pairs = count_pairs(ragged(sessions), 5, window=2, distance_exponent=0.5)
    factors = np.array([1, 0.1, 3, 0.5, 7], dtype=np.float32)
    expected = {
        pair: count * factors[pair[0]] * factors[pair[1]] for pair, count in as_dict(pairs).items()
    }
    assert as_dict(pairs.scaled(factors)) == pytest.approx(expected, rel=1e-5)
