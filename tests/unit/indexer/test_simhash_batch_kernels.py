from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.backends.simhash_batch_kernels import PIECE, first_from, scan_together, search_together
from indexer.backends.simhash_kernels import Effort, prepare, scan, search_tables
from indexer.backends.simhash_scratch import GROUP, new_scratch, new_together
from indexer.backends.simhash_tables import Shape, build_tables
from tests.clusters import clustered
from tests.made_simhash import DIM, N, made_tables


@pytest.fixture(scope="module")
def tables():
    return made_tables()


@pytest.mark.parametrize("count", [1, GROUP, GROUP + 5])
def test_queries_together_are_answered_as_each_alone(tables, count: int):
    vectors, queries = clustered(N, DIM), clustered(count, DIM, seed=3)
    vectors.setflags(write=False)
    answers = []
    searches: list[tuple[Any, tuple[Any, ...]]] = [
        (search_tables, (new_scratch(tables),)),
        (search_together, (new_scratch(tables), new_together(tables))),
    ]
    for search, memory in searches:
        rows = np.empty((count, 7), dtype=np.int32)
        scores = np.empty((count, 7), dtype=np.float32)
        search(tables, vectors, queries, Effort(60, 100), np.inf, *memory, rows, scores)
        answers.append((rows, scores))
    np.testing.assert_array_equal(answers[0][0], answers[1][0])
    np.testing.assert_array_equal(answers[0][1], answers[1][1])


def test_penalties_do_not_depend_on_the_pieces_they_are_read_in():
    vectors = clustered(40_000, 5)
    rng = np.random.default_rng(0)
    tables = build_tables(vectors, Shape(1, 4, 256), rng, reduced=False, threads=1)
    assert tables.codes.shape[1] > 2 * PIECE
    for array in tables:
        array.setflags(write=False)
    scratch, together = new_scratch(tables), new_together(tables)
    effort = Effort(9, 50)
    blocks = prepare(tables, vectors[3], effort, scratch)
    scan(tables, scratch, 0, blocks)
    together.listed[0] = blocks
    together.blocks[0] = scratch.blocks
    together.tables[0] = scratch.tables
    scan_together(tables, new_scratch(tables), together, 1)
    assert together.done[0] == blocks
    np.testing.assert_array_equal(
        together.penalties[0, : 16 * blocks], scratch.penalties[: 16 * blocks]
    )


@settings(deadline=None, max_examples=50)
@given(
    blocks=st.lists(st.integers(0, 50), max_size=30).map(sorted),
    edge=st.integers(0, 60),
    share=st.floats(0, 1),
)
def test_first_block_from_an_edge_on_is_found(blocks: list[int], edge: int, share: float):
    start = int(share * len(blocks))
    array = np.array([*blocks, 0], dtype=np.int32)
    expected = start + int(np.searchsorted(blocks[start:], edge)) if blocks else 0
    assert first_from(array, start, len(blocks), edge) == expected
