"""The gate before publishing: recall against exact search, coverage, and what has changed."""

from collections.abc import Sequence

import numpy as np

from artifacts.embeddings import EmbeddingTable
from artifacts.neighbors import Neighbors, NeighborTable
from artifacts.relation import Relation
from indexer.backends import build_index
from indexer.config import ExactConfig, GateConfig
from indexer.difference_report import Difference
from indexer.gate_report import GateReport, IndexRecall, SpaceWithout, TableCoverage
from indexer.index import Metric
from indexer.row_index import RowIndex
from indexer.self_removal import without_self

RECALL_AT = 10
TIE_TOLERANCE = 1e-6
"""Relative difference of scores that are taken for equal."""


def measure_recall(
    index: RowIndex, table: EmbeddingTable, relation: Relation, *, queries: int, seed: int
) -> float:
    """Return recall@10 of an index for `queries` of its own items, the items left out.

    Cost: an exact search over the vectors of the index.
    """
    positions = table.positions(index.rows)
    size = min(queries, len(positions))
    sample = np.random.default_rng(seed).choice(len(positions), size, replace=False)
    own = np.asarray(index.rows)[sample]
    asked = np.ascontiguousarray(table.vectors[positions[sample]])
    vectors = table.targets(relation)
    if len(positions) < len(vectors):
        vectors = np.ascontiguousarray(vectors[positions])
    exact = build_index(vectors, Metric.of(relation), ExactConfig(), seed=0, threads=1)
    truth, found = (
        without_self(candidate.search(asked, RECALL_AT + 1), own, RECALL_AT)
        for candidate in (RowIndex(exact, index.rows), index)
    )
    return recall(found, truth)


def recall(found: Neighbors, truth: Neighbors) -> float:
    """Return the share of true hits found, a score as good as the worst true one being a hit.

    Returns 1 where there is nothing to find.
    """
    true_hits = truth.rows >= 0
    wanted = true_hits.sum(axis=1)  # (q,)
    worst = np.where(true_hits, truth.scores, np.inf).min(axis=1, keepdims=True)  # (q, 1)
    with np.errstate(invalid="ignore"):  # no true hit: inf - inf, and a comparison that is False
        good = found.scores >= worst - TIE_TOLERANCE * np.abs(worst)
    hits = np.minimum(good.sum(axis=1), wanted)
    return float(hits.sum() / wanted.sum()) if wanted.sum() else 1.0


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
        f"recall@{RECALL_AT} {entry.recall:.3f} is below {thresholds.min_recall:.3f}"
        for entry in recalls
        if entry.recall < thresholds.min_recall
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


def judge_difference(thresholds: GateConfig, difference: Difference | None) -> list[str]:
    """Return a sentence for each threshold that a difference breaks."""
    if difference is None:
        return []
    since = f"since {difference.before}"
    failures = [
        f"{table.space} {table.relation}: lists have {table.jaccard:.3f} in common {since}, which "
        f"is below {thresholds.min_overlap:.3f}"
        for table in difference.tables
        if table.both and table.jaccard < thresholds.min_overlap
    ]
    failures += [
        f"{table.space} {table.relation}: {table.lost_share:.3f} of the items with neighbours have "
        f"none any more {since}, which is above {thresholds.max_lost_share:.3f}"
        for table in difference.tables
        if table.lost_share > thresholds.max_lost_share
    ]
    if thresholds.max_lost_share < 1:
        failures += [f"{name}: the table is gone {since}" for name in difference.tables_lost]
    return failures
