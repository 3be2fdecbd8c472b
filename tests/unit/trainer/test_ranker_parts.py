from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from artifacts.errors import DataError
from tests.made_ranking import made_table
from trainer.ranker_config import RankerConfig
from trainer.ranker_parts import split_by_time, take_contexts


def test_each_part_is_before_the_next_and_nothing_is_lost():
    table = made_table(200)
    order = np.random.default_rng(1).permutation(200)
    parts = split_by_time(take_contexts(table, order), RankerConfig(validation=0.2, test=0.3))
    pieces = (parts.train, parts.validation, parts.test)
    assert [len(piece) for piece in pieces] == [100, 40, 60]
    for earlier, later in pairwise(pieces):
        assert earlier.when.max() < later.when.min()
    assert sum(len(piece.rows) for piece in pieces) == len(table.rows)


def test_contexts_of_one_time_stay_together():
    table = made_table(30)
    crowded = replace(table, when=np.repeat([5, 6, 9], 10).astype(np.int64))
    parts = split_by_time(crowded, RankerConfig(validation=0.01, test=0.01))
    assert [
        np.unique(each.when).tolist() for each in (parts.train, parts.validation, parts.test)
    ] == [
        [5],
        [6],
        [9],
    ]


@pytest.mark.parametrize("times", [1, 2])
def test_too_few_times_are_refused(times):
    table = made_table(10)
    few = replace(table, when=np.arange(10, dtype=np.int64) % times)
    with pytest.raises(DataError, match=rf"at least three times.* got 10 context\(s\) of {times}"):
        split_by_time(few, RankerConfig())


def test_one_context_is_refused():
    with pytest.raises(DataError, match=r"got 1 context\(s\) of 1"):
        split_by_time(made_table(1), RankerConfig())


def test_taken_contexts_keep_their_candidates():
    table = made_table(20, grades=2, missed=1)
    chosen = np.array([7, 0, 19])
    taken = take_contexts(table, chosen)
    for at, context in enumerate(chosen.tolist()):
        mine, theirs = (
            slice(each.offsets[place], each.offsets[place + 1])
            for each, place in ((taken, at), (table, context))
        )
        for name in ("features", "labels", "rows", "ranks"):
            np.testing.assert_array_equal(getattr(taken, name)[mine], getattr(table, name)[theirs])
    np.testing.assert_array_equal(taken.missed, table.missed[chosen])
    np.testing.assert_array_equal(taken.when, table.when[chosen])
    assert taken.features.flags.c_contiguous
