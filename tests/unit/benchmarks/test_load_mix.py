from collections import Counter

import pytest

from artifacts.errors import ConfigError
from benchmarks.load_mix import MAIL_BATCH, SCENES, mixed_asks, parse_mix
from shelfmate.v1 import recommender_pb2 as pb

IDS = [f"item-{number}" for number in range(50)]


def test_mix_is_read_with_weights_of_one_where_none_stands():
    assert parse_mix("item_page=8, home_page") == {"item_page": 8, "home_page": 1}


@pytest.mark.parametrize("text", ["", "checkout", "item_page=0", "item_page=x", "email=nan"])
def test_what_is_no_mix_is_refused(text):
    with pytest.raises(ConfigError, match="--mix"):
        parse_mix(text)


def test_scenes_are_drawn_by_weight_and_repeat_with_their_seed():
    asks = mixed_asks({"item_page": 3, "email": 1}, IDS, seed=1)
    paths = Counter(ask.path.rpartition("/")[2] for ask in asks)
    assert 650 < paths["RecommendSimilar"] < 850
    assert paths.total() == 1_000
    assert asks == mixed_asks({"item_page": 3, "email": 1}, IDS, seed=1)


def test_scenes_ask_what_their_pages_need():
    def draw(count: int) -> list[str]:
        return IDS[:count]

    similar = pb.RecommendSimilarRequest.FromString(SCENES["item_page"](draw).message)
    assert [query.item_id for query in similar.requests] == ["item-0"]
    session = pb.RecommendForSessionRequest.FromString(SCENES["home_page"](draw).message)
    assert [visit.item_id for visit in session.requests[0].visits] == IDS[:3]
    mail = pb.RecommendForSessionRequest.FromString(SCENES["email"](draw).message)
    assert len(mail.requests) == MAIL_BATCH
