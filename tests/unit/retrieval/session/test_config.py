import pytest
from pydantic import ValidationError

from retrieval.candidates import Source
from retrieval.config import RetrievalConfig
from retrieval.mixing import Mixing
from retrieval.queries import SessionStrategy
from retrieval.session.config import SessionConfig, SessionList


def test_whole_table_is_read():
    table = {
        "strategy": "interests",
        "kind_weights": {"view": 0.5, "purchase": 4.0},
        "half_life_s": 60.0,
        "half_life_visits": 1.5,
        "mixing": "calibrated",
        "lists": {"strategy": 1.0, "session_knn": 2.0},
        "max_lists": 5,
        "max_interests": 2,
        "interest_distance": 0.5,
        "calibration": 0.9,
    }
    config = RetrievalConfig.model_validate({"serving": {"home": {"session": table}}})
    session = config.serving["home"].session
    assert (session.strategy, session.mixing) == (SessionStrategy.INTERESTS, Mixing.CALIBRATED)
    assert session.kind_weights.cart == 2.0
    assert session.further_sources == {SessionList.SESSION_KNN: Source.SESSION_KNN}


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ({"strategies": "aggregate"}, "strategies"),
        ({"strategy": "mean"}, "strategy"),
        ({"kind_weights": {"click": 1}}, "click"),
        ({"kind_weights": {"view": -1}}, "view"),
        ({"kind_weights": {"view": float("inf")}}, "view"),
        ({"half_life_s": 0}, "half_life_s"),
        ({"half_life_visits": -1}, "half_life_visits"),
        ({"lists": {}}, "lists"),
        ({"lists": {"strategy": 0}}, "lists"),
        ({"lists": {"popular": 1}}, "popular"),
        ({"mixing": "interleave"}, "mixing"),
        ({"max_lists": 0}, "max_lists"),
        ({"max_interests": 0}, "max_interests"),
        ({"calibration": 1.1}, "calibration"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(table, where):
    with pytest.raises(ValidationError, match=where):
        SessionConfig.model_validate(table)
