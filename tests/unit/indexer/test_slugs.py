import re

from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.snapshot import WHOLE_SPACE
from indexer.slugs import category_slug


def test_slug_reads_like_the_category():
    assert category_slug("Grocery & Gourmet").startswith("grocery-gourmet-")
    assert category_slug("Crème fraîche").startswith("creme-fraiche-")
    assert category_slug(WHOLE_SPACE) == "whole"


@settings(derandomize=True, deadline=None)
@given(st.text())
def test_slug_is_always_a_plain_folder_name(category: str):
    if category != WHOLE_SPACE:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}-[0-9a-f]{8}", category_slug(category))


def test_categories_that_look_alike_get_folders_of_their_own():
    names = ["Milk", "MILK", "milk!", "mílk", "../milk", "", "牛乳", "チーズ", "a" * 90, "a" * 91]
    assert len({category_slug(name) for name in names}) == len(names)
