"""Settings of what no shopper does."""

from pydantic import Field

from trainer.settings import Settings


class OutliersConfig(Settings):
    """The table `[prepare.outliers]`: sessions of bots, feeds and stuck pages.

    A session that breaks a rule is dropped whole, before anything is counted or split; None turns
    a rule off.
    """

    max_session_events: int | None = Field(default=None, ge=2)
    """Events of one session, repeats counted."""
    max_user_day_events: int | None = Field(default=None, ge=2)
    """Events of one user on one day, UTC; drops every session with an event of that day."""
    max_items_per_minute: int | None = Field(default=None, ge=1)
    """Different items of one session within one minute of the clock."""
