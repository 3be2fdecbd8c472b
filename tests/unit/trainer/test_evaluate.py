from collections import Counter

import numpy as np
import pytest

from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.progress import SilentProgress
from tests.made_artifacts import embedding_table
from tests.made_sessions import prepare_sessions, read_sessions, themed_sessions
from trainer.config import EvaluateConfig, Prod2VecConfig
from trainer.evaluate import EvaluationReport, evaluate, last_steps
from trainer.prod2vec import fit_prod2vec

CONFIG = EvaluateConfig(k=5, resamples=200)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    return prepare_sessions(folder, themed_sessions(500), split={"kind": "random", "fraction": 0.3})


@pytest.fixture(scope="module")
def table(prepared, tmp_path_factory) -> EmbeddingTable:
    config = Prod2VecConfig(dimensions=16, epochs=10, negative=5, workers=1)
    folder = tmp_path_factory.mktemp("fit")
    return fit_prod2vec(prepared, config, folder, progress=SilentProgress())


@pytest.fixture(scope="module")
def report(prepared, table) -> EvaluationReport:
    return evaluate(prepared, table, CONFIG, progress=SilentProgress())


def test_case_is_the_last_step_of_every_heldout_session(prepared):
    cases = last_steps(prepared)
    sessions = read_sessions(prepared.heldout_sessions, prepared).values()
    steps = zip(prepared.items.ids(cases.queries), prepared.items.ids(cases.targets), strict=True)
    assert list(steps) == [(items[-2], items[-1]) for items in sessions]


def test_methods_are_compared_best_first(report):
    assert {result.method for result in report.methods} == {
        "cf continuations",
        "cf alternatives",
        "co-occurrence",
        "item-kNN",
        "AR",
        "SR",
        "most popular",
    }
    means = [result.mrr.mean for result in report.methods]
    assert means == sorted(means, reverse=True)
    assert len(report.differences) == 21
    assert all(pair.mrr.mean >= 0 for pair in report.differences)


def test_most_popular_agrees_with_a_plain_count(prepared, report):
    train = read_sessions(prepared.train_sessions, prepared).values()
    counts = Counter(item for items in train for item in set(items))
    total = 0.0
    heldout = read_sessions(prepared.heldout_sessions, prepared).values()
    for *_, query, target in heldout:
        if target in counts and query in counts:
            rank = sum(
                counts[item] >= counts[target] for item in counts if item not in (query, target)
            )
            total += 1 / (rank + 1) if rank < 5 else 0
    (result,) = (result for result in report.methods if result.method == "most popular")
    assert result.mrr.mean == pytest.approx(total / len(heldout))
    assert report.sessions == len(heldout)


def test_themes_are_learned(report):
    scores = {result.method: result for result in report.methods}
    assert scores["cf continuations"].mrr.low > 2 * scores["most popular"].mrr.high
    assert scores["most popular"].coverage < 0.1 < scores["cf continuations"].coverage


def test_deciles_part_items_and_cases(prepared, report):
    popularity = np.asarray(prepared.catalog.popularity)
    assert sum(decile.items for decile in report.deciles) == np.count_nonzero(popularity)
    lowest = [decile.lowest for decile in report.deciles]
    assert lowest == sorted(lowest)
    known = sum(decile.cases for decile in report.deciles)
    for result in report.methods:
        weighted = sum(
            decile.cases * score.mrr
            for decile, score in zip(report.deciles, result.deciles, strict=True)
        )
        assert weighted / report.cases == pytest.approx(result.mrr.mean)
    assert known == sum(popularity[last_steps(prepared).targets] > 0)


def test_popular_lists_are_less_novel_and_less_even(report):
    popular, vectors = report.method("most popular"), report.method("cf continuations")
    assert popular.novelty < vectors.novelty
    assert popular.gini > vectors.gini


def test_differences_can_be_asked_either_way(report):
    there = report.difference("SR", "AR")
    back = report.difference("AR", "SR")
    assert (there.mean, there.low, there.high) == (-back.mean, -back.high, -back.low)


def test_intervals_hold_their_means(report):
    for interval in [result.mrr for result in report.methods] + [
        pair.mrr for pair in report.differences
    ]:
        assert interval.low <= interval.mean <= interval.high
        assert interval.excludes_zero == (interval.low > 0 or interval.high < 0)


def test_unknown_items_score_nothing(prepared):
    one = np.ones((1, 4), dtype=np.float32)
    alone = embedding_table([0], one, one)
    report = evaluate(prepared, alone, CONFIG, progress=SilentProgress())
    worst = {result.method: result for result in report.methods}["cf continuations"]
    assert (worst.mrr.mean, worst.hit_rate.mean, worst.coverage) == (0, 0, 0)


def test_symmetric_spaces_have_alternatives_alone(prepared, table):
    symmetric = embedding_table(table.rows, table.vectors)
    report = evaluate(prepared, symmetric, CONFIG, progress=SilentProgress())
    assert "cf continuations" not in {result.method for result in report.methods}


def test_small_blocks_give_the_same_report(prepared, table, report, monkeypatch):
    monkeypatch.setattr("trainer.evaluate.MEGABYTE", 1)
    assert evaluate(prepared, table, CONFIG, progress=SilentProgress()) == report


def test_report_reads_as_a_table_and_as_json(report):
    text = report.to_text()
    lines = text.splitlines()
    assert "MRR@5" in lines[1]
    starts = [result.method for result in report.methods]
    assert [line[: len(name)] for line, name in zip(lines[2:], starts, strict=False)] == starts
    assert EvaluationReport.model_validate(report.to_json()) == report


def test_nothing_held_out_is_an_error(tmp_path, table):
    prepared = prepare_sessions(tmp_path, themed_sessions(20), split={"kind": "none"})
    with pytest.raises(DataError, match=r"no session to evaluate on; see \[prepare.split\]"):
        evaluate(prepared, table, CONFIG, progress=SilentProgress())


def test_vectors_of_another_vocabulary_are_an_error(prepared):
    one = np.ones((1, 4), dtype=np.float32)
    with pytest.raises(DataError, match="row 5000 in a vocabulary"):
        evaluate(prepared, embedding_table([5_000], one), CONFIG, progress=SilentProgress())
