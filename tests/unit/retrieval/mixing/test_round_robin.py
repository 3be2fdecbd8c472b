from retrieval.mixing.round_robin import round_robin
from retrieval.mixing.weighted_list import Pick, WeightedList, rank_worth


def test_lists_give_in_turn_and_the_heaviest_begins():
    lists = [WeightedList([10, 11, 12], 1), WeightedList([20, 21], 3), WeightedList([30], 2)]
    picks = round_robin(lists, 6)
    assert [(pick.list, pick.place) for pick in picks] == [
        (1, 0), (2, 0), (0, 0), (1, 1), (0, 1), (0, 2),
    ]  # fmt: skip


def test_a_list_whose_best_is_taken_gives_its_next():
    lists = [WeightedList([1, 2]), WeightedList([1, 3])]
    assert round_robin(lists, 3) == [
        Pick(0, 0, rank_worth(0)),
        Pick(1, 1, rank_worth(1)),
        Pick(0, 1, rank_worth(2)),
    ]
