import pytest
from pydantic import ValidationError

from retrieval.candidates import Source
from retrieval.config import RetrievalConfig, ServingConfig


def test_nothing_said_is_one_behaviour_that_works():
    config = RetrievalConfig()
    assert list(config.serving) == [config.default_name] == ["default"]


def test_first_behaviour_is_the_default_unless_one_is_named():
    serving = {"offer_page": {}, "email": {"k": 20}}
    assert RetrievalConfig.model_validate({"serving": serving}).default_name == "offer_page"
    named = RetrievalConfig.model_validate({"serving": serving, "default_serving": "email"})
    assert named.default_name == "email"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sources": []}, "at least one source"),
        ({"sources": ["live", "live"]}, "distinct sources"),
        ({"sources": ["lives"]}, "sources"),
        ({"k": 0}, "k"),
        ({"k": 1_001}, "k"),
        ({"spaces": "cf"}, "spaces"),
        ({"relation": "neighbours"}, "relation"),
    ],
)
def test_setting_that_cannot_work_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        ServingConfig.model_validate(settings)


@pytest.mark.parametrize(
    "settings", [{"serving": {}}, {"default_serving": "email"}, {"serving": {"": {}}}]
)
def test_behaviours_that_nobody_could_get_are_refused(settings):
    with pytest.raises(ValidationError):
        RetrievalConfig.model_validate(settings)


def test_every_source_may_be_configured():
    sources = tuple(Source)
    assert ServingConfig(sources=sources).sources == sources
