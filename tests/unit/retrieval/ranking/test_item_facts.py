import numpy as np
import pytest

from retrieval.ranking.feature_kernels import category_distances, shared_levels
from retrieval.ranking.item_facts import CategoryPaths, Trends, code_strings
from tests.made_lists import ragged
from trainer.recent_sessions import recent_sessions
from trainer.tables_config import RecentSessionsConfig

PATHS = (
    "Food > Dairy > Milk",
    "Food > Dairy > Cheese",
    "Food > Bread",
    None,
    "Toys > Dairy > Milk",
    "",
)


@pytest.mark.parametrize(
    ("one", "other", "shared"), [(0, 0, 3), (0, 1, 2), (0, 2, 1), (0, 4, 0), (2, 1, 1)]
)
def test_paths_share_levels_from_the_top(one, other, shared):
    paths = CategoryPaths.of(PATHS)
    assert shared_levels(paths.levels, paths.codes[one], paths.codes[other]) == shared


def test_items_without_a_path_have_no_distance():
    paths = CategoryPaths.of(PATHS)
    rows = np.array([0, 3, 5], dtype=np.int32)
    out = np.zeros((3, 3), dtype=np.float32)
    category_distances(paths.codes, paths.levels, np.array([1, 3, 2], dtype=np.int32), rows, out)
    np.testing.assert_allclose(out[0], [2, 1.5, 0])
    assert np.isnan(out[1:]).all()


def test_strings_are_coded_in_the_order_they_come_and_nothing_is_unknown():
    codes, names = code_strings(["b", None, "a", "b", ""])
    assert codes.tolist() == [0, -1, 1, 0, -1]
    assert names == ["b", "a"]


def test_a_trend_is_above_zero_for_what_came_up_late():
    early, late = [[0, 2]] * 90, [[1, 2]] * 10
    table = recent_sessions(ragged([*early, *late]), 4, RecentSessionsConfig(sessions_per_item=100))
    trends = Trends.of(table)
    np.testing.assert_allclose(
        trends.ratios, np.log([1 / 10, 11 / 2, 11 / 11, 1 / 1]), rtol=1e-6, atol=1e-6
    )
    np.testing.assert_allclose(trends.lates, np.log1p([0, 10, 10, 0]), rtol=1e-6)
    np.testing.assert_allclose(trends.latests, np.log1p([0, 1, 1, 0]), rtol=1e-6)
    np.testing.assert_allclose(trends.ages[:3], np.log1p([10, 0, 0]), rtol=1e-6)
    assert np.isnan(trends.ages[3])
