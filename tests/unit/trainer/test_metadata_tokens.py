import numpy as np
import pytest

from artifacts.errors import ConfigError
from trainer.metadata_tokens import metadata_tokens

COLUMNS = {
    "brand": ["Ox", "Ant", None, "Ox", "Yak"],
    "category": ["tea", None, None, "cocoa", "milk"],
}


def test_tokens_are_what_columns_say_of_the_items_that_are_learnt_from():
    tokens = metadata_tokens(COLUMNS, np.array([0, 1, 2, 3]))
    assert tokens.names == (
        ("brand", "Ant"),
        ("brand", "Ox"),
        ("category", "cocoa"),
        ("category", "tea"),
    )
    assert [tokens.of_items.row(item).tolist() for item in range(4)] == [[1, 3], [0], [], [1, 2]]
    assert tokens.holders.tolist() == [1, 2, 1, 1]


def test_a_column_that_says_nothing_of_them_is_named():
    with pytest.raises(ConfigError, match="'category' says nothing of any of the 2 items"):
        metadata_tokens(COLUMNS, np.array([1, 2]))
