import pytest
from pydantic import ValidationError

from artifacts.errors import ConfigError
from trainer.config import TrainConfig
from trainer.ranker_config import RankerConfig


def test_no_ranker_is_trained_unless_the_shop_file_has_its_table():
    assert TrainConfig().ranker is None
    assert TrainConfig.model_validate({"ranker": {}}).ranker == RankerConfig()


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"leafs": 3}, "leafs"),
        ({"position_bias": {"source": "shown", "l2": 1}}, "position_bias.l2"),
        ({"rounds": 0}, "rounds"),
        ({"l2": float("nan")}, "l2"),
        ({"validation": 0.5, "test": 0.5}, "must leave contexts to learn from"),
        ({"gains": (0, 3, 1)}, "must not fall"),
        ({"gains": (1, 3)}, "must begin with 0"),
        ({"gains": (0, 0)}, "must begin with 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, fault):
    with pytest.raises(ValidationError, match=fault):
        RankerConfig.model_validate(settings)


def test_gains_are_those_of_burges_unless_they_are_given():
    assert RankerConfig().gains_of(3) == (0, 1, 3, 7)
    assert RankerConfig(gains=(0, 1, 1.5)).gains_of(2) == (0, 1, 1.5)


def test_a_grade_without_a_gain_is_refused():
    with pytest.raises(ConfigError, match="expected gains of grades 0 to 2, got 2"):
        RankerConfig(gains=(0, 1)).gains_of(2)
