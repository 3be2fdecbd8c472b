"""The strength of an event as a column: the place of its kind's weight among all weights."""

from collections.abc import Sequence

import ibis
from ibis.expr.types import FloatingValue, IntegerValue, StringValue

from trainer.config import PrepareConfig
from trainer.kind_weights import weights_by_kind

STRENGTH = "strength"


def strength_of(kind: StringValue, config: PrepareConfig) -> IntegerValue:
    """Return the strength of each kind as int64; kinds that are not taken get any."""
    plain = kind.strip().lower()
    weights = weights_by_kind(config.events.kinds, config.kinds)
    cases = [(plain == name, config.weights.index(weight)) for name, weight in weights.items()]
    return ibis.cases(*cases, else_=0).cast("int64")


def weight_of(strength: IntegerValue, weights: Sequence[float]) -> FloatingValue:
    """Return the float32 weight of each strength; `weights` ascend, at least two."""
    cases = [(strength == place, weight) for place, weight in enumerate(weights)]
    return ibis.cases(*cases, else_=ibis.null("float64")).cast("float32")
