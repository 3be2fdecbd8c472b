import numpy as np

from trainer.title_words import title_words

TITLES = ["Organic Milk", None, "milk, ORGANIC milk!", "Oat drink", "Organic oat drink 2%", "Tea"]


def test_words_of_several_titles_are_numbered_by_item():
    words = title_words(TITLES, np.arange(6), 2)
    # drink, milk, oat, organic
    assert words.count == 4
    assert [words.of_items.row(item).tolist() for item in range(6)] == [
        [1, 3],
        [],
        [1, 3],
        [0, 2],
        [0, 2, 3],
        [],
    ]
    np.testing.assert_allclose(words.shares, [2**-0.5] * 6 + [3**-0.5] * 3)


def test_titles_of_other_items_do_not_count():
    words = title_words(TITLES, np.array([0, 3, 4]), 2)
    assert words.count == 3  # drink, oat, organic
    assert [words.of_items.row(item).tolist() for item in range(3)] == [[2], [0, 1], [0, 1, 2]]


def test_titles_can_be_left_out():
    words = title_words(TITLES, np.arange(6), 0)
    assert words.count == 0
    assert words.of_items.lengths.tolist() == [0] * 6
    assert len(words.shares) == 0
