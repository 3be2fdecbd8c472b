"""Settings of predicting from a whole prefix by vectors."""

from pydantic import Field

from trainer.settings import Settings


class PrefixConfig(Settings):
    """The table `[evaluate.prefix]`: how the vectors of a prefix become one query.

    The defaults were chosen on a validation cut of the training sessions of diginetica.
    """

    decay: float = Field(default=0.6, ge=0, le=1)
    """Weight of an item relative to the one visited after it; 0 looks at the last one alone."""
    last_items: int = Field(default=10, ge=1)
    """Items that are looked at, from the end of the prefix."""
    count_exponent: float = Field(default=0.25, ge=0, le=2)
    """Scores grow by this times the logarithm of the sessions that hold the candidate. Skip-gram
    learns the logarithm of probability over noise, and the noise follows the counts."""
    symmetric: bool = True
    """Average the products of input with output and of output with input: where both directions of
    a step are learnt from, the two estimate one thing and their mean is less noisy."""
    neighbors: int = Field(default=50, ge=1)
    """Session vectors: training sessions most alike that vote."""
    sharpness: float = Field(default=12.0, gt=0)
    """Session vectors: a vote is the cosine to the power of this."""
    votes: float = Field(default=2.0, ge=0)
    """Session vectors: weight of the shares of votes beside the probabilities by the items' vectors."""
