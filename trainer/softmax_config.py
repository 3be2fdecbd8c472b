"""Settings of prod2vec by sampled softmax."""

from pydantic import Field

from trainer.settings import Settings


class SoftmaxConfig(Settings):
    """The table `[train.cf.softmax]`: learn by sampled softmax in place of negative sampling.

    Of `[train.cf]` the keys `dimensions`, `window`, `min_count`, `kind_weights`, `seed` and
    `checkpoint_s` hold here too; the others are those of negative sampling.
    """

    epochs: int = Field(default=15, ge=1)
    """Passes over the items, each with all of its context at once."""
    learning_rate: float = Field(default=0.1, gt=0, le=10)
    """Of AdaGrad, at the start; it falls linearly to a hundredth."""
    noise: int = Field(default=512, ge=1)
    """Outputs drawn for every batch to estimate the sum over all items."""
    noise_exponent: float = Field(default=0.5, ge=0, le=1)
    """The noise follows count ** noise_exponent; it changes the variance, not what is learnt."""
    batch: int = Field(default=512, ge=1)
    """Items that share one draw of noise."""
    distance_exponent: float = Field(default=0.7, ge=0, le=4)
    """A pair d places apart counts as d ** -distance_exponent; 0 for orderless baskets."""
    item_exponent: float = Field(default=0.5, ge=0, le=1)
    """An item weighs (weight of its pairs) ** item_exponent: 1 as sold, 0 all alike."""
    decay: float = Field(default=0.0, ge=0)
    """Penalty on squared vectors."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the coordinates of an input vector that a batch leaves out (Srivastava et al. 2014)."""
    session_exponent: float = Field(default=0.0, ge=0, le=2)
    """The pairs of a session of n items count n ** -session_exponent each: 0 all alike, 1 every
    shopper about the same."""
    half_life: float | None = Field(default=None, gt=0)
    """A session counts half of one that is younger by this share of all sessions; unset: age does
    not matter."""
    members: int = Field(default=1, ge=1, le=64)
    """Models that differ by their seeds alone, their vectors end to end and their scores averaged:
    as many times the dimensions and the time."""
    both_ways: float = Field(default=0.0, ge=0, le=1)
    """Ask with the output vector too, and be asked for with the input vector: score
    u_a . w_b + both_ways * w_a . u_b. Adds the dimensions once more unless it is 0."""
    likeness: float = Field(default=0.0, ge=0)
    """What is interchangeable also stands near: adds likeness * cos(u_a, u_b) to the score, and the
    dimensions once more unless it is 0."""
