import pytest
from pydantic import ValidationError

from trainer.content_config import ContentConfig, FieldConfig, MapConfig


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_n": 5, "max_n": 4}, "max_n"),
        ({"components": 100}, "components"),
        ({"title": {"weight": 1, "max_tokens": 900}}, "max_tokens"),
        ({"weighting": "tfidf"}, "weighting"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_contradict_are_refused_by_name(settings, message):
    with pytest.raises(ValidationError, match=message):
        ContentConfig.model_validate(settings)


def test_a_space_needs_a_field_with_weight():
    nothing = FieldConfig(weight=0, max_tokens=1)
    with pytest.raises(ValidationError, match="weight"):
        ContentConfig(title=nothing, category_path=nothing, description=nothing)


def test_a_map_refuses_unknown_settings():
    with pytest.raises(ValidationError, match="colour"):
        MapConfig.model_validate({"colour": "red"})
