import optuna
import pytest
from pydantic import ValidationError

from artifacts.errors import ConfigError
from trainer.config import Prod2VecConfig
from trainer.content_config import ContentConfig
from trainer.softmax_config import SoftmaxConfig
from trainer.tune_config import PUBLISHED_RANGES, SearchRange, TuneConfig
from trainer.tune_search import check_ranges, suggest, values_of, with_values
from trainer.tune_spaces import tunable_space


@pytest.mark.parametrize("space", sorted(PUBLISHED_RANGES))
def test_published_ranges_fit_the_settings(space):
    name, _, trainer = space.partition(".")
    settings = tunable_space(name).settings
    if trainer == "softmax":
        settings = Prod2VecConfig(softmax=SoftmaxConfig())
    check_ranges(settings, TuneConfig().ranges_of(name, trainer), name)
    assert values_of(settings, PUBLISHED_RANGES[space]) is not None


def test_ranges_of_the_shop_file_replace_the_published_ones():
    window = SearchRange(low=1, high=4)
    config = TuneConfig(ranges={"cf": {"window": window}})
    assert config.ranges_of("cf") == {"window": window}
    assert config.ranges_of("content") == PUBLISHED_RANGES["content"]


def test_trials_draw_within_their_ranges_and_in_the_type_of_the_setting():
    ranges = PUBLISHED_RANGES["cf"]
    drawn: list[Prod2VecConfig] = []

    def objective(trial: optuna.Trial) -> float:
        settings = suggest(trial, Prod2VecConfig(dimensions=7), ranges)
        assert isinstance(settings, Prod2VecConfig)
        drawn.append(settings)
        return 0.0

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.RandomSampler(seed=0)
    optuna.create_study(sampler=sampler).optimize(objective, n_trials=40)
    assert all(values_of(settings, ranges) is not None for settings in drawn)
    assert {settings.dimensions for settings in drawn} == {7}
    assert all(isinstance(settings.window, int) for settings in drawn)
    assert len({settings.window for settings in drawn}) > 5


def test_settings_of_nested_tables_are_reached_by_dots():
    changed = with_values(ContentConfig(), {"title.weight": 0.25})
    assert isinstance(changed, ContentConfig)
    assert changed.title.weight == 0.25
    assert changed.title.max_tokens == ContentConfig().title.max_tokens
    with pytest.raises(ValidationError, match="min_n"):
        with_values(ContentConfig(), {"min_n": 6, "max_n": 3})


def test_present_settings_outside_a_range_are_no_first_trial():
    ranges = {"window": SearchRange(low=5, high=9)}
    assert values_of(Prod2VecConfig(window=2), ranges) is None
    assert values_of(Prod2VecConfig(window=6), ranges) == {"window": 6}


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({}, "expected search ranges, found none"),
        ({"windows": SearchRange(low=1, high=2)}, "windows: no such setting"),
        ({"window": SearchRange(low=0, high=2)}, "window: 0 is none of its values"),
        ({"window": SearchRange(low=1.5, high=2)}, "window: 1.5 is none"),
        ({"subsample": SearchRange(choices=(0.0, 2.0))}, "subsample: 2.0 is none"),
    ],
)
def test_ranges_that_settings_cannot_take_are_refused(ranges, message):
    with pytest.raises(ConfigError, match=message):
        check_ranges(Prod2VecConfig(), ranges, "cf")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"low": 1},
        {"low": 2, "high": 1},
        {"low": 0, "high": 1, "log": True},
        {"low": 0, "high": 1, "choices": [1]},
    ],
)
def test_half_or_contradictory_ranges_are_refused(wrong):
    with pytest.raises(ValidationError):
        SearchRange.model_validate(wrong)


def test_unknown_spaces_are_named():
    with pytest.raises(ConfigError, match=r"expected one of the spaces .*, got 'images'"):
        tunable_space("images")
