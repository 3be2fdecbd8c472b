from tests.made_lists import ragged, random_lists
from trainer.inversion import sessions_by_item


def test_each_item_lists_the_sessions_that_hold_it_once_each():
    sessions = random_lists(60, 12, seed=3)
    inverted = sessions_by_item(ragged(sessions), items=15)
    for item in range(15):
        expected = [number for number, one in enumerate(sessions) if item in one]
        assert inverted.row(item).tolist() == expected


def test_without_sessions_every_item_has_an_empty_list():
    assert sessions_by_item(ragged([]), items=3).lengths.tolist() == [0, 0, 0]
