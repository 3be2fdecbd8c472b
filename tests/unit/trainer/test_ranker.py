from dataclasses import replace

import lightgbm
import numpy as np
import pytest

from artifacts.errors import ArtifactError, DataError
from artifacts.manifest import read_manifest
from artifacts.progress import SilentProgress
from artifacts.ranker import METRICS_NAME, Ranker
from artifacts.versions import VersionedRoot
from tests.made_ranking import ITEMS, SCHEMA, made_table
from trainer.config import EvaluateConfig
from trainer.list_gains import ListLengths, value_lists
from trainer.popularity_deciles import popularity_deciles
from trainer.ranker import RankerTask, read_report, train_ranker
from trainer.ranker_charts import write_ranker_charts
from trainer.ranker_comparison import RankerSettings
from trainer.ranker_config import RankerConfig
from trainer.ranker_parts import split_by_time
from trainer.ranker_report import RANKER

CONFIG = RankerConfig(rounds=30, early_stopping=5, min_data_in_leaf=5, leaves=7, threads=1)
SETTINGS = RankerSettings(CONFIG, EvaluateConfig(resamples=200))
POPULARITY = np.arange(1, ITEMS + 1, dtype=np.int32)
GAINS = (0.0, 1.0)


def made_task(**changes) -> RankerTask:
    table = made_table(240, missed=1)
    task = RankerTask(table, {"ranking_table": "t1"}, POPULARITY, SETTINGS)
    return replace(task, **changes)


def train(task: RankerTask, root: VersionedRoot):
    return train_ranker(task, root, progress=SilentProgress())


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return VersionedRoot(tmp_path_factory.mktemp("work") / "ranker")


@pytest.fixture(scope="module")
def folder(root):
    return train(made_task(), root)


@pytest.fixture(scope="module")
def report(folder):
    return read_report(folder)


def test_model_schema_and_report_are_sealed(folder, root):
    ranker = Ranker.open(folder)
    assert ranker.schema == SCHEMA
    assert ranker.lineage["inputs"] == {"ranking_table": "t1"}
    assert root.current(hint="").samefile(folder)
    details = read_manifest(folder, "ranker").details
    assert details["ndcg"] == read_report(folder).method(RANKER).ndcg.mean


def test_sealed_model_orders_as_the_report_says(folder, report):
    test = split_by_time(made_task().table, CONFIG).test
    booster = lightgbm.Booster(model_file=folder / "model.txt")
    scores = np.asarray(booster.predict(test.features))
    values = value_lists(test, scores, GAINS, ListLengths(10, 25))
    result = report.method(RANKER)
    assert booster.num_trees() == report.rounds
    assert result.ndcg.mean == pytest.approx(values.ndcg.mean())
    assert result.mrr.mean == pytest.approx(values.reciprocal.mean())
    assert result.hit_rate.mean == pytest.approx(values.hits.mean())


def test_report_compares_sources_fusions_and_trees(report):
    names = {result.method for result in report.methods}
    fusions = {fusion.method for fusion in report.fusions}
    assert len(fusions) == 3
    assert names == {RANKER, "good", "poor"} | fusions
    means = [result.ndcg.mean for result in report.methods]
    assert means == sorted(means, reverse=True)
    assert report.methods[0].method == RANKER
    assert report.best_fusion.less_than_ranker.low > 0
    assert report.relative is not None
    ratio = report.method(RANKER).ndcg.mean / report.best_fusion.ndcg.mean
    assert report.relative.mean == pytest.approx(ratio)
    assert report.relative.low > 1
    own = report.method(RANKER).less_than_ranker
    assert (own.mean, own.low, own.high) == (0, 0, 0)


def test_parts_are_counted_and_the_fusion_was_chosen_on_validation(report):
    parts = split_by_time(made_task().table, CONFIG)
    counts = {name: part.contexts for name, part in report.parts.items()}
    assert counts == {
        "train": len(parts.train),
        "validation": len(parts.validation),
        "test": len(parts.test),
    }
    chosen = [fusion.validation for fusion in report.fusions]
    assert chosen == sorted(chosen, reverse=True)


def test_ceiling_is_what_no_order_exceeds(report):
    test = split_by_time(made_task().table, CONFIG).test
    hits = int((test.labels > 0).sum())
    assert report.ceiling.recall == pytest.approx(hits / (hits + int(test.missed.sum())))
    assert report.ceiling.contexts == pytest.approx(1 - test.targets_missing.mean())
    best = value_lists(test, test.labels.astype(np.float64), GAINS, ListLengths(10, 25))
    assert report.ceiling.ndcg == pytest.approx(best.ndcg.mean())
    assert all(each.ndcg.mean <= report.ceiling.ndcg for each in report.methods)


def test_deciles_part_contexts_by_the_popularity_of_what_came_next(report):
    test = split_by_time(made_task().table, CONFIG).test
    hits = test.rows[test.labels > 0]
    cases = np.bincount(popularity_deciles(POPULARITY)[hits], minlength=10)
    assert [decile.cases for decile in report.deciles] == cases.tolist()
    for result in report.methods:
        gained = sum(mean * count for mean, count in zip(result.deciles, cases, strict=True))
        assert gained == pytest.approx(result.ndcg.mean * len(test))


def test_importances_name_every_feature_the_greatest_first(report):
    assert report.importances[0].feature == "telling"
    assert {each.feature for each in report.importances} == set(SCHEMA.names)
    assert sum(each.gain for each in report.importances) == pytest.approx(1)


def test_report_says_in_words_what_it_found(report):
    text = report.to_text()
    assert "NDCG@10" in text
    assert "MRR@25" in text
    assert f"ranker / {report.fusions[0].method}: " in text
    assert "candidates hold" in text


def test_charts_are_pictures(report, tmp_path):
    charts = write_ranker_charts(report, tmp_path / "charts")
    for path in (charts.importance, charts.deciles):
        assert path.read_bytes().startswith(b"\x89PNG")


def test_equal_tasks_have_one_version_and_threads_change_nothing(folder, root):
    before = (folder / "model.txt").stat().st_mtime_ns
    more = CONFIG.model_copy(update={"threads": 2})
    assert train(made_task(settings=replace(SETTINGS, ranker=more)), root) == folder
    assert (folder / "model.txt").stat().st_mtime_ns == before


def test_other_settings_inputs_or_schemas_are_other_versions():
    base = made_task()
    others = [
        made_task(settings=replace(SETTINGS, ranker=CONFIG.model_copy(update={"leaves": 8}))),
        made_task(inputs={"ranking_table": "t2"}),
        made_task(
            table=replace(base.table, schema=SCHEMA.model_copy(update={"version": 2})),
        ),
    ]
    assert len({task.id for task in (base, *others)}) == 4


def test_a_training_that_fails_leaves_nothing(tmp_path):
    root = VersionedRoot(tmp_path / "ranker")
    task = made_task()
    hopeless = replace(task.table, labels=np.zeros_like(task.table.labels))
    with pytest.raises(DataError, match="found none"):
        train(replace(task, table=hopeless), root)
    assert root.ids() == []
    assert not any((tmp_path / "ranker").iterdir())


def test_a_report_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ArtifactError, match=METRICS_NAME):
        read_report(tmp_path)
