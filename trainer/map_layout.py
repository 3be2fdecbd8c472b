"""Where the vectors of a space lie on a page."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from openTSNE import TSNE

from artifacts.arrays import FloatMatrix, IntVector, unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.progress import Progress
from trainer.content_config import MapConfig

EXAGGERATED_STEPS = 250
STEPS_BETWEEN_REPORTS = 50
FEWEST_POINTS = 4
NEIGHBOURS_BY_PERPLEXITY = 3
"""openTSNE asks for this many neighbours by unit of perplexity, and a point has m - 1."""


@dataclass(frozen=True, slots=True)
class MapLayout:
    """Points of a map.

    Attributes:
        rows: (m,) int32 vocabulary rows, ascending.
        positions: (m, 2) float64; distances mean something only between near points.
    """

    rows: IntVector
    positions: NDArray[np.float64]


def lay_out(table: EmbeddingTable, config: MapConfig, *, progress: Progress) -> MapLayout:
    """Place a sample of a space by t-SNE over cosine distances (Policar et al. 2024).

    Args:
        table: the space; its input vectors are drawn.
        config: how many points, and the knobs of t-SNE.
        progress: gets the steps of the descent.

    Raises:
        DataError: fewer than four vectors, or all of one direction.

    Cost: O(m log m) for neighbours, then O(m) a step.
    """
    chosen = _sample(len(table), config)
    vectors = unit_rows(np.asarray(table.vectors[chosen], dtype=np.float32))
    _check(vectors, table.space)
    progress.start(f"map {table.space}", total=EXAGGERATED_STEPS + config.iterations)

    def report(_step: int, _divergence: float, _positions: object) -> None:
        progress.advance(STEPS_BETWEEN_REPORTS)

    descent = TSNE(
        perplexity=min(config.perplexity, (len(vectors) - 1) / NEIGHBOURS_BY_PERPLEXITY),
        metric="cosine",
        early_exaggeration_iter=EXAGGERATED_STEPS,
        n_iter=config.iterations,
        n_jobs=config.workers,
        random_state=config.seed,
        callbacks=report,
        callbacks_every_iters=STEPS_BETWEEN_REPORTS,
    )
    positions = np.array(descent.fit(vectors), dtype=np.float64)
    progress.finish(f"{len(positions):,} of {len(table):,} items")
    return MapLayout(np.asarray(table.rows[chosen], dtype=np.int32), positions)


def _sample(items: int, config: MapConfig) -> NDArray[np.intp]:
    if items <= config.points:
        return np.arange(items)
    rng = np.random.default_rng(config.seed)
    return np.sort(rng.choice(items, config.points, replace=False))


def _check(vectors: FloatMatrix, space: str) -> None:
    if len(vectors) < FEWEST_POINTS:
        raise DataError(
            f"map of space {space!r}: expected at least {FEWEST_POINTS} vectors, got {len(vectors)}"
        )
    if np.ptp(vectors, axis=0).max() == 0:
        raise DataError(
            f"map of space {space!r}: expected vectors that differ, got {len(vectors)} of one "
            "direction"
        )
