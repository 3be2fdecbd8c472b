from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.tuning.ladder import GRAIN, first_reaching, share_steps, whole_steps


@settings(derandomize=True, deadline=None)
@given(size=st.integers(1, 200), answer=st.integers(0, 200), start=st.integers(0, 199))
def test_first_reaching_equals_a_look_at_every_place(size: int, answer: int, start: int):
    asked: list[int] = []

    def reached(place: int) -> bool:
        asked.append(place)
        return place >= answer

    found = first_reaching(reached, size, min(start, size - 1))
    assert found == (answer if answer < size else None)
    assert set(asked) <= set(range(size))
    assert len(asked) <= 2 * size.bit_length() + 2


def test_whole_steps_rise_by_a_grain_and_end_at_the_top():
    steps = whole_steps(1, 1000)
    assert steps[:4] == [1, 2, 3, 4]
    assert steps[-1] == 1000
    assert all(1 <= after - before <= 0.05 * before + 1 for before, after in pairwise(steps))
    assert whole_steps(7, 7) == [7]


def test_shares_rise_by_a_grain_to_one():
    steps = share_steps(0.01)
    assert steps[0] >= 0.01
    assert steps[-1] == 1
    assert all(after / before < GRAIN + 0.01 for before, after in pairwise(steps))
