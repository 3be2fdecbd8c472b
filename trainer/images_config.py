"""Settings of the image space."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from trainer.settings import Settings

INCEPTION_FEATURES = 2048
"""Channels of Inception v3 before its classifier."""

RANDOM_WEIGHTS = "random"
IMAGENET_WEIGHTS = "imagenet"


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str | Path) else value


Tables: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(min_length=1)]


class PictureColumns(Settings):
    """Our names for the columns of the table of pictures."""

    item_id: str = "item_id"
    """Product; a product may have several rows, one a picture."""
    path: str = "path"
    """Picture file, relative to `folder`."""


class FineTuneConfig(Settings):
    """The table `[train.image.fine_tune]`: teach the network the shop's own categories."""

    level: int | None = Field(default=None, ge=1)
    """Levels of the category path that name a class, from the widest; None takes the whole path."""
    blocks: int = Field(default=2, ge=0, le=10)
    """Inception blocks that learn, counted from the last (`mixed10`); 0 trains the head alone."""
    views: int = Field(default=2, ge=1, le=32)
    """Versions of every picture that are learned from: the picture itself, and flipped crops."""
    smallest_crop: float = Field(default=0.7, gt=0, le=1)
    """Share of either side that a crop keeps at least; 1 leaves only flips."""
    heldout: float = Field(default=0.15, ge=0, lt=1)
    """Share of the items of a class, on average, that training is stopped by and never learns from;
    a class of one item holds out none, and neither does 0."""
    patience: int = Field(default=2, ge=1)
    """Epochs without a lower loss on the held-out items after which a stage ends."""
    head_epochs: int = Field(default=40, ge=1)
    """Passes at most in which the new head learns while the network stands still."""
    head_rate: float = Field(default=1e-3, gt=0, le=1)
    """Learning rate of those passes."""
    epochs: int = Field(default=4, ge=0)
    """Passes at most in which the last blocks learn with the head."""
    rate: float = Field(default=2e-4, gt=0, le=1)
    """Learning rate of those passes."""
    batch: int = Field(default=32, ge=1, le=4096)
    """Pictures of one step."""
    balance: float = Field(default=0.5, ge=0, le=1)
    """A picture weighs (pictures of its class) ** -balance: 0 all alike, 1 every class alike."""
    min_pictures: int = Field(default=2, ge=2)
    """Pictures below which a class is not learned."""
    max_pictures: int = Field(default=4_000, ge=2)
    """Pictures that are learned from; of more, a seeded sample with as many of every class as there
    is room for. Each view takes 164 kB of scratch space at two blocks and 299 pixels."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Seed of the held-out items, of views, of the head and of the order."""

    @model_validator(mode="after")
    def _blocks_learn(self) -> Self:
        if self.epochs and not self.blocks:
            raise ValueError("`blocks` = 0 trains the head alone, so `epochs` must be 0 as well")
        return self


class ImagesConfig(Settings):
    """The table `[train.image]`: Inception v3 (Szegedy et al. 2016) over product pictures."""

    table: Tables | None = None
    """Parquet, CSV or JSON lines that name the pictures: a file, a glob, or a list of them; None
    reads the item files of `[prepare.items]`."""
    columns: PictureColumns = PictureColumns()
    """Which column is which."""
    folder: str = "."
    """Folder that the paths in the table start at; none of them may leave it."""
    weights: str = IMAGENET_WEIGHTS
    """`imagenet`, which Keras downloads once; a local `.weights.h5`, `.h5` or `.keras` file of
    Inception v3; or `random`, for tests."""
    size: int = Field(default=299, ge=75, le=1024)
    """Pixels of either side that the network sees; 299 is what it was made for."""
    dimensions: int = Field(default=100, ge=2, le=INCEPTION_FEATURES)
    """Length of a vector; fewer where there are fewer pictures."""
    reduction: Literal["auto", "pca", "bottleneck"] = "auto"
    """What takes the network's 2,048 features to `dimensions`: whitened principal components, or
    the layer that fine-tuning learns for the purpose; `auto` takes the latter where there is one."""
    fine_tune: FineTuneConfig | None = None
    """Without it the network is taken as it comes."""
    max_bytes: int = Field(default=64 * 2**20, ge=1)
    """Bytes of the largest file that is read."""
    max_pixels: int = Field(default=50_000_000, ge=1)
    """Pixels of the largest picture that is decoded, against decompression bombs."""
    batch: int = Field(default=32, ge=1, le=4096)
    """Pictures that go through the network at a time."""
    cache_dir: str | None = None
    """Folder of features and tuned weights, kept between runs; None keeps it with the vectors."""
    seed: int = Field(default=1, ge=0, lt=2**31)
    """Seed of random weights."""

    @model_validator(mode="after")
    def _bottleneck_is_learned(self) -> Self:
        if self.reduction == "bottleneck" and self.fine_tune is None:
            raise ValueError(
                'reduction = "bottleneck" is learned by fine-tuning: add a table '
                '[train.image.fine_tune], or set reduction = "pca"'
            )
        return self

    @property
    def learns_reduction(self) -> bool:
        """Tell whether the reduction comes from fine-tuning."""
        return self.reduction == "bottleneck" or (
            self.reduction == "auto" and self.fine_tune is not None
        )

    def what_counts(self) -> dict[str, Any]:
        """Return the settings that the vectors depend on: all but where and how fast."""
        return self.model_dump(mode="json", exclude={"cache_dir", "batch", "folder", "table"})

    def anchored(self, base: Path) -> "ImagesConfig":
        """Return these settings with every relative path starting at `base`."""
        named = self.weights in (IMAGENET_WEIGHTS, RANDOM_WEIGHTS)
        changes = {
            "table": self.table and tuple(str(base / path) for path in self.table),
            "folder": str(base / self.folder),
            "weights": self.weights if named else str(base / self.weights),
            "cache_dir": self.cache_dir and str(base / self.cache_dir),
        }
        return self.model_copy(update=changes)
