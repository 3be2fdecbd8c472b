"""Settings of tuning: which values are tried for which setting of a space."""

from collections.abc import Mapping
from typing import Self, TypeAlias

from pydantic import Field, model_validator

from trainer.settings import Settings

Scalar: TypeAlias = bool | int | float | str


class SearchRange(Settings):
    """Values that are tried for one setting: either an interval or a list."""

    low: float | None = None
    """Lowest value."""
    high: float | None = None
    """Highest value."""
    log: bool = False
    """Draw the logarithm evenly: for settings whose useful values span orders of magnitude."""
    choices: tuple[Scalar, ...] = ()
    """The values, where they are not an interval."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        interval = self.low is not None and self.high is not None
        if interval == bool(self.choices) or (self.low is None) != (self.high is None):
            raise ValueError("a search range needs either `low` and `high`, or `choices`")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("`low` must not exceed `high`")
        if self.log and not (self.low or 0) > 0:
            raise ValueError("`log` needs a `low` above 0")
        return self


class TuneConfig(Settings):
    """The table `[tune]`: how trials are run, and search ranges by space."""

    study: str | None = None
    """Name of the study in its storage; None takes the name of the space."""
    validation: float = Field(default=0.1, gt=0, lt=1)
    """Share of the training sessions that trials are scored on; the held-out part is not touched."""
    most_cases: int = Field(default=5_000, ge=10)
    """Validation sessions that are scored, at most."""
    prune_every: int = Field(default=3, ge=1)
    """Epochs between two looks at a trial that is being trained, which may end it."""
    startup_trials: int = Field(default=8, ge=1)
    """Trials drawn at random before the sampler models them and before any is pruned."""
    seed: int = Field(default=0, ge=0)
    """Seed of the cuts and of the sampler."""
    ranges: dict[str, dict[str, SearchRange]] = Field(default_factory=dict)
    """By space and setting, as in `[tune.ranges.cf] window = { low = 1, high = 10 }`. Those of a
    space replace the published ones whole."""

    def ranges_of(self, space: str, trainer: str = "") -> Mapping[str, SearchRange]:
        """Return the search ranges of a space; empty where neither file nor literature has any.

        Args:
            space: name.
            trainer: where the space has several, and it is not the usual one: its name.
        """
        published = f"{space}.{trainer}" if trainer else space
        return self.ranges.get(space) or PUBLISHED_RANGES.get(published, {})


PUBLISHED_RANGES: dict[str, dict[str, SearchRange]] = {
    # Caselles-Dupre et al. 2018: these four matter most, and the best exponent of the noise differs
    # in sign from shop to shop; 0 leaves subsampling out, which they tuned to between 1e-3 and 1e-5.
    "cf": {
        "ns_exponent": SearchRange(low=-1.0, high=1.2),
        "epochs": SearchRange(low=5, high=150, log=True),
        "window": SearchRange(low=1, high=10),
        "subsample": SearchRange(choices=(0.0, 1e-5, 1e-4, 1e-3)),
        "negative": SearchRange(low=5, high=30),
        "learning_rate": SearchRange(low=0.01, high=0.1, log=True),
    },
    # Windows as above; the rest is this trainer's own.
    "cf.softmax": {
        "window": SearchRange(low=1, high=10),
        "softmax.epochs": SearchRange(low=4, high=30, log=True),
        "softmax.learning_rate": SearchRange(low=0.05, high=0.5, log=True),
        "softmax.distance_exponent": SearchRange(low=0.0, high=1.5),
        "softmax.item_exponent": SearchRange(low=0.0, high=1.0),
        "softmax.dropout": SearchRange(low=0.0, high=0.4),
    },
    # Bojanowski et al. 2017 for the subwords, Arora et al. 2017 for the weights.
    "content": {
        "min_n": SearchRange(low=2, high=4),
        "max_n": SearchRange(low=4, high=7),
        "epochs": SearchRange(low=2, high=30, log=True),
        "window": SearchRange(low=2, high=10),
        "weighting": SearchRange(choices=("idf", "sif", "mean")),
        "title.weight": SearchRange(low=0.1, high=2.0),
        "category_path.weight": SearchRange(low=0.0, high=2.0),
    },
    # No literature on these pictures; fine-tuning (`fine_tune.rate`, ...) is searched where the shop
    # file asks for it, and costs a training of the network a trial.
    "image": {"dimensions": SearchRange(low=32, high=512, log=True)},
    # Windows of Meta-Prod2Vec in Caselles-Dupre et al. 2018; the rest is this trainer's own.
    "meta": {
        "window": SearchRange(low=1, high=7),
        "token_weight": SearchRange(low=0.003, high=0.3, log=True),
        "prior": SearchRange(low=0.3, high=30, log=True),
        "shrinkage": SearchRange(low=0.0, high=5.0),
        "softmax.epochs": SearchRange(low=4, high=30, log=True),
        "softmax.learning_rate": SearchRange(low=0.05, high=0.5, log=True),
        "softmax.dropout": SearchRange(low=0.0, high=0.4),
    },
    # Hu et al. 2008 for the knobs; their alpha of 40 is the upper end.
    "user": {
        "dimensions": SearchRange(low=16, high=256, log=True),
        "alpha": SearchRange(low=0.05, high=40, log=True),
        "growth": SearchRange(choices=("linear", "log")),
        "regularisation": SearchRange(low=0.1, high=300, log=True),
        "iterations": SearchRange(low=5, high=30),
    },
}
