import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.errors import ArtifactError
from artifacts.ragged import Ragged
from tests.made_lists import ragged

LISTS = st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6)


@given(LISTS)
def test_rows_are_the_lists_that_went_in(lists):
    made = ragged(lists)
    assert [made.row(i).tolist() for i in range(len(made))] == lists


@given(LISTS, st.data())
def test_take_gives_the_lists_asked_for_in_that_order(lists, data):
    rows = data.draw(st.lists(st.integers(0, len(lists) - 1), max_size=8)) if lists else []
    taken = ragged(lists).take(np.array(rows, dtype=np.int64))
    assert [taken.row(i).tolist() for i in range(len(taken))] == [lists[row] for row in rows]


def test_opened_lists_are_those_saved(tmp_path):
    ragged([[3, 1], [], [2]]).save(tmp_path, "things")
    opened = Ragged.open(tmp_path, "things")
    assert [opened.row(i).tolist() for i in range(3)] == [[3, 1], [], [2]]


def test_offsets_of_other_lists_are_refused(tmp_path):
    ragged([[3, 1], [], [2]]).save(tmp_path, "things")
    np.save(tmp_path / "things.npy", np.arange(7, dtype=np.int32))
    with pytest.raises(ArtifactError, match=r"end at \[3\], not at 7"):
        Ragged.open(tmp_path, "things")


def test_missing_lists_are_named(tmp_path):
    with pytest.raises(ArtifactError, match="'things' cannot be opened"):
        Ragged.open(tmp_path, "things")
