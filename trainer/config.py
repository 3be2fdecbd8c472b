"""Settings of preparation, training and evaluation: the tables of one shop's TOML file."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from trainer.baselines_config import BaselinesConfig
from trainer.content_config import ContentConfig
from trainer.images_config import ImagesConfig
from trainer.kind_weights import MAX_STRENGTHS, different_weights, plain_kind
from trainer.meta_config import MetaConfig
from trainer.outliers_config import OutliersConfig
from trainer.prefix_config import PrefixConfig
from trainer.ranker_config import RankerConfig
from trainer.settings import Settings
from trainer.softmax_config import SoftmaxConfig
from trainer.tables_config import TablesConfig
from trainer.users_config import AlsConfig

LONGEST_LINE = 10_000
"""Tokens of one line that gensim reads from a corpus file; it cuts what lies beyond."""

Format: TypeAlias = Literal["auto", "parquet", "csv", "jsonl"]
Order: TypeAlias = Literal["auto", "position", "timestamp", "none"]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str | Path) else value


Paths: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(min_length=1)]


class EventColumns(Settings):
    """Our names for the columns of the event files; what is not named here is not read."""

    session_id: str = "session_id"
    """Visit, basket or order; needed, unless `gap_minutes` makes the visits."""
    item_id: str = "item_id"
    """Product; needed."""
    user_id: str | None = None
    """Shopper."""
    position: str | None = None
    """Place inside the session, an integer."""
    timestamp: str | None = None
    """When it happened, ISO 8601 or the file's own timestamp type; read as UTC."""
    event: str | None = None
    """Kind of event, such as `view` or `purchase`."""
    quantity: str | None = None
    """Units."""
    price: str | None = None
    """Price of one unit."""


class EventsConfig(Settings):
    """Where the events lie and what their columns are called."""

    path: Paths
    """A file, a glob, or a list of them."""
    format: Format = "auto"
    """`auto` goes by the suffix: .parquet, .csv, .csv.gz, .jsonl, .ndjson."""
    columns: EventColumns = EventColumns()
    """Which column is which."""
    kinds: tuple[str, ...] = ("view", "click", "cart", "purchase")
    """Kinds of event that are taken; rows of any other kind are rejected. Letter case is ignored."""


class ItemColumns(Settings):
    """Our names for the columns of the item files; what is not named here is not read."""

    item_id: str = "item_id"
    """Product; needed."""
    title: str | None = None
    """Name shown to shoppers."""
    category_path: str | None = None
    """Levels from the widest to the narrowest, joined by `path_separator`."""
    top_category: str | None = None
    """Name of the widest level; without it, the first level of the path."""
    brand: str | None = None
    """Maker or label."""
    price: str | None = None
    """Price of one unit, in the shop's currency."""
    description: str | None = None
    """Longer text about the product; only the content space reads it."""


class ItemsConfig(Settings):
    """Where the catalogue lies and what its columns are called."""

    path: Paths
    """A file, a glob, or a list of them; of two rows with one id the first in this order stays."""
    format: Format = "auto"
    """As for the events."""
    columns: ItemColumns = ItemColumns()
    """Which column is which."""
    path_separator: str = Field(default=" > ", min_length=1)
    """What stands between two levels of a category path in the files."""


class SessionsConfig(Settings):
    """How events become sessions."""

    gap_minutes: int | None = Field(default=None, ge=1)
    """Where the log has no session ids: a user's visit ends after so long without an event."""
    min_length: int = Field(default=2, ge=2)
    """Items; shorter sessions are dropped and counted."""
    max_length: int = Field(default=200, ge=2, le=LONGEST_LINE)
    """Items; longer sessions are dropped and counted."""
    drop_repeats: bool = True
    """Keep one of several equal items in a row."""
    order: Order = "auto"
    """`auto` takes the position if it is mapped, else the timestamp. `none` is for baskets: each
    item once, in an order drawn by a seeded hash."""
    shuffle_seed: int = 0
    """Seed of that hash; it also breaks ties between equal timestamps."""
    min_item_sessions: int = Field(default=1, ge=1)
    """Sessions that must hold an item before it is learned from; held-out sessions keep all."""


class RandomSplit(Settings):
    """Hold out sessions by a seeded hash of their id."""

    kind: Literal["random"] = "random"
    """Tag."""
    fraction: float = Field(default=0.1, gt=0, lt=1)
    """Share of the sessions, on average."""
    seed: int = 0
    """Seed of the hash."""


