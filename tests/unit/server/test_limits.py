import pytest

from artifacts.errors import RequestError
from retrieval.queries import AnswerOptions, SimilarBatch, SimilarQuery
from server.convert import Converted
from server.limits import check_size, within
from server.security.config import LimitsConfig

LIMITS = LimitsConfig(max_batch=3, max_k=20)


def batch(*ks: int | None, default: int | None = None) -> SimilarBatch:
    queries = [
        SimilarQuery(str(place), options=None if k is None else AnswerOptions(k=k))
        for place, k in enumerate(ks)
    ]
    return SimilarBatch(queries, defaults=AnswerOptions(k=default))


def test_batch_within_the_limits_is_left_as_it_is():
    converted = Converted(batch(20, None, 1, default=20), {})
    assert within(LIMITS, converted) is converted


def test_nothing_is_limited_unless_configured():
    converted = Converted(batch(*[1_000] * 50, default=1_000), {})
    assert within(LimitsConfig(), converted) is converted


def test_entry_that_asks_for_too_much_fails_alone_and_is_not_worked_on():
    earlier = RequestError("unreadable")
    asked = batch(21, 20, 500)
    made, faults = within(LIMITS, Converted(asked, {2: earlier}))
    assert faults[2] is earlier
    assert (faults[0].field, faults[0].reason) == ("options.k", "K_OUT_OF_RANGE")
    assert set(faults) == {0, 2}
    assert [query.options for query in made.queries] == [None, AnswerOptions(k=20), None]
    assert [query.item_id for query in made.queries] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [(batch(1, 1, 1, 1), "requests"), (batch(1, default=21), "defaults.k")],
)
def test_batch_that_asks_for_too_much_fails_whole(asked, field):
    with pytest.raises(RequestError, match="on this host") as caught:
        within(LIMITS, Converted(asked, {}))
    assert caught.value.field == field


def test_size_is_counted_wherever_entries_are():
    check_size(3, LIMITS, path="item_ids")
    with pytest.raises(RequestError, match="item_ids: expected at most 3"):
        check_size(4, LIMITS, path="item_ids")
