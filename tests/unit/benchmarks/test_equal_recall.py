import numpy as np
import pytest

from benchmarks.equal_recall import Contender, Point, by_family, front, measure, rate_at


def point(recall: float, *rates: float, family: str = "engine") -> Point:
    return Point(Contender(family, {}, lambda q: q, lambda a: a), recall, rates)


def test_front_drops_what_is_beaten_in_both():
    points = [point(0.9, 100), point(0.95, 50), point(0.89, 90), point(0.95, 40)]
    assert [(p.recall, p.rate) for p in front(points)] == [(0.9, 100), (0.95, 50)]


def test_rate_between_two_settings_is_their_geometric_mean_half_way():
    assert rate_at([point(0.8, 400), point(1.0, 100)], 0.9) == pytest.approx(200)


def test_rate_of_a_recall_that_is_not_reached_is_unknown():
    assert rate_at([point(0.8, 400)], 0.9) is None


def test_curve_that_starts_above_the_recall_counts_from_its_first_point():
    assert rate_at([point(0.93, 400), point(0.97, 100)], 0.9) == pytest.approx(400)


def test_rate_is_the_median_pass():
    assert point(0.9, 1, 5, 100).rate == 5


def test_points_are_kept_apart_by_family():
    points = [point(0.9, 1, family="a"), point(0.8, 2, family="b"), point(0.7, 3, family="a")]
    assert {name: len(of) for name, of in by_family(points).items()} == {"a": 2, "b": 1}


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_recall_counts_true_rows_over_all_blocks(batch: int):
    queries = np.arange(8, dtype=np.float32)[:, np.newaxis]
    truth = np.arange(16, dtype=np.int32).reshape(8, 2)
    sizes = []

    def search(block):
        sizes.append(len(block))
        return block

    def rows(answer):  # the first of two true rows is found
        return np.stack([2 * answer[:, 0], np.full(len(answer), -1)], axis=1).astype(np.int32)

    (found,) = measure([Contender("half", {}, search, rows, batch)], queries, truth, passes=2)
    assert found.recall == 0.5
    assert len(found.rates) == 2
    assert max(sizes) <= batch
    assert sum(sizes) == 3 * len(queries)
