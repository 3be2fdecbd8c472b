import json
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.compare.fastapi_faiss import message
from benchmarks.compare.http_calls import numbers_text
from benchmarks.compare.library import latencies_of
from benchmarks.compare.task import lightest, recall, rising


@pytest.mark.parametrize("wanted", [0.05, 0.3, 0.31, 0.9, 1.0])
def test_lightest_knob_that_is_enough_is_found(wanted):
    knobs = list(range(1, 11))
    measured: list[int] = []

    def recall_of(knob: int) -> float:
        measured.append(knob)
        return knob / 10

    knob, reached = lightest(knobs, recall_of, wanted)
    assert knob == min(one for one in knobs if one / 10 >= wanted)
    assert reached == knob / 10
    assert len(measured) <= 6


def test_last_knob_is_taken_where_none_is_enough():
    assert lightest([1, 2, 3], lambda knob: knob / 10, 0.95) == (3, 0.3)


def test_knobs_rise_to_the_last():
    knobs = rising(1, 1000, step=1.1)
    assert (knobs[0], knobs[-1]) == (1, 1000)
    assert all(low < high for low, high in pairwise(knobs))
    assert rising(5, 5) == [5]


def test_recall_is_the_share_of_the_true_rows():
    truth = np.array([[1, 2], [3, 4]])
    assert recall(np.array([[2, 1], [3, -1]]), truth) == 0.75


def test_numbers_survive_the_journey_as_text():
    vectors = np.random.default_rng(1).standard_normal((3, 5)).astype(np.float32)
    back = np.array(json.loads(numbers_text(vectors)), dtype=np.float32)
    np.testing.assert_array_equal(back, vectors)
    assert json.loads(message(vectors, 7))["k"] == 7


def test_library_is_called_for_every_time_and_each_block_in_turn():
    blocks = [np.full((1, 1), number, np.float32) for number in range(3)]
    asked: list[float] = []
    due = np.array([0.0, 0.001, 0.002, 0.003])
    latencies = latencies_of(lambda block: asked.append(float(block[0, 0])), blocks, due)
    assert asked == [0, 1, 2, 0]
    assert (latencies >= 0).all()


def test_library_that_lags_gives_up():
    late = np.array([-2.0, 0.0, 0.0])  # the first is overdue by more than anyone waits
    latencies = latencies_of(lambda block: None, [np.zeros((1, 1), np.float32)], late)
    assert latencies[0] > 1
    assert np.isnan(latencies[1:]).all()
