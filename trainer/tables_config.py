"""Settings of the tables that serve as sources of candidates beside the spaces."""

from typing import Literal

from pydantic import Field

from trainer.settings import Settings


class CovisitationConfig(Settings):
    """The table `[train.tables.covisitation]`: items that share sessions."""

    top_k: int = Field(default=100, ge=1, le=10_000)
    """Neighbours kept for an item."""
    smoothing: float = Field(default=20.0, ge=0)
    """A neighbour's score is divided by sqrt(its sessions + smoothing): popular items are damped,
    and items seen a few times do not win by chance."""
    distance: Literal["none", "reciprocal"] = "none"
    """`reciprocal` lets a session count as 1 / (places between the two items); for sessions that
    have an order."""
    kind_weights: bool = True
    """Where `[prepare.kinds]` lets kinds of event weigh differently, a session counts as the lighter
    of its events with the two items; False counts all sessions alike."""
    min_sessions: int = Field(default=1, ge=1)
    """Sessions that must hold both items."""
    threads: int | None = Field(default=None, ge=1)
    """Threads; None uses every core. The result does not depend on them."""


class RecentSessionsConfig(Settings):
    """The table `[train.tables.sessions]`: what session-kNN looks up."""

    sessions_per_item: int = Field(default=1_000, ge=1)
    """Most recent sessions kept for an item; serving may use fewer, never more."""


class TablesConfig(Settings):
    """The table `[train.tables]`; a table that is absent is not made."""

    covisitation: CovisitationConfig | None = None
    """Top neighbours of every item by shared sessions, with counts."""
    sessions: RecentSessionsConfig | None = None
    """Recent sessions of every item, for session-kNN."""
