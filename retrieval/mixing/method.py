"""The ways to mix lists."""

from enum import StrEnum


class Mixing(StrEnum):
    """How several lists become one. All of them go by ranks."""

    ROUND_ROBIN = "round_robin"  # by turns, the heaviest list first
    WEIGHTED = "weighted"  # by the sum of weight / (60 + rank)
    TEAM_DRAFT = "team_draft"  # by turns, their order drawn anew in every round
    CALIBRATED = "calibrated"  # as weighted, keeping the share of each category
