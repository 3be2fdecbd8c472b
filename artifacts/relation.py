"""What a neighbour means, and how its score is to be read."""

from enum import StrEnum


class ScoreKind(StrEnum):
    """The scale of a score; higher is better on all of them, and none compares with another."""

    COSINE = "cosine"  # in [-1, 1]
    INNER_PRODUCT = "inner_product"  # unbounded; comparable only within one relation and snapshot
    COUNT = "count"  # sessions that hold the item
    RANK_FUSION = "rank_fusion"  # of a mixture of ranks; comparable only within one answer
    SESSION_WEIGHT = "session_weight"  # similarity-weighted sessions, from session-kNN
    CO_OCCURRENCE = "co_occurrence"  # sessions that hold both items, damped by popularity
    RANKER = "ranker"  # of the ranking model; comparable only within one answer


class Relation(StrEnum):
    """The two questions that one skip-gram model answers (docs/adr/0004)."""

    ALTERNATIVES = "alternatives"  # interchangeable: input vector to input vectors, cosine
    CONTINUATIONS = "continuations"  # comes next: input vector to output vectors, inner product

    @property
    def score_kind(self) -> ScoreKind:
        """The scale that neighbours of this relation are scored on."""
        if self is Relation.ALTERNATIVES:
            return ScoreKind.COSINE
        return ScoreKind.INNER_PRODUCT
