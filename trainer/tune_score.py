"""What a trial has learnt, and how well that predicts the validation cut."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from artifacts.embeddings import EmbeddingTable
from trainer.als import AlsModel
from trainer.config import EvaluateConfig
from trainer.evaluate import MEGABYTE, embedding_scorers
from trainer.interactions import Interactions
from trainer.ranking import Cases, rank_cases
from trainer.tune_data import TuneData
from trainer.user_cases import user_ranks

LAST_STEPS = "MRR of last steps"
LAST_OF_USERS = "MRR of last items, asked for by user"


class Fitted(Protocol):
    """A space with what it takes to score it."""

    def score(self, data: TuneData, config: EvaluateConfig) -> float:
        """Return how well it predicts the validation cut, higher for better."""
        ...


@dataclass(frozen=True, slots=True)
class FittedTable:
    """Vectors of items: they predict the last item of a session from the one before it."""

    table: EmbeddingTable

    def score(self, data: TuneData, config: EvaluateConfig) -> float:
        """Return the MRR of last steps."""
        return score(self.table, data.cases, config)


@dataclass(frozen=True, slots=True)
class FittedUsers:
    """Vectors of shoppers and item factors: a shopper predicts the last item of a session."""

    interactions: Interactions
    model: AlsModel

    def score(self, data: TuneData, config: EvaluateConfig) -> float:
        """Return the MRR over the sessions of the cut that name a shopper; 0 where none does."""
        if not len(data.user_cases):
            return 0.0
        users = {user: line for line, user in enumerate(self.interactions.users)}
        ranks = user_ranks(
            data.user_cases,
            users,
            self.model.users,
            (self.interactions.items, self.model.item_factors),
            block_bytes=config.block_mb * MEGABYTE,
        )
        found = (ranks > 0) & (ranks <= config.k)
        return float(np.where(found, 1 / np.maximum(ranks, 1), 0.0).mean())


def score(table: EmbeddingTable, cases: Cases, config: EvaluateConfig) -> float:
    """Return the MRR of the best relation of a space on last steps, as evaluation measures it."""
    best = 0.0
    for scorer in embedding_scorers(table):
        ranking = rank_cases(scorer, cases, k=config.k, block_bytes=config.block_mb * MEGABYTE)
        best = max(best, float(ranking.reciprocal(config.k).mean()))
    return best
