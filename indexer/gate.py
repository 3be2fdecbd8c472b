"""The gate before publishing: recall against exact search, coverage, and what has changed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from artifacts.arrays import FloatVector, IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.neighbors import Neighbors, NeighborTable
from artifacts.relation import Relation
from indexer.backends import build_index
from indexer.config import ExactConfig, GateConfig
from indexer.difference_gate import judge_difference
from indexer.difference_report import Difference
from indexer.gate_report import GateReport, IndexRecall, SpaceWithout, TableCoverage
from indexer.index import Metric
from indexer.query_samples import QuerySample, even_sample, visited_sample
from indexer.row_index import RowIndex
from indexer.self_removal import without_self

RECALL_AT = 10
TIE_TOLERANCE = 1e-6
"""Relative difference of scores that are taken for equal."""


class Sampling(NamedTuple):
    """How queries are drawn: how many of them, and the seed of the draw."""

    queries: int
    seed: int


class Recalls(NamedTuple):
    """Recall@10 of one index, the item that asks left out.

    Attributes:
        items: mean over its items; None where it was not measured.
        visits: mean over visits, of which popular items have more; None also where none was visited.
    """

    items: float | None
    visits: float | None


def measure_recall(
    index: RowIndex,
    table: EmbeddingTable,
    relation: Relation,
    *,
    popularity: IntVector,
    sampling: Sampling,
) -> Recalls:
    """Measure the recall of an index, asked with its own items.

    Args:
        index: an index over vectors of `table`.
        table: the space.
        relation: what neighbours mean.
        popularity: (n,) sessions that hold an item, by vocabulary row.
        sampling: how queries are drawn.

    Cost: an exact search over the vectors of the index, for each of the two samples.
    """
    rows = np.asarray(index.rows)
    positions = table.positions(rows)
    vectors = table.targets(relation)
    if len(positions) < len(vectors):
        vectors = np.ascontiguousarray(vectors[positions])
    exact = build_index(vectors, Metric.of(relation), ExactConfig(), seed=0, threads=1)

    def measured(sample: QuerySample) -> float:
        own = rows[sample.places]
        asked = np.ascontiguousarray(table.vectors[positions[sample.places]])
        truth, found = (
            without_self(candidate.search(asked, RECALL_AT + 1), own, RECALL_AT)
            for candidate in (RowIndex(exact, rows), index)
        )
        return recall(found, truth, sample.weights)

    rng = np.random.default_rng(sampling.seed)
    items = measured(even_sample(len(rows), sampling.queries, rng))
    visited = visited_sample(np.asarray(popularity)[rows], sampling.queries, rng)
    return Recalls(items, None if visited is None else measured(visited))


def recall(found: Neighbors, truth: Neighbors, weights: FloatVector | None = None) -> float:
    """Return the share of true hits found, a score as good as the worst true one being a hit.

    Args:
        found: (q, k) answers.
        truth: (q, k) what exact search answers.
        weights: (q,) how much each query counts; without them all count alike.

    Returns 1 where there is nothing to find.
    """
    true_hits = truth.rows >= 0
    wanted = true_hits.sum(axis=1)  # (q,)
    worst = np.where(true_hits, truth.scores, np.inf).min(axis=1, keepdims=True)  # (q, 1)
    with np.errstate(invalid="ignore"):  # no true hit: inf - inf, and a comparison that is False
        good = found.scores >= worst - TIE_TOLERANCE * np.abs(worst)
    hits = np.minimum(good.sum(axis=1), wanted)
    counts = np.ones(len(wanted)) if weights is None else weights.astype(np.float64)
    whole = float(counts @ wanted)
    return float(counts @ hits) / whole if whole else 1.0


def measure_coverage(
    table: NeighborTable, space: str, relation: Relation, *, catalogue_items: int
) -> TableCoverage:
    """Count the items that have at least one precomputed neighbour."""
    covered = int((table.rows[:, 0] >= 0).sum())
    share = covered / catalogue_items if catalogue_items else 0.0
    return TableCoverage(space=space, relation=relation, items=covered, share=share)


def judge(
    thresholds: GateConfig,
    recalls: Sequence[IndexRecall],
    coverage: Sequence[TableCoverage],
    without_vectors: Sequence[SpaceWithout] = (),
    *,
    difference: Difference | None = None,
) -> GateReport:
    """Hold measurements against thresholds."""
    failures = [
        f"{entry.space} {entry.relation}, category {entry.category!r} ({entry.kind}): "
        f"recall@{RECALL_AT} {over} {value:.3f} is below {thresholds.min_recall:.3f}"
        for entry in recalls
        for over, value in (("of items", entry.recall), ("of visits", entry.visit_recall))
        if value is not None and value < thresholds.min_recall
    ]
    failures += [
        f"{entry.space} {entry.relation}: {entry.share:.3f} of the catalogue has neighbours, "
        f"which is below {thresholds.min_coverage:.3f}"
        for entry in coverage
        if entry.share < thresholds.min_coverage
    ]
    failures += judge_difference(thresholds, difference)
    return GateReport(
        passed=not failures,
        failures=tuple(failures),
        thresholds=thresholds,
        recalls=tuple(recalls),
        coverage=tuple(coverage),
        without_vectors=tuple(without_vectors),
        difference=difference,
    )
