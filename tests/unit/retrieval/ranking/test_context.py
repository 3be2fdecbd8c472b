import numpy as np
import pytest

from artifacts.errors import RequestError
from retrieval.queries import EventKind, Visit
from retrieval.ranking.context import RankContext, context_of
from tests.shop import item_id
from tests.shop_shoppers import shopper


def test_visits_become_rows_in_their_order_and_unknown_ones_are_told(tiny_snapshot):
    visits = [Visit(item_id(5)), Visit("nowhere"), Visit(item_id(3)), Visit(item_id(5))]
    context, skipped = context_of(tiny_snapshot, visits, user_id=shopper(4))
    assert context.rows.tolist() == [5, 3, 5]
    assert context.user_row == 4
    assert skipped == ("nowhere",)


def test_weights_and_kinds_do_not_matter_but_dislikes_are_passed_over(tiny_snapshot):
    visits = [
        Visit(item_id(5), EventKind.PURCHASE, weight=7),
        Visit(item_id(3), weight=-1),
        Visit(item_id(9), weight=0),
        Visit(item_id(4), weight=0.5),
    ]
    context, _ = context_of(tiny_snapshot, visits)
    assert context.rows.tolist() == [5, 4]


def test_times_decide_on_the_order_where_all_visits_have_one(tiny_snapshot):
    visits = [Visit(item_id(5), at_s=30), Visit(item_id(3), at_s=10)]
    context, _ = context_of(tiny_snapshot, visits)
    assert context.rows.tolist() == [3, 5]


def test_the_product_of_the_page_is_the_last_visit_once(tiny_snapshot):
    context, _ = context_of(tiny_snapshot, [Visit(item_id(5))], item_id=item_id(3))
    assert context.rows.tolist() == [5, 3]
    context, _ = context_of(tiny_snapshot, [Visit(item_id(3))], item_id=item_id(3))
    assert context.rows.tolist() == [3]
    context, skipped = context_of(tiny_snapshot, [], item_id="nowhere", user_id="nobody")
    assert len(context.rows) == 0
    assert context.user_row == -1
    assert skipped == ("nowhere",)


def test_an_empty_id_names_its_field(tiny_snapshot):
    with pytest.raises(RequestError) as error:
        context_of(tiny_snapshot, [Visit("")])
    assert error.value.field == "visits[0].item_id"


def test_rows_are_int32_whatever_they_were():
    assert RankContext.of(np.array([3, 4]), item_row=4).rows.dtype == np.int32
