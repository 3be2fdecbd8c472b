from types import SimpleNamespace
from typing import Any

import pytest

from artifacts.accuracy import Accuracy
from artifacts.errors import RequestError
from artifacts.relation import ScoreKind
from artifacts.vocabulary import write_vocabulary
from retrieval.answer import Answer, BatchAnswer, Outcome, Shortfall, ShortfallReason
from retrieval.candidates import PlainList, Source
from server.convert import Report, answer_bytes
from server.convert.fields import field, serialized
from server.convert.responses import FEW_ITEMS
from shelfmate.v1 import recommender_pb2 as pb

IDS = ["a", "żółw", "x" * 127, "y" * 128, "z" * 20_000, *(f"item-{n}" for n in range(3_000))]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    items = write_vocabulary(tmp_path_factory.mktemp("items"), IDS)
    state: Any = SimpleNamespace(
        snapshot=SimpleNamespace(id="20261124T101500Z-63c2b9de", items=items)
    )
    return Report(state, False, {"lookup": 7})


def plain(rows: list[int], scores: list[float], source: Source = Source.LIVE) -> PlainList:
    return PlainList(rows, scores, ScoreKind.COSINE, source)


def parsed(
    answer: BatchAnswer, report: Report, **faults: RequestError
) -> pb.SearchNeighborsResponse:
    by_place = {int(place[1:]): error for place, error in faults.items()}
    return pb.SearchNeighborsResponse.FromString(answer_bytes(answer, by_place, report))


def item_by_item(answer: BatchAnswer) -> BatchAnswer:
    """Return the same answer in a form that is written as messages."""
    return answer._replace(
        outcomes=[
            outcome._replace(candidates=list(outcome.candidates))
            if isinstance(outcome, Answer)
            else outcome
            for outcome in answer.outcomes
        ]
    )


LISTS = {
    "usual": plain([0, 5, 6], [0.5, 0.25, -0.125]),
    "ids of all lengths": plain([0, 1, 2, 3, 4], [0.9, 0.8, 0.7, 0.6, 0.5]),
    "zero scores": plain([7, 8], [0.0, -0.0]),
    "empty": plain([], []),
    "many": plain(list(range(5, 5 + FEW_ITEMS + 1)), [0.5] * (FEW_ITEMS + 1)),
    "long": plain(list(range(5, 1_005)), [1.0 - n / 2_000 for n in range(1_000)]),
}


@pytest.mark.parametrize("name", LISTS)
def test_list_is_written_as_its_items_one_by_one(report, name):
    answer = BatchAnswer([Answer(LISTS["many"]), Answer(LISTS[name])], "default")
    assert answer_bytes(answer, {}, report) == answer_bytes(item_by_item(answer), {}, report)


def test_batch_keeps_its_order_whatever_its_outcomes_are(report):
    short = Shortfall(3, 1, ShortfallReason.EXHAUSTED)
    outcomes: list[Outcome] = [
        *(Answer(each) for each in LISTS.values()),
        Answer(plain([9], [0.5]), short),
        RequestError("k: expected more", field="options.k"),
        Answer(plain([10], [0.5], Source.PRECOMPUTED)),
        Answer(plain([11], [0.5]), skipped=("gone",)),
    ]
    answer = BatchAnswer(outcomes, "page", True, Accuracy.FAST, True, "experiment/arm")
    found = parsed(answer, report)
    assert found == parsed(item_by_item(answer), report)
    assert [outcome.WhichOneof("outcome") for outcome in found.outcomes].index("status") == len(
        LISTS
    ) + 1
    assert (found.info.degraded, found.info.partial) == (True, True)
    assert found.info.experiment_label == "experiment/arm"


def test_few_items_are_written_alike(report):
    answer = BatchAnswer([Answer(plain([0, 5, 6], [0.5, 0.0, -0.125]))], "default")
    assert answer_bytes(answer, {}, report) == answer_bytes(item_by_item(answer), {}, report)


def test_fault_stands_in_the_place_of_its_placeholder(report):
    answer = BatchAnswer([Answer(LISTS["many"])] * 3, "default")
    found = parsed(answer, report, _1=RequestError("bad", field="item_id"))
    assert [outcome.WhichOneof("outcome") for outcome in found.outcomes] == [
        "recommendations",
        "status",
        "recommendations",
    ]


def test_debug_adds_ranks_and_timings(report):
    answer = BatchAnswer([Answer(plain([3], [0.5]), similarities=[0.25])], "default")
    found = parsed(answer, report._replace(debug=True))
    assert found.outcomes[0].recommendations.items[0].debug.source_rank == 1
    assert found.info.timings[0].duration_ns == 7


def test_all_answers_have_the_fields_that_are_written():
    for response in (
        pb.RecommendSimilarResponse,
        pb.SearchNeighborsResponse,
        pb.RecommendForSessionResponse,
        pb.RecommendForUserResponse,
    ):
        fields = response.DESCRIPTOR.fields_by_name
        kinds = {name: getattr(field.message_type, "name", "") for name, field in fields.items()}
        assert kinds == {"info": "ResponseInfo", "outcomes": "RecommendationOutcome"}
        assert (fields["info"].number, fields["outcomes"].number) == (1, 2)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 3_000_000])
def test_field_reads_back(size):
    response = pb.GetItemsRequest(item_ids=["x" * size])
    assert field(0x0A, b"x" * size) == serialized(response) == serialized(serialized(response))
