"""Settings of meta-prod2vec."""

from pydantic import Field, field_validator

from trainer.settings import Settings
from trainer.softmax_config import SoftmaxConfig

LONGEST_WINDOW = 10_000


class MetaConfig(Settings):
    """The table `[train.meta]`: prod2vec that also knows what products are (Vasile et al. 2016).

    Where our model is another one than the paper's, and why, is told in docs/adr/0011.
    """

    columns: tuple[str, ...] = Field(default=("category:2",), min_length=1)
    """What is known of a product: `category` (the whole path) or `category:2` (its first two
    levels), `brand`, `price_band`, or any column of the item files by its name there."""
    title_words: int = Field(default=3, ge=0)
    """Items that must have a word in their titles before it is a part of their vectors; 0 leaves
    titles out. Words join the sum alone: they are neither interleaved nor tokens to ask with."""
    price_bands: int = Field(default=4, ge=2, le=100)
    """Bands of `price_band`: quantiles of the prices within a top category."""
    token_weight: float = Field(default=0.03, gt=0, le=1)
    """What a metadata token counts beside an item: a pair of both counts as that much, a pair of two
    tokens as its square."""
    prior: float = Field(default=2.0, ge=0)
    """How strongly an item that is seen once is held to what its metadata says; one that is seen n
    times is held a n-th as strongly. It acts in training, on input vectors."""
    shrinkage: float = Field(default=0.5, ge=0)
    """Of an item seen n times, n / (n + shrinkage) of its own vector is kept after training, and its
    metadata makes up for the rest."""
    dimensions: int = Field(default=100, ge=2, le=4096)
    """Length of a vector."""
    window: int = Field(default=2, ge=1, le=LONGEST_WINDOW)
    """Items on either side that count as context. Every item stands before its metadata in the
    sequence, so what is counted in tokens is window * (1 + number of columns)."""
    min_count: int = Field(default=1, ge=1)
    """Occurrences below which an item gets no vector."""
    kind_weights: bool = True
    """As in `[train.cf]`."""
    seed: int = Field(default=1, ge=0, lt=2**32)
    """Seed of the initial vectors and of the noise."""
    checkpoint_s: float = Field(default=60.0, ge=0)
    """Seconds between two checkpoints, as in `[train.cf]`."""
    softmax: SoftmaxConfig = SoftmaxConfig()
    """The table `[train.meta.softmax]`, with the keys of `[train.cf.softmax]`."""

    @field_validator("columns")
    @classmethod
    def _columns_differ(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(columns)) < len(columns):
            raise ValueError(f"a column is named twice: {list(columns)}")
        return columns
