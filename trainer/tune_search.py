"""From a trial's draws to the settings of a space."""

from collections.abc import Mapping
from typing import Any

import optuna
from pydantic import ValidationError

from artifacts.errors import ConfigError
from trainer.settings import Settings
from trainer.tune_config import Scalar, SearchRange


def check_ranges(base: Settings, ranges: Mapping[str, SearchRange], space: str) -> None:
    """Refuse ranges that settings of this kind could not take.

    Args:
        base: settings of the space.
        ranges: by setting; `title.weight` is the setting `weight` of the table `title`.
        space: name for messages.

    Raises:
        ConfigError: no range at all, a name that is no setting, or an end that it cannot have.
    """
    if not ranges:
        raise ConfigError(f"tune.ranges.{space}: expected search ranges, found none")
    for name, searched in ranges.items():
        for value in searched.choices:
            _check(base, name, value, space)
        for end in (searched.low, searched.high):
            if end is not None:
                _check(base, name, _number(base, name, end), space)


def suggest(trial: optuna.Trial, base: Settings, ranges: Mapping[str, SearchRange]) -> Settings:
    """Return `base` with every searched setting drawn by the trial.

    Raises:
        ValidationError: the draws contradict each other, such as `min_n` above `max_n`.
    """
    drawn = {name: _draw(trial, base, name, searched) for name, searched in ranges.items()}
    return with_values(base, drawn)


def with_values(base: Settings, values: Mapping[str, Scalar]) -> Settings:
    """Return `base`, checked anew, with the settings `values` replaced.

    Raises:
        ValidationError: a value is none that the setting takes, or values contradict each other.
    """
    raw = base.model_dump()
    for name, value in values.items():
        table = raw
        *path, key = name.split(".")
        for step in path:
            table = table[step]
        table[key] = value
    return type(base).model_validate(raw)


def values_of(base: Settings, ranges: Mapping[str, SearchRange]) -> dict[str, Scalar] | None:
    """Return the present values of the searched settings, None where one lies outside its range."""
    values: dict[str, Any] = {name: _present(base, name) for name in ranges}
    inside = all(_holds(searched, values[name]) for name, searched in ranges.items())
    return values if inside else None


def _draw(trial: optuna.Trial, base: Settings, name: str, searched: SearchRange) -> Scalar:
    if searched.choices:
        drawn = trial.suggest_categorical(name, searched.choices)
        assert drawn is not None, "bug: a choice that is no value"
        return drawn
    assert searched.low is not None, "bug: an interval without a low end"
    assert searched.high is not None, "bug: an interval without a high end"
    if _is_whole(base, name):
        return trial.suggest_int(name, int(searched.low), int(searched.high), log=searched.log)
    return trial.suggest_float(name, searched.low, searched.high, log=searched.log)


def _holds(searched: SearchRange, value: Any) -> bool:
    if searched.choices:
        return value in searched.choices
    assert searched.low is not None, "bug: an interval without a low end"
    assert searched.high is not None, "bug: an interval without a high end"
    return isinstance(value, int | float) and searched.low <= value <= searched.high


def _present(base: Settings, name: str) -> Any:
    value: Any = base
    for step in name.split("."):
        value = getattr(value, step)
    return value


def _is_whole(base: Settings, name: str) -> bool:
    return isinstance(_present(base, name), int)


def _number(base: Settings, name: str, value: float) -> Scalar:
    """Return the end of an interval in the type of the setting; unknown names are left to `_check`."""
    try:
        whole = _is_whole(base, name)
    except AttributeError:
        return value
    return int(value) if whole and float(value).is_integer() else value


def _check(base: Settings, name: str, value: Scalar, space: str) -> None:
    try:
        _present(base, name)
        with_values(base, {name: value})
    except AttributeError:
        raise ConfigError(
            f"tune.ranges.{space}.{name}: no such setting of [train.{space}]"
        ) from None
    except ValidationError as error:
        faults = [fault for fault in error.errors() if ".".join(map(str, fault["loc"])) == name]
        if faults:  # what contradicts another setting may not do so in a trial
            raise ConfigError(
                f"tune.ranges.{space}.{name}: {value!r} is none of its values: {faults[0]['msg']}"
            ) from error
