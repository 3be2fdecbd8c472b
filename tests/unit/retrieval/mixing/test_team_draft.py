from collections import Counter

from retrieval.mixing.team_draft import team_draft
from retrieval.mixing.weighted_list import WeightedList

LISTS = [WeightedList([at * 10 + place for place in range(5)]) for at in range(3)]


def test_every_list_drafts_once_a_round():
    for seed in range(20):
        teams = [pick.list for pick in team_draft(LISTS, 15, seed)]
        for start in range(0, 15, 3):
            assert sorted(teams[start : start + 3]) == [0, 1, 2]


def test_the_order_is_drawn_fairly_and_anew():
    first = Counter(team_draft(LISTS, 1, seed)[0].list for seed in range(3_000))
    assert all(900 < first[at] < 1_100 for at in range(3))
    orders = {
        tuple(pick.list for pick in team_draft(LISTS, 15, 5))[start : start + 3]
        for start in range(0, 15, 3)
    }
    assert len(orders) > 1


def test_a_seed_repeats_its_draft():
    assert team_draft(LISTS, 15, 9) == team_draft(LISTS, 15, 9)


def test_lots_are_the_same_everywhere():
    # Written down once: another release or machine must draw alike, or answers would not repeat.
    assert [pick.list for pick in team_draft(LISTS, 6, 0)] == [0, 1, 2, 2, 0, 1]
