"""What weights of kinds may and may not do to sequences, pairs and shared sessions."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artifacts.arrays import FloatMatrix
from artifacts.errors import DataError
from artifacts.prepared import TRAIN_NAME, Prepared
from artifacts.progress import SilentProgress
from tests.made_lists import ragged
from tests.made_metadata import prepare_metadata_shop
from tests.made_users import write_sessions
from trainer.config import Prod2VecConfig
from trainer.corpus import MOST_REPEATS, Corpus, write_corpus
from trainer.covisitation import count_covisitation
from trainer.meta import fit_meta, read_columns
from trainer.meta_config import MetaConfig
from trainer.pair_counts import count_pairs
from trainer.prod2vec import fit_prod2vec
from trainer.softmax_config import SoftmaxConfig
from trainer.tables_config import CovisitationConfig
from trainer.weighted_lists import WeightedLists, read_weighted_lists

ITEMS = 6
VIEW, PURCHASE = 0, 1
Events = list[list[tuple[int, int]]]
"""Sessions of items and kinds."""

events = st.lists(
    st.lists(st.tuples(st.integers(0, ITEMS - 1), st.sampled_from([VIEW, PURCHASE])), min_size=1),
    min_size=1,
    max_size=6,
)
steps = st.integers(1, MOST_REPEATS)
quick = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def written(path: Path, made: Events, weights: tuple[float, float]) -> Path:
    rows = [
        {
            "session_id": f"s{number:02d}",
            "items": [item for item, _ in session],
            "weights": [weights[kind] for _, kind in session],
        }
        for number, session in enumerate(made)
    ]
    return write_sessions(path / "s.parquet", rows)


def pairs_of(lists: WeightedLists, exponent: float = 0.0) -> dict[tuple[int, int], float]:
    pairs = count_pairs(
        lists.lists, ITEMS, window=3, distance_exponent=exponent, weights=lists.weights
    )
    items = np.repeat(np.arange(ITEMS), np.diff(pairs.starts))
    counts = pairs.shares.astype(np.float64) * pairs.totals[items]
    return dict(zip(zip(items.tolist(), pairs.columns.tolist(), strict=True), counts, strict=True))


def scores_of(lists: WeightedLists, distance: str) -> dict[tuple[int, int], float]:
    config = CovisitationConfig.model_validate({"distance": distance, "threads": 1})
    table = count_covisitation(lists, ITEMS, config, progress=SilentProgress())
    items = np.repeat(np.arange(ITEMS), table.neighbors.lengths)
    found = zip(items.tolist(), table.neighbors.values.tolist(), strict=True)
    return dict(zip(found, table.scores.tolist(), strict=True))


def lines_of(corpus: Corpus) -> list[list[int]]:
    return [[int(row) for row in line.split()] for line in corpus.path.read_text().splitlines()]


def corpus_of(path: Path, made: Events, weights: tuple[float, float]) -> Corpus:
    return write_corpus(written(path, made, weights), path / "c.txt", items=ITEMS)


def together(corpus: Corpus) -> Counter[tuple[int, int]]:
    """Count how often two items stand in one line, whatever is between them."""
    return Counter(
        (one, other)
        for line in lines_of(corpus)
        for i, one in enumerate(line)
        for j, other in enumerate(line)
        if i != j and one != other
    )


def bought_pairs(made: Events) -> set[tuple[int, int]]:
    bought = [{item for item, kind in session if kind == PURCHASE} for session in made]
    return {(one, other) for items in bought for one in items for other in items if one != other}


@quick
@given(made=events, weight=st.floats(0.1, 9))
def test_equal_weights_change_nothing(tmp_path, made, weight):
    path = written(tmp_path, made, (weight, weight))
    lists = read_weighted_lists(path)
    plain = WeightedLists(lists.lists, None)
    assert pairs_of(lists, 0.7) == pairs_of(plain, 0.7)
    assert scores_of(lists, "reciprocal") == scores_of(plain, "reciprocal")
    corpus = corpus_of(tmp_path, made, (weight, weight))
    assert lines_of(corpus) == [[item for item, _ in session] for session in made]


@quick
@given(made=events, low=steps, high=steps)
def test_a_heavier_purchase_never_lowers_what_pairs_of_purchases_count(tmp_path, made, low, high):
    low, high = sorted((low, high))
    before, after = (
        read_weighted_lists(written(tmp_path, made, (1.0, weight))) for weight in (low, high)
    )
    for measure in (pairs_of, lambda lists: scores_of(lists, "reciprocal")):
        old, new = measure(before), measure(after)
        assert all(new[pair] >= old[pair] * (1 - 1e-5) for pair in old)
    less, more = (together(corpus_of(tmp_path, made, (1.0, weight))) for weight in (low, high))
    assert all(more[pair] >= less[pair] for pair in less)


@quick
@given(made=events, weight=st.floats(1, MOST_REPEATS))
def test_what_was_only_viewed_counts_as_before(tmp_path, made, weight):
    lists = read_weighted_lists(written(tmp_path, made, (1.0, weight)))
    plain = WeightedLists(lists.lists, None)
    old, new = scores_of(plain, "none"), scores_of(lists, "none")
    for pair in old.keys() - bought_pairs(made):
        assert new[pair] == pytest.approx(old[pair], rel=1e-5)
    old, new = pairs_of(plain), pairs_of(lists)
    for pair in old.keys() - bought_pairs(made):
        assert new[pair] == pytest.approx(old[pair], rel=1e-4)


@quick
@given(made=events, weight=steps)
def test_lines_are_written_as_often_as_the_lighter_event_weighs(tmp_path, made, weight):
    heaviness = {VIEW: 1, PURCHASE: weight}
    expected: Counter[tuple[int, int]] = Counter()
    for session in made:
        for i, (one, kind) in enumerate(session):
            for j, (other, its_kind) in enumerate(session):
                if i != j and one != other:
                    expected[one, other] += min(heaviness[kind], heaviness[its_kind])
    if not any(kind == VIEW for session in made for _, kind in session):
        expected = Counter({pair: count // weight for pair, count in expected.items()})
    assert together(corpus_of(tmp_path, made, (1.0, float(weight)))) == expected


def test_a_repeat_holds_the_heavy_events_in_their_order(tmp_path):
    made = [[(0, PURCHASE), (1, VIEW), (2, PURCHASE)], [(3, PURCHASE), (4, VIEW)]]
    corpus = corpus_of(tmp_path, made, (1.0, 2.6))
    assert lines_of(corpus) == [[0, 1, 2], [3, 4], [0, 2], [0, 2]]
    assert corpus.sessions == 4
    assert corpus.counts.tolist() == [3, 1, 3, 1, 1, 0]
    assert corpus.events.tolist() == [1, 1, 1, 1, 1, 0]


def test_weights_too_far_apart_for_repeats_are_refused(tmp_path):
    with pytest.raises(DataError, match="at most 16 times the smallest, got one of 17 times"):
        corpus_of(tmp_path, [[(0, VIEW), (1, PURCHASE)]], (1.0, 17.0))


def test_weights_can_be_passed_over(tmp_path):
    path = written(tmp_path, [[(0, VIEW), (1, PURCHASE)]], (1.0, 17.0))
    corpus = write_corpus(path, tmp_path / "c.txt", items=ITEMS, repeat_by_weight=False)
    assert lines_of(corpus) == [[0, 1]]


def test_neighbours_come_by_the_lighter_of_two_events():
    lists = ragged([[0, 1, 2, 0], [0, 1]])
    weights = np.array([1, 5, 2, 4, 1, 1], dtype=np.float32)
    scores = scores_of(WeightedLists(lists, weights), "none")
    # Item 0 is heaviest with 4; with 1 it shares another session at 1.
    assert scores[0, 1] * np.sqrt(22) == pytest.approx(4 + 1)
    assert scores[0, 2] * np.sqrt(21) == pytest.approx(2)
    assert scores[1, 2] * np.sqrt(21) == pytest.approx(2)


def weighted(prepared: Prepared, folder: Path, heavy: float) -> Prepared:
    """Return the data set with weights: every other event weighs `heavy`."""
    folder.mkdir()
    table = pq.read_table(prepared.train_sessions)
    weights = [
        [heavy if place % 2 else 1.0 for place, _ in enumerate(items)]
        for items in table.column("items").to_pylist()
    ]
    column = pa.array(weights, type=pa.list_(pa.float32()))
    pq.write_table(table.append_column("weights", column), folder / TRAIN_NAME)
    return replace(prepared, path=folder)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Prepared:
    return prepare_metadata_shop(tmp_path_factory.mktemp("shop"), sessions=60)


def vectors_of(space: str, prepared: Prepared, folder: Path, *, use: bool = True) -> FloatMatrix:
    """Learn a space for an epoch."""
    softmax = SoftmaxConfig(epochs=1, noise=32)
    if space == "meta":
        meta = MetaConfig(dimensions=4, softmax=softmax, kind_weights=use)
        columns = read_columns(prepared, meta, folder)
        return fit_meta(prepared, columns, meta, progress=SilentProgress()).table.vectors
    config = Prod2VecConfig(
        dimensions=4,
        epochs=1,
        workers=1,
        kind_weights=use,
        softmax=softmax if space == "softmax" else None,
    )
    return fit_prod2vec(prepared, config, folder, progress=SilentProgress()).vectors


@pytest.mark.parametrize("space", ["gensim", "softmax", "meta"])
def test_spaces_learn_by_weights_only_where_they_differ_and_are_wanted(shop, tmp_path, space):
    plain = vectors_of(space, shop, tmp_path)
    equal = weighted(shop, tmp_path / "equal", 1.0)
    heavy = weighted(shop, tmp_path / "heavy", 4.0)
    np.testing.assert_array_equal(vectors_of(space, equal, tmp_path), plain)
    np.testing.assert_array_equal(vectors_of(space, heavy, tmp_path, use=False), plain)
    assert not np.array_equal(vectors_of(space, heavy, tmp_path), plain)
