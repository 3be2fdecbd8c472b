"""What `shelfmate similar` shows of an answer."""

import io

import pytest
from rich.console import Console

from artifacts.errors import DataError
from cli.ask import ask_session, ask_similar, ask_users, show_sessions, show_users
from retrieval.queries import UserBatch, UserQuery
from shelfmate.client import Options, Shopper
from tests.shop import COLD, item_id
from tests.shop_shoppers import shopper


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


def test_baskets_and_shoppers_are_shown_by_what_they_are(client, tiny_recommender):
    page = io.StringIO()
    console = Console(file=page, width=120)
    options = Options(k=4)
    assert show_sessions(client, [[item_id(3), item_id(5)]], options, console=console) == []
    shoppers = [Shopper(shopper(2)), Shopper("")]
    (failed,) = show_users(client, shoppers, options, console=console)
    assert failed.field == "requests[1].user_id"
    text = page.getvalue()
    for row in (3, 5):
        assert f"{item_id(row)}  Title {row}" in text
    assert f"shopper {shopper(2)}" in text
    assert text.count("live") == 8
    (outcome,) = tiny_recommender.for_user(UserBatch([UserQuery(shopper(2))])).outcomes
    assert tiny_recommender.state.snapshot.items.id(outcome.candidates[0].row) in text


def test_a_session_is_asked_by_the_strategy_that_is_wanted(child, client):
    visited = [item_id(3), item_id(5)]
    for strategy in ("aggregate", "interleave", "interests"):
        page = io.StringIO()
        console = Console(file=page, width=120)
        ask_session(visited, Options(), strategy=strategy, address=child.target, console=console)
        (expected,) = client.sessions([visited], strategy=strategy).outcomes
        assert all(id in page.getvalue() for id in expected.item_ids)


def test_a_shopper_who_cannot_be_answered_fails_after_the_others_were_shown(child):
    page = io.StringIO()
    console = Console(file=page, width=120)
    with pytest.raises(DataError, match="INVALID_ARGUMENT"):
        ask_users([shopper(2), ""], Options(), address=child.target, console=console)
    assert f"shopper {shopper(2)}" in page.getvalue()
