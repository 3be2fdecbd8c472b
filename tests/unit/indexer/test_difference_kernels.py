import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.difference_kernels import compare_lists, rank_biased_overlap

P = 0.9


def overlap_of(one: list[int], other: list[int], p: float = P) -> float:
    common = np.zeros(len(one) + len(other) + 1, dtype=np.int32)
    first, second = np.array(one, dtype=np.int32), np.array(other, dtype=np.int32)
    return float(rank_biased_overlap(first, second, p, common))


def overlap_twin(one: list[int], other: list[int], p: float) -> float:
    """Equation 32 of Webber, Moffat and Zobel 2010, term by term."""
    short, long = sorted((one, other), key=len)
    s, l = len(short), len(long)  # noqa: E741 - the letters of the paper
    common = [len(set(short[:d]) & set(long[:d])) for d in range(l + 1)]
    first = sum(common[d] / d * p**d for d in range(1, l + 1))
    second = sum(common[s] * (d - s) / (s * d) * p**d for d in range(s + 1, l + 1))
    return (1 - p) / p * (first + second) + ((common[l] - common[s]) / l + common[s] / s) * p**l


LISTS = st.permutations(list(range(12))).flatmap(
    lambda items: st.integers(1, 12).map(lambda size: items[:size])
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(one=LISTS, other=LISTS, p=st.sampled_from([0.5, 0.9, 0.98]))
def test_overlap_equals_the_formula_of_the_paper(one: list[int], other: list[int], p: float):
    assert overlap_of(one, other, p) == pytest.approx(overlap_twin(one, other, p), abs=1e-9)


def test_overlap_of_equal_lists_is_one_and_of_disjoint_ones_zero():
    assert overlap_of([4, 2, 7], [4, 2, 7]) == pytest.approx(1)
    assert overlap_of([4, 2, 7], [4, 2]) == pytest.approx(1)  # the rest is taken to agree
    assert overlap_of([4, 2, 7], [5, 6, 8]) == 0
    assert (overlap_of([], []), overlap_of([], [1])) == (1, 0)


def test_best_places_weigh_most():
    first, last = [9, 1, 2, 3, 4], [0, 1, 2, 3, 9]
    assert overlap_of([0, 1, 2, 3, 4], first) < overlap_of([0, 1, 2, 3, 4], last)


def test_lists_are_compared_line_by_line_without_their_padding():
    before = np.array([[1, 2, 3], [1, 2, -1], [-2, 5, -1], [-1, -1, -1]], dtype=np.int32)
    after = np.array([[1, 2, 3, 4], [3, 4, 5, 6], [5, -1, -1, -1], [-1] * 4], dtype=np.int32)
    jaccard, overlap = np.empty((2, 4), dtype=np.float32)
    compare_lists(before, after, P, jaccard, overlap)
    np.testing.assert_allclose(jaccard, [3 / 4, 0, 1 / 2, 1], rtol=1e-6)
    expected = [overlap_of([1, 2, 3], [1, 2, 3, 4]), 0, overlap_of([-2, 5], [5]), 1]
    np.testing.assert_allclose(overlap, expected, rtol=1e-6)
