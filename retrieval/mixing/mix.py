"""The choice of a way to mix."""

from collections.abc import Sequence
from typing import NamedTuple

from retrieval.mixing.calibration import Calibration, calibrate
from retrieval.mixing.method import Mixing
from retrieval.mixing.rank_fusion import fuse_ranks
from retrieval.mixing.round_robin import round_robin
from retrieval.mixing.team_draft import team_draft
from retrieval.mixing.weighted_list import Pick, WeightedList


class MixingRules(NamedTuple):
    """How lists are mixed."""

    method: Mixing
    seed: int
    """Of the lots of a draft, in 64 bits."""
    calibration: Calibration
    """What a calibrated mixture is held to."""


def mix(lists: Sequence[WeightedList], n: int, rules: MixingRules) -> list[Pick]:
    """Return at most n picks of distinct rows, best first, as the method has it."""
    match rules.method:
        case Mixing.ROUND_ROBIN:
            return round_robin(lists, n)
        case Mixing.WEIGHTED:
            return fuse_ranks(lists, n)
        case Mixing.TEAM_DRAFT:
            return team_draft(lists, n, rules.seed)
        case Mixing.CALIBRATED:
            return calibrate(lists, n, rules.calibration)
