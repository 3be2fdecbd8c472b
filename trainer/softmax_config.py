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
    both_ways: bool = False
    """Ask with input and output vector end to end, and be asked for with the two exchanged: score
    u_a . w_b + w_a . u_b. Twice the dimensions; the two estimates of one number are averaged."""
