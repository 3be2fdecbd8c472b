"""Our trees are held against those of LightGBM itself."""

from dataclasses import replace

import lightgbm
import numpy as np
import pytest

from artifacts.errors import ArtifactError, ConfigError, DataError
from artifacts.progress import SilentProgress
from artifacts.ranker import FeatureSchema
from artifacts.ranking_table import RankingTable
from tests.made_ranking import SCHEMA, made_table
from trainer.list_gains import ListLengths, value_lists
from trainer.ranker_config import PositionBiasConfig, RankerConfig
from trainer.ranker_model import FittedRanker, fit_ranker
from trainer.ranker_parts import take_contexts

CONFIG = RankerConfig(rounds=40, early_stopping=8, min_data_in_leaf=5, leaves=7, threads=1)


def fit(train: RankingTable, validation: RankingTable, config=CONFIG) -> FittedRanker:
    return fit_ranker(train, validation, config, progress=SilentProgress())


def plain_booster(train: RankingTable, validation: RankingTable) -> lightgbm.Booster:
    """Return what LightGBM makes of the tables, under parameters written out here."""
    sets: list[lightgbm.Dataset] = []
    for table in (train, validation):
        sets.append(
            lightgbm.Dataset(
                table.features,
                label=table.labels.astype(np.float32),
                group=table.sizes,
                reference=sets[0] if sets else None,
                feature_name=["telling", "noise", "rare"],
            )
        )
    parameters = {
        "objective": "lambdarank",
        "metric": "ndcg",
        "eval_at": [10],
        "label_gain": [0.0, 1.0, 3.0],
        "lambdarank_truncation_level": 30,
        "learning_rate": 0.05,
        "num_leaves": 7,
        "min_data_in_leaf": 5,
        "lambda_l2": 1.0,
        "feature_fraction": 0.8,
        "seed": 1,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        "monotone_constraints": [1, 0, 0],
    }
    stop = lightgbm.early_stopping(8, verbose=False)
    return lightgbm.train(parameters, sets[0], 40, valid_sets=[sets[1]], callbacks=[stop])


@pytest.fixture(scope="module")
def tables():
    return made_table(150, grades=2), made_table(60, seed=1, grades=2)


@pytest.fixture(scope="module")
def fitted(tables):
    return fit(*tables)


def test_trees_are_byte_for_byte_those_of_lightgbm(tables, fitted):
    plain = plain_booster(*tables)
    assert fitted.rounds == plain.best_iteration
    assert fitted.text == plain.model_to_string(num_iteration=plain.best_iteration)
    expected = plain.predict(tables[1].features)
    np.testing.assert_array_equal(fitted.scores(tables[1]), expected)


def test_validation_ndcg_of_lightgbm_is_ours_but_for_contexts_without_a_hit(tables, fitted):
    validation = tables[1]
    gains, lengths = CONFIG.gains_of(2), ListLengths(10, 10)
    ndcg = value_lists(validation, fitted.scores(validation), gains, lengths).ndcg
    hitless = validation.targets_missing
    assert hitless.any()
    assert not ndcg[hitless].any()
    theirs = plain_booster(*tables).best_score["valid_0"]["ndcg@10"]
    assert np.where(hitless, 1, ndcg).mean() == pytest.approx(theirs)
    assert fitted.ndcg(validation, CONFIG) == pytest.approx(ndcg.mean())


def test_contexts_that_missed_all_are_left_out(tables):
    missed = []
    for table in tables:
        lost = np.zeros_like(table.missed)
        lost[table.targets_missing, 0] = 1
        missed.append(replace(table, missed=lost))
    hit = [take_contexts(each, np.flatnonzero(~each.targets_missing)) for each in tables]
    assert fit(missed[0], missed[1]).text == fit(hit[0], hit[1]).text


def test_trees_order_better_than_the_sources(fitted):
    test = made_table(100, seed=2, grades=2)
    gains, lengths = CONFIG.gains_of(2), ListLengths(10, 10)
    by_source = np.where(test.ranks[:, 0] > 0, -test.ranks[:, 0].astype(np.float64), -np.inf)
    ours, theirs = (
        value_lists(test, scores, gains, lengths).ndcg.mean()
        for scores in (fitted.scores(test), by_source)
    )
    assert ours > theirs + 0.1


def test_trees_do_not_depend_on_threads(tables, fitted):
    many = fit(tables[0], tables[1], config=CONFIG.model_copy(update={"threads": 2}))
    np.testing.assert_array_equal(many.scores(tables[1]), fitted.scores(tables[1]))


def test_seed_decides_which_features_a_tree_may_use(tables, fitted):
    again = fit(*tables)
    other = fit(tables[0], tables[1], config=CONFIG.model_copy(update={"seed": 2}))
    assert again.text == fitted.text
    assert other.text != fitted.text


def test_more_of_a_monotone_feature_is_never_worse(fitted):
    table = made_table(20, seed=3, grades=2)
    features = np.repeat(table.features[:50], 40, axis=0)
    features[:, 0] = np.tile(np.linspace(-3, 3, 40), 50)
    scores = fitted.booster.predict(features, num_iteration=fitted.rounds).reshape(50, 40)
    assert (np.diff(scores, axis=1) >= 0).all()
    assert (scores[:, -1] > scores[:, 0]).all()


