import numpy as np
import pytest

from artifacts.neighbors import Neighbors, NeighborTable
from artifacts.relation import Relation
from indexer.backends import build_index
from indexer.config import FaissBuild, FaissConfig, FaissSearch, GateConfig
from indexer.gate import Recalls, Sampling, judge, measure_coverage, measure_recall, recall
from indexer.gate_report import GateReport, IndexRecall, SpaceWithout, TableCoverage
from indexer.index import Metric
from indexer.row_index import RowIndex
from tests.clusters import clustered
from tests.made_artifacts import embedding_table


def answers(rows: list[list[int]], scores: list[list[float]]) -> Neighbors:
    return Neighbors(np.array(rows, dtype=np.int32), np.array(scores, dtype=np.float32))


def test_recall_counts_the_share_of_true_hits():
    truth = answers([[1, 2, 3, 4], [5, 6, 7, 8]], [[9, 8, 7, 6], [4, 3, 2, 1]])
    found = answers([[1, 3, 9, 10], [5, 6, 7, 8]], [[9, 7, 5, 4], [4, 3, 2, 1]])
    assert recall(found, truth) == 6 / 8


def test_recall_takes_another_item_of_equal_score_for_a_hit():
    truth = answers([[1, 2]], [[9, 8]])
    assert recall(answers([[1, 7]], [[9, 8]]), truth) == 1.0


def test_recall_ignores_padding():
    truth = answers([[1, 2, -1]], [[9, 8, -np.inf]])
    assert recall(answers([[1, -1, -1]], [[9, -np.inf, -np.inf]]), truth) == 0.5
    nothing = answers([[-1, -1]], [[-np.inf, -np.inf]])
    assert recall(nothing, nothing) == 1.0


def recalls_with(nprobe: int, relation: Relation) -> Recalls:
    rows = np.arange(10, 4010, 2, dtype=np.int32)
    table = embedding_table(rows, clustered(2000, seed=1), clustered(2000, seed=2, skew=0.3))
    config = FaissConfig(build=FaissBuild(factory="IVF50,Flat"), search=FaissSearch(nprobe=nprobe))
    index = build_index(table.targets(relation), Metric.of(relation), config, seed=1, threads=1)
    popularity = np.zeros(4010, dtype=np.int32)
    return measure_recall(
        RowIndex(index, rows), table, relation, popularity=popularity, sampling=Sampling(150, 3)
    )


@pytest.mark.parametrize("relation", Relation)
def test_measured_recall_is_one_at_full_effort_and_less_at_little(relation: Relation):
    assert recalls_with(50, relation) == (1.0, None)
    little = recalls_with(1, relation).items
    assert little is not None
    assert little < 0.9


def test_recall_of_a_part_is_measured_within_the_part():
    table = embedding_table(range(600), clustered(600))
    part = np.arange(0, 600, 3, dtype=np.int32)
    index = build_index(
        table.vectors[part],
        Metric.COSINE,
        FaissConfig(build=FaissBuild(factory="IVF4,Flat"), search=FaissSearch(nprobe=4)),
        seed=1,
        threads=1,
    )
    measured = measure_recall(
        RowIndex(index, part),
        table,
        Relation.ALTERNATIVES,
        popularity=np.ones(600, dtype=np.int32),
        sampling=Sampling(999, 1),
    )
    assert measured == (1.0, 1.0)


def test_visits_tell_of_lists_that_are_wrong_for_the_popular_alone():
    """Most items ask within one cell; twenty best sellers ask from anywhere."""
    vectors = clustered(2000, seed=1)
    asking = vectors.copy()
    asking[:20] = np.random.default_rng(1).standard_normal((20, vectors.shape[1]))
    popularity = np.ones(2000, dtype=np.int32)
    popularity[:20] = 1000
    rows = np.arange(2000, dtype=np.int32)
    table = embedding_table(rows, asking, vectors)
    config = FaissConfig(build=FaissBuild(factory="IVF20,Flat"), search=FaissSearch(nprobe=4))
    index = build_index(vectors, Metric.INNER_PRODUCT, config, seed=1, threads=1)
    measured = measure_recall(
        RowIndex(index, rows),
        table,
        Relation.CONTINUATIONS,
        popularity=popularity,
        sampling=Sampling(200, 1),
    )
    assert measured.items is not None
    assert measured.visits is not None
    assert measured.items > 0.9 > 0.8 > measured.visits


def test_coverage_counts_items_with_at_least_one_neighbour():
    lists = NeighborTable(
        positions=np.array([0, -1, 1, 2], dtype=np.int32),
        rows=np.array([[2, -1], [-1, -1], [0, 2]], dtype=np.int32),
        scores=np.zeros((3, 2), dtype=np.float32),
    )
    found = measure_coverage(lists, "cf", Relation.ALTERNATIVES, catalogue_items=4)
    assert (found.items, found.share) == (2, 0.5)


def entry(value: float, of_visits: float | None = None) -> IndexRecall:
    return IndexRecall(
        space="cf",
        relation=Relation.ALTERNATIVES,
        category="Tea",
        kind="annoy",
        queries=9,
        recall=value,
        visit_recall=of_visits,
    )


def covered(share: float) -> TableCoverage:
    return TableCoverage(space="cf", relation=Relation.CONTINUATIONS, items=1, share=share)


def test_gate_passes_at_its_thresholds():
    report = judge(GateConfig(min_recall=0.9, min_coverage=0.5), [entry(0.9)], [covered(0.5)])
    assert report.passed
    assert report.failures == ()


def test_gate_names_every_threshold_that_was_missed():
    report = judge(
        GateConfig(min_recall=0.9, min_coverage=0.5),
        [entry(0.89), entry(0.95, 0.91), entry(0.1), entry(0.99, 0.6)],
        [covered(0.49)],
    )
    assert not report.passed
    assert len(report.failures) == 4
    assert "'Tea' (annoy): recall@10 of items 0.890 is below 0.900" in report.failures[0]
    assert "recall@10 of visits 0.600 is below 0.900" in report.failures[2]
    assert "cf continuations: 0.490 of the catalogue" in report.failures[3]


def test_report_survives_a_round_trip_through_json():
    without = [SpaceWithout(space="cf", categories=("Tea",))]
    report = judge(GateConfig(), [entry(0.5)], [covered(1)], without)
    assert GateReport.model_validate_json(report.model_dump_json()) == report
