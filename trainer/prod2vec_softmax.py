"""Both matrices of prod2vec by sampled softmax, from prepared sessions."""

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.ragged import Ragged
from trainer.checkpoints import Checkpoints
from trainer.config import Prod2VecConfig
from trainer.pair_counts import PairCounts, count_pairs
from trainer.session_lists import read_session_lists
from trainer.softmax import SoftmaxModel, train_softmax
from trainer.softmax_config import SoftmaxConfig
from trainer.weighted_lists import WeightedLists, read_weighted_lists


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
    rows, sessions = _frequent(_read(prepared, config), config.min_count)
    pairs = count_pairs(
        sessions.lists,
        len(rows),
        window=config.window,
        distance_exponent=settings.distance_exponent,
        weights=sessions.weights,
    )
    learnt: NDArray[np.int64] = np.flatnonzero(pairs.totals > 0)
    if len(learnt) < 2:
        raise DataError(
            f"train.cf: expected at least two items that occur {config.min_count} times in "
            f"training, beside others, got {len(learnt)}; lower `min_count` or bring more sessions"
        )
    progress.finish(f"{len(pairs.columns):,} pairs of {len(learnt):,} items")
    progress.start("train prod2vec", total=settings.epochs)
    model = train_softmax(pairs, config, checkpoints=checkpoints, progress=progress)
    table = _table(rows[learnt], _matrices(model, learnt, settings), pairs, settings)
    progress.finish(f"{len(table):,} items, {table.dim} dimensions")
    return table


def _read(prepared: Prepared, config: Prod2VecConfig) -> WeightedLists:
    if config.kind_weights:
        return read_weighted_lists(prepared.train_sessions)
    return WeightedLists(read_session_lists(prepared.train_sessions), None)


def _frequent(sessions: WeightedLists, min_count: int) -> tuple[IntVector, WeightedLists]:
    """Return the rows that occur often enough, and the sessions of their positions alone."""
    lists, weights = sessions.lists, sessions.weights
    counts = np.bincount(lists.values)
    rows = np.flatnonzero(counts >= min_count).astype(np.int32)
    position = np.full(len(counts), -1, dtype=np.int32)
    position[rows] = np.arange(len(rows), dtype=np.int32)
    values = position[lists.values]
    kept = values >= 0
    session = np.repeat(np.arange(len(lists)), lists.lengths)
    lengths = np.bincount(session[kept], minlength=len(lists))
    rest = Ragged.of(lengths, values[kept])
    return rows, WeightedLists(rest, None if weights is None else weights[kept])


def _matrices(
    model: SoftmaxModel, learnt: NDArray[np.int64], settings: SoftmaxConfig
) -> tuple[FloatMatrix, FloatMatrix]:
    vectors, outputs = model.vectors[learnt], model.outputs[learnt]
    if not settings.both_ways:
        return vectors, outputs
    return np.hstack([vectors, outputs]), np.hstack([outputs, vectors])


def _table(
    rows: IntVector,
    matrices: tuple[FloatMatrix, FloatMatrix],
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
