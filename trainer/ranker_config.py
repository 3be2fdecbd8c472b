"""Settings of the ranker: the table `[train.ranker]`."""

from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from artifacts.errors import ConfigError
from trainer.settings import Settings

Gain: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PositionBiasConfig(Settings):
    """The table `[train.ranker.position_bias]`: what shoppers saw first they took more often.

    Only of use where the events come from lists that a source of the table has filled: the rank in
    that source then is the place at which a candidate was shown, and LightGBM learns what the place
    alone did, apart from the features.
    """

    source: str
    """Source whose ranks are the places; what it does not hold shares a place of its own."""
    regularisation: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """L2 on what is learnt of the places."""


class RankerConfig(Settings):
    """The table `[train.ranker]`: gradient-boosted trees that raise NDCG (LambdaMART).

    Burges 2010, in LightGBM's form (Ke et al. 2017).
    """

    k: int = Field(default=10, ge=1, le=1_000)
    """Length of the lists whose NDCG is raised and reported."""
    validation: float = Field(default=0.15, gt=0, lt=1)
    """Share of the contexts, those before the test part, that end the training and choose the fusion."""
    test: float = Field(default=0.25, gt=0, lt=1)
    """Share of the contexts, the last ones, that nothing but the report looks at."""
    rounds: int = Field(default=600, ge=1, le=20_000)
    """Trees at most."""
    early_stopping: int = Field(default=50, ge=0)
    """Rounds without a gain on the validation part after which training ends; 0 makes all rounds."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """Share of each tree that is taken."""
    leaves: int = Field(default=31, ge=2, le=4_096)
    """Leaves of a tree at most."""
    min_data_in_leaf: int = Field(default=50, ge=1)
    """Candidates below which no leaf is split off."""
    l2: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Regularisation of what leaves say."""
    feature_fraction: float = Field(default=0.8, gt=0, le=1)
    """Share of the features that each tree may use, drawn anew for every tree."""
    truncation: int = Field(default=30, ge=1, le=10_000)
    """Rank up to which pairs are looked at in training; a few more than `k` is usual."""
    gains: tuple[Gain, ...] = ()
    """Gains of grades 0, which is 0, 1, 2 and so on, not falling; empty takes 2 ** grade - 1 (Burges et
    al. 2005)."""
    monotone: bool = True
    """Hold the trees to the directions that the schema gives to some features."""
    position_bias: PositionBiasConfig | None = None
    """Learn apart what the place in a shown list did; None takes events as they are."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Seed of the features drawn; the same table and seed give the same model."""
    threads: int | None = Field(default=None, ge=1)
    """Threads; None uses every core. The trees do not depend on it."""

    @model_validator(mode="after")
    def _parts_leave_something(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("`validation` and `test` must leave contexts to learn from")
        return self

    @model_validator(mode="after")
    def _gains_rise(self) -> Self:
        if any(low > high for low, high in zip(self.gains, self.gains[1:], strict=False)):
            raise ValueError("`gains` must not fall from a grade to the next")
        if self.gains and not (self.gains[0] == 0 < self.gains[-1]):
            raise ValueError("`gains` must begin with 0 and end above it")
        return self

    def gains_of(self, grades: int) -> tuple[float, ...]:
        """Return the gains of grade 0, 1 and so on, at least up to `grades`.

        Raises:
            ConfigError: the settings have fewer.
        """
        if not self.gains:
            return tuple(float(2**grade - 1) for grade in range(grades + 1))
        if len(self.gains) <= grades:
            raise ConfigError(
                f"train.ranker.gains: expected gains of grades 0 to {grades}, got {len(self.gains)}"
            )
        return self.gains