class TimeSplit(Settings):
    """Hold out the sessions that start last."""

    kind: Literal["time"]
    """Tag."""
    fraction: float | None = Field(default=None, gt=0, lt=1)
    """Share of the sessions; sessions that start together stay together."""
    cut: datetime | None = None
    """A time, UTC unless it says otherwise; sessions that start then or later are held out."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.fraction is None) == (self.cut is None):
            raise ValueError("a time split needs either `fraction` or `cut`, and not both")
        return self


class ColumnSplit(Settings):
    """Hold out what a column of the event files marks."""

    kind: Literal["column"]
    """Tag."""
    column: str
    """Name of the column in the files."""
    heldout: tuple[str, ...] = Field(default=("test",), min_length=1)
    """Values that mark held-out events; one such event holds out its whole session."""


class NoSplit(Settings):
    """Learn from every session; there is nothing to evaluate on."""

    kind: Literal["none"]
    """Tag."""


Split: TypeAlias = Annotated[
    RandomSplit | TimeSplit | ColumnSplit | NoSplit, Field(discriminator="kind")
]


class PrepareConfig(Settings):
    """The table `[prepare]`: from event and item files to sessions, vocabulary and catalogue."""

    events: EventsConfig
    """The event files."""
    items: ItemsConfig | None = None
    """The item files; without them every item is uncategorised and has no title."""
    kinds: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(default={})
    """Weight of an event by its kind; kinds that are taken but not named weigh 1. Without this
    table, or with equal weights, sessions carry no weights."""
    outliers: OutliersConfig = OutliersConfig()
    """Which sessions no shopper made."""
    sessions: SessionsConfig = SessionsConfig()
    """How events become sessions."""
    split: Split = RandomSplit()
    """Which sessions are held out."""
    engine: Literal["duckdb", "spark"] = "duckdb"
    """What runs the queries: DuckDB in this process, or Spark, which needs the extra `spark`."""
    spark: dict[str, str] = Field(default={})
    """Properties of the Spark session, such as `"spark.master"`; without one, Spark runs in this
    machine."""
    memory_limit: str = Field(default="4GB", pattern=r"^\d+(\.\d+)?\s*([KMGT]i?B)$")
    """Memory that the engine may use before it spills to disk."""
    threads: int | None = Field(default=None, ge=1)
    """Threads of the engine; None uses every core."""

    @property
    def order(self) -> Literal["position", "timestamp", "none"]:
        """What orders the items of a session."""
        if self.sessions.order != "auto":
            return self.sessions.order
        # A position counts inside the log's own sessions, not inside visits that we cut.
        own = self.events.columns.position and self.sessions.gap_minutes is None
        return "position" if own else "timestamp"

    @property
    def weights(self) -> tuple[float, ...]:
        """Different weights of the kinds, ascending; empty where all events weigh the same."""
        order = different_weights(self.events.kinds, self.kinds) if self.kinds else ()
        return order if len(order) > 1 else ()

    @property
    def needs_timestamp(self) -> bool:
        """Tell whether an event without a time is of no use."""
        timed = self.order == "timestamp" or isinstance(self.split, TimeSplit)
        return timed or self.sessions.gap_minutes is not None

    @model_validator(mode="after")
    def _columns_suffice(self) -> Self:
        columns = self.events.columns
        if self.sessions.order == "auto" and not (columns.position or columns.timestamp):
            raise ValueError(
                "nothing orders the items of a session: map `position` or `timestamp` under "
                '[prepare.events.columns], or set order = "none" under [prepare.sessions]'
            )
        if self.order == "position" and not columns.position:
            raise ValueError('order = "position" needs `position` under [prepare.events.columns]')
        if self.needs_timestamp and not columns.timestamp:
            raise ValueError(
                "an order, a split or a gap by time needs `timestamp` under "
                "[prepare.events.columns]"
            )
        return self

    @model_validator(mode="after")
    def _gap_suffices(self) -> Self:
        if self.sessions.gap_minutes is None:
            return self
        if not self.events.columns.user_id:
            raise ValueError("`gap_minutes` needs `user_id` under [prepare.events.columns]")
        if self.events.columns.session_id != EventColumns().session_id:
            raise ValueError(
                "`gap_minutes` under [prepare.sessions] makes the sessions: take out `session_id` "
                "under [prepare.events.columns], or leave the sessions as the log has them"
            )
        return self

    @model_validator(mode="after")
    def _rules_suffice(self) -> Self:
        columns, rules = self.events.columns, self.outliers
        if rules.max_user_day_events and not (columns.user_id and columns.timestamp):
            raise ValueError(
                "`max_user_day_events` needs `user_id` and `timestamp` under "
                "[prepare.events.columns]"
            )
        if rules.max_items_per_minute and not columns.timestamp:
            raise ValueError(
                "`max_items_per_minute` needs `timestamp` under [prepare.events.columns]"
            )
        return self

    @model_validator(mode="after")
    def _kinds_are_taken(self) -> Self:
        plain = [plain_kind(kind) for kind in self.kinds]
        taken = {plain_kind(kind) for kind in self.events.kinds}
        if strange := sorted(set(plain) - taken):
            raise ValueError(
                f"[prepare.kinds] weighs {strange}, which `kinds` under [prepare.events] does not "
                f"take; it takes {sorted(taken)}"
            )
        if len(set(plain)) < len(plain):
            raise ValueError("[prepare.kinds] names a kind twice; letter case is ignored")
        if self.kinds and not self.events.columns.event:
            raise ValueError("[prepare.kinds] needs `event` under [prepare.events.columns]")
        if len(self.weights) > MAX_STRENGTHS:
            raise ValueError(
                f"[prepare.kinds]: expected at most {MAX_STRENGTHS} different weights, got "
                f"{len(self.weights)}"
            )
        return self


class Prod2VecConfig(Settings):
    """The table `[train.cf]`: skip-gram with negative sampling over sessions.

    The defaults follow Caselles-Dupre et al. 2018 (hyperparameters matter more for items than for
    words) and our own measurements (docs/adr/0004).
    """

    dimensions: int = Field(default=100, ge=2, le=4096)
    """Length of a vector."""
    window: int = Field(default=2, ge=1, le=LONGEST_LINE)
    """Items on either side that count as context."""
    shrink_windows: bool | None = None
    """Draw the window anew for every item, from 1 to `window`, so that near items weigh more. None
    does so where sessions have an order, and not for baskets."""
    epochs: int = Field(default=20, ge=1)
    """Passes over the sessions."""
    negative: int = Field(default=20, ge=1)
    """Items drawn as noise for every pair."""
    ns_exponent: float = Field(default=0.75, ge=-2, le=2)
    """The noise follows count ** ns_exponent: 1 as sold, 0 uniform, below 0 prefers rare items."""
    subsample: float = Field(default=0.0, ge=0, lt=1)
    """Threshold of frequency above which items are left out at random; 0 leaves out none."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """At the start; it falls linearly to `min_learning_rate`."""
    min_learning_rate: float = Field(default=0.0001, ge=0, le=1)
    """At the end."""
    min_count: int = Field(default=2, ge=1)
    """Occurrences below which an item gets no vector."""
    kind_weights: bool = True
    """Where `[prepare.kinds]` lets kinds of event weigh differently, a pair counts as the lighter of
    its two events; False counts all pairs alike."""
    seed: int = Field(default=1, ge=0, lt=2**32)
    """Seed of the initial vectors and of the noise."""
    workers: int | None = Field(default=None, ge=1)
    """Threads; None uses every core. Only one thread gives the same bytes twice."""
    checkpoint_s: float = Field(default=60.0, ge=0)
    """Seconds between two checkpoints, which are taken at the end of an epoch; 0 takes one after
    every epoch. The result does not depend on it."""
    softmax: SoftmaxConfig | None = None
    """Learn by sampled softmax in place of gensim's negative sampling; None does not."""

    @model_validator(mode="after")
    def _rate_falls(self) -> Self:
        if self.min_learning_rate > self.learning_rate:
            raise ValueError("`min_learning_rate` must not exceed `learning_rate`")
        return self


