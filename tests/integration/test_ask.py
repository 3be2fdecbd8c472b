"""What `shelfmate similar` shows of an answer."""

import io

from rich.console import Console

from cli.ask import ask_similar
from shelfmate.client import Options
from tests.shop import COLD, item_id


def shown(child, item: str) -> str:
    page = io.StringIO()
    console = Console(file=page, width=120)
    options = Options(serving_config="borrowing")
    ask_similar([item], options, address=child.target, console=console)
    return page.getvalue()


def test_the_lender_of_a_list_is_shown_with_how_alike_it_is(child, tiny_recommender):
    anchor = tiny_recommender.state.anchors.of_item(1)
    text = shown(child, COLD)
    lender = item_id(int(anchor.rows[0]))
    assert f"borrowed from {lender}" in text
    assert f"(alike: {anchor.similarities[0]:.3f})" in text
    assert text.count("hybrid") == 3


def test_why_nothing_was_borrowed_is_shown(child, tiny_recommender):
    unused = tiny_recommender.state.anchors.of_item(11).unused
    text = shown(child, item_id(11))
    assert f"nothing borrowed: {item_id(unused.row)} is the most alike" in text
    assert f"({unused.similarity:.3f}), at least 1.000 is asked for" in text
    assert text.count("popular") == 3
