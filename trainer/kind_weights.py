"""How much events of each kind weigh, as the settings say."""

from collections.abc import Mapping, Sequence

MAX_STRENGTHS = 16
"""Different weights at most: a strength, a place and a row fit one 64-bit number."""

PLAIN_WEIGHT = 1.0
"""Weight of a kind that the settings take but do not weigh."""


def plain_kind(kind: str) -> str:
    """Return a kind as it is compared: letter case and white space around it say nothing."""
    return kind.strip().lower()


def weights_by_kind(taken: Sequence[str], weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weight of every kind `taken`, by its plain name."""
    plain = {plain_kind(kind): weight for kind, weight in weights.items()}
    return {plain_kind(kind): plain.get(plain_kind(kind), PLAIN_WEIGHT) for kind in taken}


def different_weights(taken: Sequence[str], weights: Mapping[str, float]) -> tuple[float, ...]:
    """Return the weights of the kinds `taken`, ascending, each once.

    The place of a weight in the result is the *strength* of its kinds.
    """
    return tuple(sorted(set(weights_by_kind(taken, weights).values())))
