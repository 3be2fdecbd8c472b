from dataclasses import replace

import numpy as np
import pytest

from artifacts.errors import ArtifactError, UnsupportedError
from artifacts.ranker import FeatureSpec
from retrieval.availability import Availability
from retrieval.ranking.context import RankContext
from retrieval.ranking.features import FeatureComputer
from retrieval.ranking.schema import SCHEMA_VERSION, schema_of
from tests.feature_twin import FeatureTwin
from tests.shop import ITEMS

CONTEXTS: tuple[tuple[list[int], int], ...] = (
    ([7], 3),
    ([3, 9, 3, 20], -1),
    ([1, 11, 21], 0),
    ([], 5),
    ([], -1),
    ([99, 4, 230], 12),
)
CANDIDATES = np.arange(0, ITEMS, 3, dtype=np.int32)


def _context(visits: list[int], user_row: int) -> RankContext:
    return RankContext.of(np.array(visits, dtype=np.int32), user_row=user_row)


@pytest.fixture(scope="module")
def computer(tiny_snapshot) -> FeatureComputer:
    return FeatureComputer.of(tiny_snapshot, schema_of(tiny_snapshot))


@pytest.mark.parametrize(("visits", "user_row"), CONTEXTS)
def test_features_are_those_of_plain_python(tiny_snapshot, computer, visits, user_row):
    schema = computer.schema
    found = computer.features(_context(visits, user_row), CANDIDATES)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    twin = FeatureTwin(tiny_snapshot, schema.lists, visits, user_row)
    expected = [twin.features(row) for row in CANDIDATES.tolist()]
    for column, name in enumerate(schema.names):
        if name.endswith(".rank") or name == "lists.fusion":
            continue  # equal sums may change places by their rounding; see the test of the lists
        values = [of_one[name] for of_one in expected]
        np.testing.assert_allclose(
            found[:, column], values, rtol=2e-4, atol=2e-5, equal_nan=True, err_msg=name
        )
    assert set(schema.names) == set(expected[0])


def test_ranks_and_their_fusion_are_those_of_the_lists(computer):
    context = _context([3, 9, 20], -1)
    lists = computer.sources.gather(context)
    rows = lists.pool()
    found = dict(zip(computer.schema.names, computer.compute(context, lists, rows).T, strict=True))
    fused = np.zeros(len(rows))
    for place, name in enumerate(lists.names):
        ranked = lists.rows[lists.offsets[place] : lists.offsets[place + 1]].tolist()
        ranks = np.array([ranked.index(row) + 1 if row in ranked else np.nan for row in rows])
        np.testing.assert_array_equal(found[f"{name}.rank"], ranks.astype(np.float32))
        fused += np.nan_to_num(1 / (60 + ranks))
    np.testing.assert_allclose(found["lists.fusion"], fused, rtol=1e-6)
    assert found["lists.count"].min() >= 1


def test_a_row_has_the_same_bytes_whoever_else_is_asked_for(computer):
    context = _context([3, 9, 20, 9], 4)
    together = computer.features(context, CANDIDATES)
    backwards = computer.features(context, np.ascontiguousarray(CANDIDATES[::-1]))
    assert together.tobytes() == np.ascontiguousarray(backwards[::-1]).tobytes()
    twice = np.array([33, 33], dtype=np.int32)
    alone = computer.features(context, twice[:1])
    assert computer.features(context, twice).tobytes() == 2 * alone.tobytes()
    assert together[CANDIDATES.tolist().index(33)].tobytes() == alone.tobytes()


def test_no_candidates_have_no_features(computer):
    found = computer.features(_context([3], -1), np.empty(0, dtype=np.int32))
    assert found.shape == (0, computer.schema.width)


def test_what_callers_send_fills_its_columns_and_is_absent_otherwise(tiny_snapshot):
    schema = schema_of(tiny_snapshot, extra=("margin", "rating"))
    computer = FeatureComputer.of(tiny_snapshot, schema)
    rows = np.array([5, 8], dtype=np.int32)
    sent = np.array([[0.5, np.nan], [2.0, 4.0]], dtype=np.float32)
    found = computer.features(_context([3], -1), rows, sent)
    np.testing.assert_array_equal(found[:, -2:], sent)
    assert np.isnan(computer.features(_context([3], -1), rows)[:, -2:]).all()


def test_stock_is_that_of_the_moment(tiny_snapshot):
    stock = Availability(ITEMS)
    computer = FeatureComputer.of(tiny_snapshot, schema_of(tiny_snapshot), stock)
    rows = np.array([5, 8], dtype=np.int32)
    column = computer.schema.names.index("available")
    assert computer.features(_context([3], -1), rows)[:, column].tolist() == [1, 1]
    stock.mark(rows[:1], np.array([False]), version=1)
    assert computer.features(_context([3], -1), rows)[:, column].tolist() == [0, 1]


def test_without_a_clock_there_are_no_trends(tiny_snapshot):
    timeless = schema_of(tiny_snapshot, clock=False)
    assert not [name for name in timeless.names if name.startswith("trend.")]
    found = FeatureComputer.of(tiny_snapshot, timeless).features(_context([3], -1), CANDIDATES)
    assert found.shape == (len(CANDIDATES), timeless.width)


def test_a_schema_of_another_version_is_refused(tiny_snapshot):
    other = schema_of(tiny_snapshot).model_copy(update={"version": SCHEMA_VERSION + 1})
    with pytest.raises(
        ArtifactError, match=rf"version {SCHEMA_VERSION + 1}.* version {SCHEMA_VERSION}"
    ):
        FeatureComputer.of(tiny_snapshot, other)


def test_a_feature_that_the_snapshot_cannot_compute_is_named(tiny_snapshot):
    schema = schema_of(tiny_snapshot)
    strange = schema.model_copy(
        update={"features": (*schema.features, FeatureSpec(name="weather.rain"))}
    )
    with pytest.raises(UnsupportedError, match=r"weather\.rain"):
        FeatureComputer.of(tiny_snapshot, strange)
    with pytest.raises(UnsupportedError, match="session_knn"):
        FeatureComputer.of(replace(tiny_snapshot, recent_sessions=None), schema)
