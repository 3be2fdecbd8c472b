"""Settings of the content space and of maps."""

from typing import Literal, Self

from pydantic import Field, model_validator

from trainer.settings import Settings

LONGEST_TEXT = 1_000
"""Tokens of one item's text, all fields together."""


class FieldConfig(Settings):
    """One field of an item's text."""

    weight: float = Field(ge=0, le=100)
    """Weight of the field's unit vector in the item's vector; 0 leaves the field out."""
    max_tokens: int = Field(ge=1, le=LONGEST_TEXT)
    """Tokens that are read; the rest is cut, and the items cut are counted."""


class ContentConfig(Settings):
    """The table `[train.content]`: fastText over titles, category paths and descriptions.

    The defaults were chosen on instacart by the share of nearest neighbours in the same aisle,
    titles alone being encoded (docs/adr/0008).
    """

    title: FieldConfig = FieldConfig(weight=1.0, max_tokens=64)
    """The item's title."""
    category_path: FieldConfig = FieldConfig(weight=0.5, max_tokens=32)
    """The item's category path."""
    description: FieldConfig = FieldConfig(weight=0.5, max_tokens=256)
    """The item's description."""
    strip_accents: bool = False
    """Read accented letters as plain ones: wanted where shoppers leave accents out, harmful where
    they part words."""
    dimensions: int = Field(default=100, ge=2, le=4096)
    """Length of a vector."""
    window: int = Field(default=5, ge=1, le=LONGEST_TEXT)
    """Tokens on either side that count as context, at most; drawn anew for every token."""
    epochs: int = Field(default=5, ge=1)
    """Passes over the texts."""
    negative: int = Field(default=5, ge=1)
    """Words drawn as noise for every pair."""
    ns_exponent: float = Field(default=0.5, ge=-2, le=2)
    """The noise follows count ** ns_exponent; fastText takes the square root."""
    subsample: float = Field(default=1e-3, ge=0, lt=1)
    """Threshold of frequency above which words are left out at random; 0 leaves out none."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """At the start; it falls linearly to almost 0."""
    min_count: int = Field(default=2, ge=1)
    """Occurrences below which a word has no vector of its own and is read by its subwords."""
    min_n: int = Field(default=3, ge=1)
    """Characters of the shortest subword."""
    max_n: int = Field(default=6, ge=1, le=16)
    """Characters of the longest subword; the marks of a word's begin and end count."""
    buckets: int = Field(default=2**16, ge=1, le=2**24)
    """Vectors that all subwords share by hashing: 4 bytes x dimensions each in every snapshot, so
    26 MB by default. fastText's own default of 2,000,000 suits corpora of a language."""
    weighting: Literal["idf", "sif", "mean"] = "idf"
    """How words weigh within a field: inverse document frequency, a / (a + frequency) (Arora et al.
    2017), or all alike."""
    sif_a: float = Field(default=1e-3, gt=0, le=1)
    """The `a` of `sif`; 1e-3 to 1e-4 in the paper."""
    components: int = Field(default=0, ge=0, le=16)
    """Principal components that are taken out of the items' vectors, as what all texts share: 1 in
    Arora et al. 2017. Where a few categories make up the shop they carry the categories."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Seed of initial vectors, windows and noise."""
    workers: int | None = Field(default=None, ge=1)
    """Threads; None uses every core. Only one thread gives the same bytes twice."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.max_n < self.min_n:
            raise ValueError("`max_n` must not be below `min_n`")
        fields = (self.title, self.category_path, self.description)
        if sum(field.max_tokens for field in fields) > LONGEST_TEXT:
            raise ValueError(f"`max_tokens` of all fields together must not exceed {LONGEST_TEXT}")
        if not any(field.weight for field in fields):
            raise ValueError("at least one field needs a `weight` above 0")
        if self.components >= self.dimensions:
            raise ValueError("`components` must be below `dimensions`")
        return self


class MapConfig(Settings):
    """The table `[map]`: a picture of one space."""

    points: int = Field(default=10_000, ge=4, le=200_000)
    """Items drawn; where there are more, a seeded sample."""
    perplexity: float = Field(default=30.0, ge=1, le=1_000)
    """Neighbours that each point feels; lowered where points are few."""
    iterations: int = Field(default=500, ge=1)
    """Steps of the descent after 250 of early exaggeration."""
    categories: int = Field(default=15, ge=1, le=24)
    """Top categories with a mark of their own, the largest first; the others share one."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of the sample and of the embedding."""
    workers: int = Field(default=1, ge=1)
    """Threads; only one gives the same picture twice."""
