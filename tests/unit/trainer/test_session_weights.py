import numpy as np

from artifacts.ragged import Ragged
from trainer.pair_counts import count_pairs
from trainer.session_weights import session_factors, weigh_sessions
from trainer.softmax_config import SoftmaxConfig
from trainer.weighted_lists import WeightedLists

LISTS = Ragged.of(np.array([2, 4, 2]), np.array([0, 1, 0, 1, 2, 3, 2, 3], dtype=np.int32))


def test_sessions_count_the_same_unless_asked():
    sessions = WeightedLists(LISTS, None)
    assert weigh_sessions(sessions, SoftmaxConfig()) is sessions


def test_long_sessions_count_less_and_old_ones_less_still():
    factors = session_factors(LISTS.lengths, SoftmaxConfig(session_exponent=1.0))
    assert factors is not None
    np.testing.assert_allclose(factors, [1 / 2, 1 / 4, 1 / 2])
    # Half of all sessions younger: the oldest of four stands three quarters behind the youngest.
    aged = session_factors(np.full(4, 2), SoftmaxConfig(half_life=0.25))
    assert aged is not None
    np.testing.assert_allclose(aged, [1 / 8, 1 / 4, 1 / 2, 1])


def test_weights_of_kinds_and_of_sessions_multiply():
    kinds = np.array([1, 2, 1, 1, 3, 1, 1, 1], dtype=np.float32)
    weighed = weigh_sessions(WeightedLists(LISTS, kinds), SoftmaxConfig(session_exponent=0.5))
    assert weighed.weights is not None
    np.testing.assert_allclose(
        weighed.weights, kinds * np.repeat([2**-0.5, 0.5, 2**-0.5], [2, 4, 2]), rtol=1e-6
    )


def test_a_pair_counts_what_its_session_counts():
    settings = SoftmaxConfig(session_exponent=1.0)
    weighed = weigh_sessions(WeightedLists(LISTS, None), settings)
    pairs = count_pairs(weighed.lists, 4, window=1, distance_exponent=0.0, weights=weighed.weights)
    # 0 and 1 meet in a session of two and in one of four; 1 and 2 in the one of four alone.
    zero, one = (pairs.shares[pairs.starts[item] : pairs.starts[item + 1]] for item in (0, 1))
    np.testing.assert_allclose(zero * pairs.totals[0], [3 / 4])
    np.testing.assert_allclose(one * pairs.totals[1], [3 / 4, 1 / 4])