class TrainConfig(Settings):
    """The table `[train]`: one entry a space."""

    cf: Prod2VecConfig = Prod2VecConfig()
    """Collaborative vectors from sessions."""
    meta: MetaConfig | None = None
    """Collaborative vectors that know what products are, and vectors of brands, categories and
    other metadata beside them; None trains none."""
    user: AlsConfig | None = None
    """Vectors of shoppers and of what they take; needs a user id on the events."""
    tables: TablesConfig = TablesConfig()
    """Sources of candidates that are no space."""
    content: ContentConfig | None = None
    """Content vectors from titles, category paths and descriptions; None trains none."""
    image: ImagesConfig | None = None
    """Image vectors from product pictures; needs the extra `images`; None trains none."""
    ranker: RankerConfig | None = None
    """Trees that order the candidates of all sources; None trains none."""


class EvaluateConfig(Settings):
    """The table `[evaluate]`: how held-out sessions are scored."""

    k: int = Field(default=25, ge=1)
    """Length of the lists."""
    resamples: int = Field(default=2_000, ge=100)
    """Bootstrap samples behind an interval."""
    confidence: float = Field(default=0.95, gt=0, lt=1)
    """Probability that an interval claims."""
    smoothing: float = Field(default=20.0, ge=0)
    """Co-occurrence divides by sqrt(sessions of the candidate + smoothing)."""
    baselines: BaselinesConfig = BaselinesConfig()
    """Rules and session-kNN that run side by side."""
    every_step_k: int = Field(default=20, ge=1)
    """Length of the lists where every step is predicted."""
    prefix: PrefixConfig = PrefixConfig()
    """How vectors of a prefix become one answer where every step is predicted."""
    block_mb: int = Field(default=256, ge=1)
    """Megabytes of scores that are held at a time."""
    seed: int = Field(default=0, ge=0)
    """Seed of the bootstrap."""
