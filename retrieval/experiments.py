"""Experiments: visitors who get one behaviour beside others who get another one."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple, Self

import xxhash
from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[^/]+$")]
"""Of an experiment or of an arm; a slash would make labels ambiguous."""

ROUNDING = 1e-9
"""Shares such as three times 1/3 may add up to a little more than 1."""


class Arm(BaseModel):
    """Some of the visitors and what they get."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    serving_config: str = Field(min_length=1)
    """Name of the behaviour."""
    share: float = Field(gt=0, le=1)
    """Share of the visitors, in (0, 1]."""


class ExperimentConfig(BaseModel):
    """One experiment: the TOML table `[retrieval.experiments.<name>]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arms: dict[Name, Arm] = Field(min_length=1)
    """By the name that answers tell; visitors of no arm take no part."""

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        """Refuse more visitors than there are."""
        total = sum(arm.share for arm in self.arms.values())
        if total > 1 + ROUNDING:
            raise ValueError(f"arms: expected shares of 1 at most together, got {total:g}")
        return self


class Assignment(NamedTuple):
    """What a visitor gets."""

    serving_config: str
    """Name of the behaviour."""
    label: str
    """`experiment/arm`."""


def assign(experiments: Mapping[str, ExperimentConfig], visitor_id: str) -> Assignment | None:
    """Return what a visitor gets by the first experiment that has an arm for them, or None.

    A visitor is a point in [0, 1) by a hash of the experiment's name and the visitor's id, and arms
    are intervals in the order in which they are configured. So visitors stay in their arms on every
    server and after every restart, and those of one experiment are spread evenly over the next.

    Args:
        experiments: by name.
        visitor_id: stable id of the shopper or device; without one nobody is assigned.

    Cost: one hash for each experiment.
    """
    if not visitor_id:
        return None
    for name, experiment in experiments.items():
        text = f"{name}\x1f{visitor_id}".encode("utf-8", "surrogatepass")
        point = xxhash.xxh3_64_intdigest(text) / 2**64
        end = 0.0
        for label, arm in experiment.arms.items():
            end += arm.share
            if point < end:
                return Assignment(arm.serving_config, f"{name}/{label}")
    return None