def test_constraints_can_be_left_out(tables):
    free = fit(tables[0], tables[1], config=CONFIG.model_copy(update={"monotone": False}))
    assert "monotone_constraints: \n" in free.text or "[monotone_constraints: ]" in free.text


def test_all_rounds_are_made_where_nothing_ends_them(tables):
    whole = fit(
        tables[0], tables[1], config=CONFIG.model_copy(update={"rounds": 12, "early_stopping": 0})
    )
    assert whole.rounds == whole.booster.num_trees() == 12


def test_what_was_missed_weighs_a_context_down(tables):
    train, validation = tables
    missing = made_table(150, grades=2, missed=3)
    np.testing.assert_array_equal(missing.features, train.features)
    assert fit(missing, validation).text != fit(train, validation).text


def test_validation_ndcg_counts_what_was_missed():
    train, validation = made_table(150, missed=2), made_table(60, seed=1, missed=2)
    fitted = fit(train, validation)
    hit = take_contexts(validation, np.flatnonzero(~validation.targets_missing))
    values = value_lists(hit, fitted.scores(hit), (0.0, 1.0), ListLengths(10, 10))
    alone = replace(hit, missed=np.zeros_like(hit.missed))
    share = value_lists(hit, hit.labels.astype(np.float64), (0.0, 1.0), ListLengths(10, 10)).ndcg
    unweighed = value_lists(alone, fitted.scores(alone), (0.0, 1.0), ListLengths(10, 10)).ndcg
    assert values.ndcg == pytest.approx(share * unweighed)
    assert share.min() < 1


def test_places_of_a_shown_list_are_learnt_apart(tables):
    biased = CONFIG.model_copy(update={"position_bias": PositionBiasConfig(source="poor")})
    assert fit(tables[0], tables[1], config=biased).scores(tables[1]) != pytest.approx(
        fit(*tables).scores(tables[1])
    )


def test_a_source_that_was_not_gathered_is_no_place(tables):
    biased = CONFIG.model_copy(update={"position_bias": PositionBiasConfig(source="shown")})
    with pytest.raises(ConfigError, match=r"expected one of \['good', 'poor'\], got 'shown'"):
        fit(tables[0], tables[1], config=biased)


def test_no_hit_at_all_is_refused(tables):
    train, validation = tables
    hopeless = replace(train, labels=np.zeros_like(train.labels))
    with pytest.raises(DataError, match=r"expected candidates that came next, found none in 150"):
        fit(hopeless, validation)
    hopeless = replace(validation, labels=np.zeros_like(validation.labels))
    with pytest.raises(DataError, match=r"found none in 60 context"):
        fit(train, hopeless)


def test_one_context_to_learn_from_is_enough(tables):
    train, validation = tables
    hits = np.flatnonzero(~train.targets_missing)
    config = CONFIG.model_copy(update={"min_data_in_leaf": 1})
    largest = hits[np.argmax(train.sizes[hits])]
    assert fit(take_contexts(train, np.array([largest])), validation, config).rounds >= 1


def test_features_that_are_the_same_for_all_are_refused(tables):
    constant = [replace(each, features=np.ones_like(each.features)) for each in tables]
    with pytest.raises(DataError, match="expected a feature that tells candidates apart"):
        fit(constant[0], constant[1])


def test_one_constant_feature_is_no_fault(tables):
    changed = []
    for table in tables:
        features = table.features.copy()
        features[:, 1] = 7
        changed.append(replace(table, features=features))
    fitted = fit(changed[0], changed[1])
    assert fitted.importance("split")[1] == 0


def test_labels_that_are_no_grades_are_refused(tables):
    train, validation = tables
    absent = train.labels.astype(np.float32)
    absent[3] = np.nan
    with pytest.raises(DataError, match="expected grades of int8, got float32"):
        fit(replace(train, labels=absent), validation)
    for wrong in (-1, 3):
        labels = train.labels.copy()
        labels[0] = wrong
        with pytest.raises(DataError, match="expected grades from 0 to 2"):
            fit(replace(train, labels=labels), validation)


def test_infinite_features_are_refused_by_name(tables):
    train, validation = tables
    features = train.features.copy()
    features[5, 1] = np.inf
    with pytest.raises(DataError, match=r"feature 'noise'.* infinity in 1 row\(s\), .* row 5"):
        fit(replace(train, features=features), validation)


def test_tables_of_another_schema_are_refused(tables, fitted):
    train, validation = tables
    other = FeatureSchema(version=2, features=SCHEMA.features, sources=SCHEMA.sources)
    with pytest.raises(ArtifactError, match="of one schema"):
        fit(train, replace(validation, schema=other))
    with pytest.raises(
        ArtifactError, match=f"{SCHEMA.fingerprint}, got one of {other.fingerprint}"
    ):
        fitted.scores(replace(validation, schema=other))


def test_a_table_without_candidates_has_no_scores(tables, fitted):
    empty = take_contexts(tables[0], np.array([], dtype=np.int64))
    assert fitted.scores(empty).shape == (0,)
