from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.queries import EventKind, Visit
from retrieval.session.config import KindWeights, SessionConfig
from retrieval.session.weights import visit_weights

KINDS = st.sampled_from(list(EventKind))
PLAIN = st.builds(Visit, st.just("a"), KINDS, st.floats(-10, 10), st.none())
TIMED = st.builds(Visit, st.just("a"), KINDS, st.floats(-10, 10), st.floats(0, 1e6))
CONFIG = SessionConfig(half_life_s=600, half_life_visits=2)


def weights(visits: Sequence[Visit], config: SessionConfig = CONFIG) -> list[float]:
    return visit_weights(visits, config).tolist()


def test_kinds_weigh_what_the_config_says():
    visits = [Visit("a", kind) for kind in EventKind]
    flat = SessionConfig(half_life_visits=None)
    assert weights(visits, flat) == [1, 2, 3]
    own = flat.model_copy(update={"kind_weights": KindWeights(view=0, cart=0.5, purchase=9)})
    assert weights(visits, own) == [0, 0.5, 9]


def test_order_decides_where_a_time_is_missing():
    visits = [Visit("a", at_s=0.0), Visit("b"), Visit("c", at_s=10_000.0)]
    assert weights(visits) == pytest.approx([0.5, 2**-0.5, 1])


def test_seconds_decide_where_all_carry_times():
    visits = [Visit("a", at_s=1_000.0), Visit("b", at_s=1_600.0), Visit("c", at_s=2_200.0)]
    assert weights(visits) == pytest.approx([0.25, 0.5, 1])


def test_nothing_decays_without_a_half_life():
    timed = [Visit("a", at_s=0.0), Visit("b", at_s=1e9)]
    assert weights(timed, SessionConfig(half_life_s=None)) == [1, 1]


def test_no_visits_have_no_weights():
    assert weights([]) == []


@given(st.one_of(st.lists(PLAIN, max_size=30), st.lists(TIMED, max_size=30)))
def test_weights_have_the_sign_of_the_callers_and_no_more_than_their_size(visits):
    for visit, weight in zip(visits, weights(visits), strict=True):
        full = visit.weight * CONFIG.kind_weights.of(visit.kind)
        assert abs(weight) <= abs(full)
        assert weight * full >= 0


@given(st.lists(TIMED, min_size=1, max_size=30), st.floats(-1e6, 1e6))
def test_only_differences_of_times_count(visits, shift):
    moved = [visit._replace(at_s=visit.at_s + shift) for visit in visits]
    np.testing.assert_allclose(weights(moved), weights(visits), rtol=1e-6, atol=1e-9)


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=30))
def test_an_earlier_visit_never_weighs_more_than_an_equal_later_one(callers):
    visits = [Visit("a", weight=weight) for weight in callers]
    decays = np.array(weights(visits)) / np.array(callers)
    assert (np.diff(decays) >= 0).all()
    assert decays[-1] == pytest.approx(1)


@given(st.lists(PLAIN, min_size=1, max_size=20), st.floats(0.5, 2))
def test_scaling_all_weights_scales_the_result(visits, factor):
    scaled = [visit._replace(weight=visit.weight * factor) for visit in visits]
    np.testing.assert_allclose(
        weights(scaled), np.array(weights(visits)) * factor, rtol=1e-9, atol=1e-300
    )
