import math
from collections.abc import Mapping, Sequence
from itertools import permutations

import pytest

from retrieval.mixing.calibration import SMOOTHING, Calibration, calibrate
from retrieval.mixing.rank_fusion import fuse_ranks
from retrieval.mixing.weighted_list import Pick, WeightedList

# Rows 0.. are of category 0, rows 100.. of category 1, rows 200.. of category 2.
LISTS = [WeightedList(list(range(8)), 3.0), WeightedList([100, 101, 102, 200, 103], 1.0)]


def category(row: int) -> int:
    return row // 100


def rows_of(picks: Sequence[Pick]) -> list[int]:
    return [LISTS[pick.list].rows[pick.place] for pick in picks]


def divergence(target: Mapping[int, float], rows: Sequence[int]) -> float:
    total = 0.0
    for code, share in target.items():
        held = sum(category(row) == code for row in rows) / len(rows)
        total += share * math.log(share / ((1 - SMOOTHING) * held + SMOOTHING * share))
    return total


def test_without_strength_it_is_rank_fusion():
    picks = calibrate(LISTS, 13, Calibration({0: 1.0}, category, 0.0))
    assert rows_of(picks) == rows_of(fuse_ranks(LISTS, 13))


@pytest.mark.parametrize("target", [{0: 0.5, 1: 0.5}, {0: 0.75, 1: 0.25}, {0: 0.4, 1: 0.4, 2: 0.2}])
def test_at_full_strength_the_list_has_the_shares_of_the_target(target):
    rows = rows_of(calibrate(LISTS, 5 if 2 in target else 8, Calibration(target, category, 1.0)))
    for code, share in target.items():
        assert sum(category(row) == code for row in rows) / len(rows) == pytest.approx(share)


@pytest.mark.parametrize("strength", [0.2, 0.5, 0.9])
def test_each_choice_is_the_best_next_one(strength):
    target = {0: 0.5, 1: 0.3, 2: 0.2}
    scores = {LISTS[p.list].rows[p.place]: p.score for p in fuse_ranks(LISTS, 13)}
    best = max(scores.values())
    chosen: list[int] = []
    for _ in range(6):
        chosen.append(
            max(
                (row for row in scores if row not in chosen),
                key=lambda row: (
                    (1 - strength) * scores[row] / best
                    - strength * divergence(target, [*chosen, row])
                ),
            )
        )
    assert rows_of(calibrate(LISTS, 6, Calibration(target, category, strength))) == chosen


def test_greedy_comes_close_to_the_best_list_of_three():
    target = {0: 0.34, 1: 0.33, 2: 0.33}
    rows = rows_of(calibrate(LISTS, 3, Calibration(target, category, 1.0)))
    everything = [*LISTS[0].rows[:3], *LISTS[1].rows]
    least = min(divergence(target, trial) for trial in permutations(everything, 3))
    assert divergence(target, rows) == pytest.approx(least)
