import numpy as np

from tests.made_lists import ragged
from trainer.interleaving import interleave, widened
from trainer.weighted_lists import WeightedLists

BRAND, DRINKS, BREAD = 3, 4, 5  # tokens 0, 1, 2 behind the items 0, 1, 2
TOKENS = ragged([[0, 1], [2], []])


def test_every_item_stands_before_its_metadata():
    sessions = WeightedLists(ragged([[1, 0, 2], [], [0, 1, 0]]), None)
    woven = interleave(sessions, TOKENS)
    assert [woven.lists.row(i).tolist() for i in range(3)] == [
        [1, BREAD, 0, BRAND, DRINKS, 2],
        [],
        [0, BRAND, DRINKS, 1, BREAD, 0, BRAND, DRINKS],
    ]
    assert woven.weights is None


def test_metadata_weighs_what_its_item_weighs():
    weights = np.array([5, 1, 2], dtype=np.float32)
    woven = interleave(WeightedLists(ragged([[1, 0, 2]]), weights), TOKENS)
    assert woven.weights is not None
    assert woven.weights.tolist() == [5, 5, 1, 1, 1, 2]


def test_items_without_metadata_leave_sessions_as_they_are():
    sessions = WeightedLists(ragged([[0, 1], [1]]), None)
    woven = interleave(sessions, ragged([[], []]))
    np.testing.assert_array_equal(woven.lists.values, sessions.lists.values)
    np.testing.assert_array_equal(woven.lists.offsets, sessions.lists.offsets)


def test_no_sessions_stay_none():
    assert len(interleave(WeightedLists(ragged([]), None), TOKENS).lists) == 0


def test_window_reaches_as_many_items_as_without_metadata():
    two_columns = ragged([[0, 1], [0, 1], [0, 1], [0, 1]])
    woven = interleave(WeightedLists(ragged([[0, 1, 2, 3]]), None), two_columns)
    values = woven.lists.values.tolist()
    reach = widened(2, columns=2)
    assert values.index(2) - values.index(0) == reach
    assert values.index(3) - values.index(0) > reach
