import threading
from collections import defaultdict
from random import Random

import numpy as np
import pytest

from artifacts.relation import Relation
from retrieval.queries import NearItem, NeighborBatch, NeighborQuery
from retrieval.recommender import Recommender
from server.observation.recall_probe import WAITING, RecallProbe, Search, recall_of
from tests.shop import item_id


class Reports:
    def __init__(self) -> None:
        self.recalls: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.dropped = 0

    def report(self, space: str, relation: str, recall: float) -> None:
        self.recalls[space, relation].append(recall)

    def drop(self) -> None:
        self.dropped += 1


@pytest.fixture
def reports() -> Reports:
    return Reports()


def made_probe(reports: Reports, share: float = 1.0) -> RecallProbe:
    return RecallProbe(share, 10, reports.report, reports.drop, Random(5))


@pytest.fixture
def probe(reports):
    made = made_probe(reports)
    yield made
    made.close()


def true_scores(state, space, relation, query, rows=None) -> np.ndarray:
    """Score every vector by numpy, best first."""
    table = state.snapshot.spaces[space]
    targets = np.asarray(table.targets(relation), dtype=np.float64)
    if rows is not None:
        targets = targets[np.isin(table.rows, rows)]
    query = np.asarray(query, dtype=np.float64)
    if relation is Relation.ALTERNATIVES:
        targets = targets / np.linalg.norm(targets, axis=1, keepdims=True)
        query = query / np.linalg.norm(query)
    return np.sort(targets @ query)[::-1].astype(np.float32)


@pytest.mark.parametrize("relation", list(Relation))
def test_recall_is_the_share_of_the_true_neighbours(tiny_state, relation):
    query = np.asarray(tiny_state.snapshot.spaces["cf"].vectors[7], dtype=np.float32)
    true = true_scores(tiny_state, "cf", relation, query)
    for lost in range(11):
        # What is missed is replaced by what comes behind the true ones.
        scores = np.concatenate([true[: 10 - lost], true[20 : 20 + lost]])
        search = Search(tiny_state, "cf", relation, (), query, scores)
        assert recall_of(search) == pytest.approx(1 - lost / 10)


def test_categories_that_were_searched_are_what_is_compared_with(tiny_state):
    space, relation = "content", Relation.ALTERNATIVES
    table = tiny_state.snapshot.spaces[space]
    query = np.asarray(table.vectors[4], dtype=np.float32)
    codes = np.asarray(tiny_state.snapshot.catalog.category_codes)
    dairy = np.flatnonzero(codes == tiny_state.category_codes["Dairy"])
    true = true_scores(tiny_state, space, relation, query, dairy)[:10]
    assert recall_of(Search(tiny_state, space, relation, ("Dairy",), query, true)) == 1.0
    among_all = recall_of(Search(tiny_state, space, relation, (), query, true))
    assert among_all is not None
    assert among_all < 1.0


def test_equal_scores_count_as_found_and_missing_hits_do_not(tiny_state):
    query = np.asarray(tiny_state.snapshot.spaces["cf"].vectors[7], dtype=np.float32)
    true = true_scores(tiny_state, "cf", Relation.ALTERNATIVES, query)[:10]
    same = np.full(10, true[9], dtype=np.float32)
    search = Search(tiny_state, "cf", Relation.ALTERNATIVES, (), query, same)
    assert recall_of(search) == 1.0
    short = np.where(np.arange(10) < 4, true, -np.inf).astype(np.float32)
    assert recall_of(search._replace(scores=short)) == pytest.approx(0.4)
    assert recall_of(search._replace(scores=short[:0])) is None


def test_searches_of_callers_are_compared_and_answered_as_before(
    tiny_state, tiny_configs, tiny_recommender, probe, reports
):
    watched = Recommender(probe.watched(tiny_state), tiny_configs)
    queries = [NeighborQuery(NearItem(item_id(row))) for row in (0, 2, 3, 4, 5)]
    batch = NeighborBatch(queries, relation=Relation.ALTERNATIVES)
    for query in queries:
        one = batch._replace(queries=[query])
        assert watched.neighbors(one) == tiny_recommender.neighbors(one)
        probe.settle()
    assert reports.recalls == {("cf", "alternatives"): [1.0] * 5}
    assert reports.dropped == 0


def test_sample_has_the_share_that_was_asked_for(tiny_state, reports):
    probe = made_probe(reports, share=0.25)
    index = probe.watched(tiny_state).indices["cf", Relation.ALTERNATIVES]
    vectors = np.ascontiguousarray(tiny_state.snapshot.spaces["cf"].vectors[:1], dtype=np.float32)
    for _ in range(400):
        index.search(vectors, 5)
        probe.settle()
    probe.close()
    assert 70 <= len(reports.recalls["cf", "alternatives"]) <= 130


def test_busy_probe_drops_searches_and_holds_nobody_up(tiny_state, reports):
    entered, gate = threading.Event(), threading.Event()

    def slowly(space: str, relation: str, recall: float) -> None:
        entered.set()
        assert gate.wait(20)
        reports.report(space, relation, recall)

    probe = RecallProbe(1.0, 10, slowly, reports.drop, Random(5))
    index = probe.watched(tiny_state).indices["cf", Relation.ALTERNATIVES]
    vectors = np.ascontiguousarray(tiny_state.snapshot.spaces["cf"].vectors[:1], dtype=np.float32)
    index.search(vectors, 5)
    assert entered.wait(20)
    for _ in range(WAITING + 3):
        index.search(vectors, 5)
    assert reports.dropped == 3
    gate.set()
    probe.settle()
    probe.close()
    assert len(reports.recalls["cf", "alternatives"]) == WAITING + 1


def test_bug_in_a_comparison_does_not_end_the_probe(tiny_state, reports, caplog):
    calls = []

    def fails_once(space: str, relation: str, recall: float) -> None:
        calls.append(recall)
        if len(calls) == 1:
            raise KeyError("bug")

    probe = RecallProbe(1.0, 10, fails_once, reports.drop, Random(5))
    index = probe.watched(tiny_state).indices["cf", Relation.ALTERNATIVES]
    vectors = np.ascontiguousarray(tiny_state.snapshot.spaces["cf"].vectors[:2], dtype=np.float32)
    index.search(vectors, 5)
    probe.settle()
    probe.close()
    assert calls == [1.0, 1.0]
    assert "search not compared space=cf" in caplog.text
