"""Both matrices of prod2vec by sampled softmax, from prepared sessions."""

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from trainer.checkpoints import Checkpoints
from trainer.config import Prod2VecConfig
from trainer.joined_vectors import Matrices
from trainer.members import fit_members
from trainer.pair_counts import PairCounts, count_pairs
from trainer.session_weights import weigh_sessions
from trainer.softmax import train_softmax
from trainer.softmax_config import SoftmaxConfig
from trainer.weighted_lists import frequent_lists, read_weighted_lists


def fit_softmax(
    prepared: Prepared,
    config: Prod2VecConfig,
    settings: SoftmaxConfig,
    *,
    checkpoints: Checkpoints | None,
    progress: Progress,
) -> EmbeddingTable:
    """Learn the table; an item that never has a neighbour gets no vector.

    Args:
        prepared: the sessions.
        config: the table `[train.cf]`.
        settings: its table `softmax`.
        checkpoints: where the state is kept; None keeps none.
        progress: gets one step an epoch.

    Raises:
        DataError: fewer than two items occur `min_count` times with a neighbour.

    Cost: see `count_pairs` and `train_softmax`; all sessions are in memory.
    """
    progress.start("count pairs")
    rows, pairs = _near(prepared, config, settings)
    learnt: NDArray[np.int64] = np.flatnonzero(pairs.totals > 0)
    if len(learnt) < 2:
        raise DataError(
            f"train.cf: expected at least two items that occur {config.min_count} times in "
            f"training, beside others, got {len(learnt)}; lower `min_count` or bring more sessions"
        )
    progress.finish(f"{len(pairs.columns):,} pairs of {len(learnt):,} items")
    progress.start("train prod2vec", total=settings.epochs * settings.members)

    def fit(one: Prod2VecConfig, part: Checkpoints | None) -> Matrices:
        model = train_softmax(pairs, one, checkpoints=part, progress=progress)
        return model.vectors[learnt], model.outputs[learnt]

    matrices = fit_members(config, fit, checkpoints)
    table = _table(rows[learnt], matrices, pairs, settings)
    progress.finish(f"{len(table):,} items, {table.dim} dimensions")
    return table


def _near(
    prepared: Prepared, config: Prod2VecConfig, settings: SoftmaxConfig
) -> tuple[IntVector, PairCounts]:
    """Return the rows that occur often enough, and what stands near each of them."""
    rows, sessions = frequent_lists(
        read_weighted_lists(prepared.train_sessions, use=config.kind_weights), config.min_count
    )
    sessions = weigh_sessions(sessions, settings)
    return rows, count_pairs(
        sessions.lists,
        len(rows),
        window=config.window,
        distance_exponent=settings.distance_exponent,
        weights=sessions.weights,
    )


def _table(
    rows: IntVector,
    matrices: Matrices,
    pairs: PairCounts,
    settings: SoftmaxConfig,
) -> EmbeddingTable:
    vectors, outputs = matrices
    return EmbeddingTable(
        space="cf",
        rows=rows,
        vectors=np.ascontiguousarray(vectors),
        outputs=np.ascontiguousarray(outputs),
        lineage={"pairs": len(pairs.columns), "epochs": settings.epochs},
    )
