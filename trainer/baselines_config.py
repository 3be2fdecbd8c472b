"""Settings of the baselines that evaluation runs side by side."""

from pydantic import Field

from trainer.settings import Settings


class BaselinesConfig(Settings):
    """The table `[evaluate.baselines]`.

    The defaults are the settings that Ludewig, Mauro, Latifi and Jannach (2019; 2021) publish for
    diginetica.
    """

    rule_steps: int = Field(default=20, ge=1)
    """Sequential rules: places back from an item that give it a rule."""
    neighbors: int = Field(default=500, ge=1)
    """VSKNN: most similar sessions that vote."""
    sample: int = Field(default=5_000, ge=1)
    """VSKNN: most recent sessions that share an item with the caller's and are compared with it."""
    idf_weight: float = Field(default=5.0, ge=0)
    """VSKNN: a vote grows by idf of the item x this."""
