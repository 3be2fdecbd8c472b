"""Neighbours of every item of a space, ahead of time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.neighbors import Neighbors, NeighborTable
from artifacts.progress import Progress
from indexer.array_writer import write_array
from indexer.native_threads import limit_native_threads
from indexer.row_index import RowIndex
from indexer.self_removal import without_self
from indexer.space_index import SpaceIndex

BLOCK = 1024
"""Items searched together: large enough to share work, small enough for progress and memory."""


@dataclass(frozen=True, slots=True)
class NeighborsPlan:
    """How a table is made.

    Attributes:
        k: neighbours of each item, >= 1.
        items: size of the vocabulary.
        threads: blocks searched at once, >= 1.
    """

    k: int
    items: int
    threads: int


@dataclass(frozen=True, slots=True)
class _Block:
    part: RowIndex
    rows: IntVector


def precompute_neighbors(
    table: EmbeddingTable,
    index: SpaceIndex,
    folder: Path,
    plan: NeighborsPlan,
    *,
    progress: Progress,
) -> NeighborTable:
    """Search the neighbours of every item by its input vector and write them into `folder`.

    The item itself is left out. Where the space is cut by category, neighbours come from the
    item's own category. The lists are written in the order of the parts, as they are found.

    Cost: len(table) searches for k + 1, on `plan.threads` threads; memory for a block each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shape = (len(index), plan.k)
    positions = np.full(plan.items, -1, dtype=np.int32)
    done = 0
    with (
        write_array(folder / "rows.npy", shape, np.int32) as rows,
        write_array(folder / "scores.npy", shape, np.float32) as scores,
        ThreadPoolExecutor(plan.threads, initializer=limit_native_threads, initargs=(1,)) as pool,
    ):
        blocks = list(_blocks(index))
        answers = pool.map(lambda block: _search(table, block, plan.k), blocks)
        for block, answer in zip(blocks, answers, strict=True):
            positions[block.rows] = np.arange(done, done + len(block.rows), dtype=np.int32)
            rows.append(answer.rows)
            scores.append(answer.scores)
            done += len(block.rows)
            progress.advance(len(block.rows))
    np.save(folder / "positions.npy", positions)
    return NeighborTable.open(folder)


def _blocks(index: SpaceIndex) -> Iterator[_Block]:
    for part in index.parts.values():
        for start in range(0, len(part), BLOCK):
            yield _Block(part, part.rows[start : start + BLOCK])


def _search(table: EmbeddingTable, block: _Block, k: int) -> Neighbors:
    queries = np.ascontiguousarray(table.vectors[table.positions(block.rows)])
    return without_self(block.part.search(queries, k + 1), block.rows, k)
