from dataclasses import replace

import pytest

from artifacts.errors import DataError
from artifacts.ranking_table import RankingTable
from benchmarks.ltr_bars import bar_line, our_ndcg, plain_ndcg, read_libsvm
from tests.made_ranking import made_table
from trainer.ranker_config import RankerConfig

LINES = "2 1:0.5 300:1.5\n0 2:1\n1 1:0.25\n"


def test_queries_and_features_are_read_as_written(tmp_path):
    (tmp_path / "rank.train").write_text(LINES)
    (tmp_path / "rank.train.query").write_text("2\n1\n")
    table = read_libsvm(tmp_path / "rank.train")
    assert table.labels.tolist() == [2, 0, 1]
    assert table.offsets.tolist() == [0, 2, 3]
    assert table.features[0, [0, 1, 2, 300]].tolist() == [0, 0.5, 0, 1.5]


def test_sizes_that_do_not_add_up_are_refused(tmp_path):
    (tmp_path / "rank.train").write_text(LINES)
    (tmp_path / "rank.train.query").write_text("2\n")
    with pytest.raises(DataError, match="expected 2 lines, got 3"):
        read_libsvm(tmp_path / "rank.train")


def test_two_sides_agree_where_every_query_has_a_hit():
    config = RankerConfig(rounds=5, early_stopping=0, min_data_in_leaf=5, leaves=4, threads=1)
    train, test = (_hit(made_table(60, seed=seed, grades=4)) for seed in (0, 1))
    ours, plain = our_ndcg(train, test, config), plain_ndcg(train, test, config)
    assert ours == pytest.approx(plain)
    assert bar_line(ours, plain).endswith("met")


def test_a_difference_is_told():
    assert bar_line(0.7, 0.70001).endswith("NOT met")


def _hit(table: RankingTable) -> RankingTable:
    labels = table.labels.copy()
    labels[table.offsets[:-1]] = 4
    return replace(table, labels=labels)
