from collections import Counter

import pytest
from pydantic import ValidationError

from retrieval.config import RetrievalConfig
from retrieval.experiments import ExperimentConfig, assign
from retrieval.queries import (
    CallOptions,
    SessionBatch,
    SessionQuery,
    SimilarBatch,
    SimilarQuery,
    Visit,
)
from retrieval.recommender import Recommender
from tests.shop import item_id

VISITORS = [f"visitor-{number}" for number in range(20_000)]


def experiment(**shares: float) -> ExperimentConfig:
    arms = {name: {"serving_config": name, "share": share} for name, share in shares.items()}
    return ExperimentConfig.model_validate({"arms": arms})


def labels(experiments: dict[str, ExperimentConfig]) -> list[str]:
    found = [assign(experiments, visitor) for visitor in VISITORS]
    return [each.label if each else "" for each in found]


def test_shares_are_those_of_the_arms():
    counts = Counter(labels({"e": experiment(a=0.5, b=0.2)}))
    for label, share in (("e/a", 0.5), ("e/b", 0.2), ("", 0.3)):
        assert counts[label] / len(VISITORS) == pytest.approx(share, abs=0.015)


def test_shares_of_thirds_leave_nobody_out():
    third = 1 / 3
    assert "" not in labels({"e": experiment(a=third, b=third, c=third + 1e-10)})


def test_visitors_stay_in_their_arms_when_another_one_is_added():
    before = labels({"e": experiment(a=0.3)})
    after = labels({"e": experiment(a=0.3, b=0.3)})
    assert all(new == old for old, new in zip(before, after, strict=True) if old)


def test_experiments_are_independent_of_each_other():
    first, second = labels({"e": experiment(a=0.5)}), labels({"f": experiment(a=0.5)})
    both = sum(bool(a and b) for a, b in zip(first, second, strict=True))
    assert both / len(VISITORS) == pytest.approx(0.25, abs=0.015)


def test_the_first_experiment_with_an_arm_for_the_visitor_counts():
    alone = labels({"f": experiment(b=0.5)})
    stacked = labels({"e": experiment(a=0.5), "f": experiment(b=0.5)})
    for visitor, (mine, other) in enumerate(zip(stacked, alone, strict=True)):
        assert mine in {"e/a", other}, VISITORS[visitor]


def test_assignments_are_the_same_everywhere():
    # Written down once: another release or machine must assign alike.
    arms = labels({"checkout": experiment(a=0.5, b=0.5)})[:16]
    assert "".join(arm[-1] for arm in arms) == "baababbababaabbb"


def test_nobody_is_assigned_without_an_id():
    assert assign({"e": experiment(a=1.0)}, "") is None


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ({"arms": {}}, "arms"),
        ({"arms": {"a": {"serving_config": "x", "share": 0}}}, "share"),
        ({"arms": {"a/b": {"serving_config": "x", "share": 1}}}, "arms"),
        ({"arms": {"a": {"serving_config": "x", "share": 0.6, "salt": "s"}}}, "salt"),
        (
            {"arms": {name: {"serving_config": "x", "share": 0.6} for name in ("a", "b")}},
            "shares of 1 at most",
        ),
        ({"arms": {"a": {"serving_config": "nowhere", "share": 1}}}, r"e\.arms\.a\.serving_config"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(table, where):
    with pytest.raises(ValidationError, match=where):
        RetrievalConfig.model_validate({"serving": {"x": {}}, "experiments": {"e": table}})


def test_calls_that_name_no_behaviour_get_the_arms(tiny_state):
    config = {
        "serving": {"usual": {}, "other": {"k": 3}},
        "experiments": {"size": {"arms": {"small": {"serving_config": "other", "share": 1.0}}}},
    }
    recommender = Recommender(tiny_state, RetrievalConfig.model_validate(config))
    similar, session = [SimilarQuery(item_id(0))], [SessionQuery([Visit(item_id(0))])]
    for call, expected in (
        (CallOptions(visitor_id="v"), ("other", "size/small")),
        (CallOptions("usual", visitor_id="v"), ("usual", "")),
        (CallOptions("other", visitor_id="v"), ("other", "")),
        (CallOptions(), ("usual", "")),
    ):
        for answer in (
            recommender.similar(SimilarBatch(similar, call)),
            recommender.for_session(SessionBatch(session, call)),
        ):
            assert (answer.serving_config, answer.experiment_label) == expected


def test_ids_of_visitors_are_not_shown():
    assert "secret" not in repr(CallOptions(visitor_id="secret"))
