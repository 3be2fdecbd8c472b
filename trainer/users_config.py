"""Settings of the user space."""

from typing import Literal

from pydantic import Field

from trainer.settings import Settings


class AlsConfig(Settings):
    """The table `[train.user]`: implicit alternating least squares over users and items.

    The model is that of Hu, Koren, Volinsky 2008, "Collaborative filtering for implicit feedback
    datasets": a preference of 1 for what was taken and 0 for all else, held with a confidence that
    grows with the weight of the events.
    """

    dimensions: int = Field(default=100, ge=2, le=4096)
    """Length of a vector; the paper's number of factors."""
    iterations: int = Field(default=15, ge=1)
    """Rounds, each of which solves all users and all items once."""
    alpha: float = Field(default=0.5, gt=0)
    """How fast the confidence grows with the weight. The paper's 40 suits television; on baskets
    small values rank better by far."""
    growth: Literal["linear", "log"] = "linear"
    """`linear`: 1 + alpha * weight; `log`: 1 + alpha * ln(1 + weight), so that what is bought every
    week does not drown the rest."""
    regularisation: float = Field(default=10.0, gt=0)
    """Pulls vectors towards zero; the paper's lambda. The best value grows with the data, and one
    that is too large leaves nothing, which training refuses."""
    seed: int = Field(default=1, ge=0, lt=2**32)
    """Seed of the initial vectors."""
    threads: int | None = Field(default=None, ge=1)
    """Threads; None uses every core."""
