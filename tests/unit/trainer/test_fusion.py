"""Fusions are held against those that are served."""

from dataclasses import replace

import numpy as np
import pytest

from artifacts.ranking_table import RankingTable
from retrieval.mixing.method import Mixing
from retrieval.mixing.rank_fusion import fuse_ranks as served_fusion
from retrieval.mixing.round_robin import round_robin
from retrieval.mixing.weighted_list import Pick, WeightedList
from tests.made_ranking import made_table
from trainer.fusion import Fusion, FusionKind, choose_fusion, source_scores
from trainer.list_gains import UNLISTED, ListLengths, value_lists

GAINS = (0.0, 1.0)
EVERYTHING = 1_000


def lists_of(table: RankingTable, context: int, weights: tuple[float, ...]) -> list[WeightedList]:
    """Return the lists of a context as mixing takes them."""
    own = slice(table.offsets[context], table.offsets[context + 1])
    rows, ranks = table.rows[own], table.ranks[own]
    lists = []
    for source, weight in enumerate(weights):
        held = np.flatnonzero(ranks[:, source])
        best_first = held[np.argsort(ranks[held, source])]
        lists.append(WeightedList(rows[best_first].tolist(), weight))
    return lists


def picked(lists: list[WeightedList], picks: list[Pick]) -> list[int]:
    return [lists[pick.list].rows[pick.place] for pick in picks]


def ordered(table: RankingTable, context: int, scores: np.ndarray) -> list[int]:
    own = range(table.offsets[context], table.offsets[context + 1])
    listed = sorted((i for i in own if scores[i] > UNLISTED), key=lambda i: (-scores[i], i))
    return [int(table.rows[i]) for i in listed]


@pytest.mark.parametrize("weights", [(1.0, 1.0), (4.0, 0.25), (0.0, 2.0)])
def test_fusion_of_ranks_is_the_one_that_is_served(weights):
    table = made_table(40)
    scores = Fusion(FusionKind.WEIGHTED, weights).scores(table)
    for context in range(len(table)):
        lists = lists_of(table, context, weights)
        assert ordered(table, context, scores) == picked(lists, served_fusion(lists, EVERYTHING))


def test_scores_of_a_fusion_are_sums_of_reciprocal_ranks():
    table = made_table(3)
    scores = Fusion(FusionKind.RANKS, (1.0, 1.0)).scores(table)
    for ranks, score in zip(table.ranks.tolist(), scores.tolist(), strict=True):
        expected = sum(1 / (60 + rank) for rank in ranks if rank)
        assert score == (pytest.approx(expected) if expected else UNLISTED)


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.2, 0.7), (0.0, 1.0)])
def test_turns_are_those_that_are_served(weights):
    table = made_table(40)
    scores = Fusion(FusionKind.TURNS, weights).scores(table)
    for context in range(len(table)):
        lists = lists_of(table, context, weights)
        assert ordered(table, context, scores) == picked(lists, round_robin(lists, EVERYTHING))


def test_every_kind_of_fusion_has_its_way_to_mix():
    assert {Mixing.ROUND_ROBIN, Mixing.WEIGHTED} <= set(Mixing)
    assert len(FusionKind) == 3  # equal weights, chosen weights, turns


def test_a_source_alone_leaves_out_what_it_does_not_hold():
    table = made_table(40)
    scores = source_scores(table, 1)
    np.testing.assert_array_equal(scores == UNLISTED, table.ranks[:, 1] == 0)
    for context in range(len(table)):
        assert ordered(table, context, scores) == lists_of(table, context, (0, 1))[1].rows


def test_chosen_fusion_heeds_the_better_source_and_beats_equal_weights():
    table = made_table(300)
    choice = choose_fusion(table, GAINS, 10)
    by_kind = dict(zip((each.kind for each in choice.fusions), choice.ndcg, strict=True))
    weighted = next(each for each in choice.fusions if each.kind is FusionKind.WEIGHTED)
    assert weighted.weights[0] > weighted.weights[1]
    assert by_kind[FusionKind.WEIGHTED] > by_kind[FusionKind.RANKS]
    assert list(choice.ndcg) == sorted(choice.ndcg, reverse=True)
    for fusion, ndcg in zip(choice.fusions, choice.ndcg, strict=True):
        values = value_lists(table, fusion.scores(table), GAINS, ListLengths(10, 10))
        assert ndcg == pytest.approx(values.ndcg.mean())


def test_contexts_without_a_hit_count_in_the_choice():
    table = made_table(50)
    hopeless = replace(table, labels=np.zeros_like(table.labels))
    assert choose_fusion(hopeless, GAINS, 10).ndcg == (0, 0, 0)
