import numpy as np
import pytest

from artifacts.errors import UnsupportedError
from artifacts.ranker import ListSettings
from retrieval.ranking.candidate_lists import CandidateSources, source_names
from retrieval.ranking.context import RankContext
from tests.feature_twin import FeatureTwin

VISITS: tuple[list[int], ...] = (
    [7],
    [3, 9, 3, 20],
    [1, 11, 21],
    [45, 2, 90, 230, 5, 5, 17],
    [],
    list(range(0, 60, 2)),
)
SETTINGS = (
    ListSettings(),
    ListSettings(depth=5, visits=2, half_life=None, sample=40, revisits=True),
)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("visits", VISITS)
def test_lists_are_those_of_plain_python(tiny_snapshot, visits, settings):
    sources = CandidateSources(tiny_snapshot, source_names(tiny_snapshot, settings), settings)
    found = sources.gather(RankContext.of(np.array(visits, dtype=np.int32)))
    expected = FeatureTwin(tiny_snapshot, settings, visits, -1).lists()
    assert found.names == tuple(expected)
    for place, name in enumerate(found.names):
        own = slice(found.offsets[place], found.offsets[place + 1])
        rows, scores = found.rows[own], found.scores[own]
        twin = dict(expected[name])
        assert len(rows) == len(set(rows.tolist())) == len(twin), name
        # Sums that differ by their rounding alone may change places, and so who is last.
        np.testing.assert_allclose(scores, list(twin.values()), rtol=1e-5, atol=1e-6)
        both = [row for row in rows.tolist() if row in twin]
        assert len(both) >= len(rows) - 1
        assert np.all(np.diff(scores) <= 0)
        barred = visits[-1:] if settings.revisits else visits
        assert not set(rows.tolist()) & set(barred)


def test_every_source_of_a_snapshot_has_a_list(tiny_snapshot):
    assert source_names(tiny_snapshot, ListSettings()) == (
        "cf.alternatives",
        "cf.continuations",
        "content.alternatives",
        "session_knn",
        "co_occurrence",
        "popular",
    )


def test_where_shoppers_come_back_what_they_visited_is_a_list_of_its_own(tiny_snapshot):
    settings = ListSettings(revisits=True)
    names = source_names(tiny_snapshot, settings)
    found = CandidateSources(tiny_snapshot, names, settings).gather(
        RankContext.of(np.array([4, 9, 3, 9, 20], dtype=np.int32))
    )
    place = names.index("visited")
    own = slice(found.offsets[place], found.offsets[place + 1])
    assert found.rows[own].tolist() == [9, 3, 4]
    np.testing.assert_allclose(found.scores[own], [1 / 2, 1 / 3, 1 / 4])
    assert 20 not in found.rows


def test_the_pool_holds_each_row_of_the_lists_once(tiny_snapshot):
    sources = CandidateSources(
        tiny_snapshot, source_names(tiny_snapshot, ListSettings()), ListSettings()
    )
    found = sources.gather(RankContext.of(np.array([3, 9], dtype=np.int32)))
    assert found.pool().tolist() == sorted(set(found.rows.tolist()))


def test_a_source_that_the_snapshot_lacks_is_named(tiny_snapshot):
    with pytest.raises(UnsupportedError, match=r"no source 'image.alternatives'.*cf.alternatives"):
        CandidateSources(tiny_snapshot, ["image.alternatives"], ListSettings())
