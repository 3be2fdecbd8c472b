"""From what a caller wants to be near to a vector."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import RequestError, UnknownItemError
from artifacts.neighbors import PAD_ROW
from retrieval.item_ids import checked_id
from retrieval.queries import (
    MAX_WEIGHTED_ITEMS,
    Near,
    NearItem,
    NearItems,
    NearVector,
    UnknownItemPolicy,
)
from retrieval.query_vector import QueryVector
from retrieval.state import ServingState


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a search starts.

    Attributes:
        query: the vector; None where every id was unknown.
        rows: rows of the query items, which are never in the answer.
        skipped: ids that were left out.
    """

    query: QueryVector | None
    rows: tuple[int, ...] = ()
    skipped: tuple[str, ...] = ()


def locate(
    state: ServingState, space: str, near: Near | None, unknown_items: UnknownItemPolicy
) -> Anchor:
    """Return the vector that `near` stands for in a space.

    Raises:
        RequestError: nothing to be near to, a vector of another width or not finite, weights that
            are not finite or all zero.
        UnknownItemError: an unknown id where the caller forbade leaving it out, or one item that
            has no vector in the space.
    """
    table = state.snapshot.spaces[space]
    match near:
        case None:
            raise RequestError(
                "query: expected item_id, vector or items, got none of them", reason="NO_QUERY"
            )
        case NearItem():
            return _near_item(state, table, near, unknown_items)
        case NearVector():
            return _near_vector(table, near)
        case NearItems():
            return _near_items(state, table, near, unknown_items)


def _near_item(
    state: ServingState, table: EmbeddingTable, near: NearItem, unknown_items: UnknownItemPolicy
) -> Anchor:
    row = state.snapshot.items.row(checked_id(near.item_id, path="item_id"))
    if row == PAD_ROW:
        if unknown_items is UnknownItemPolicy.FAIL:
            raise _unknown(near.item_id, "item_id")
        return Anchor(None, skipped=(near.item_id,))
    query = QueryVector.of_item(table, row)
    if query is None:
        raise UnknownItemError(
            f"item_id: {near.item_id!r} has no vector in space {table.space!r}", field="item_id"
        )
    return Anchor(query, rows=(row,))


def _near_vector(table: EmbeddingTable, near: NearVector) -> Anchor:
    if near.values.shape != (table.dim,):
        raise RequestError(
            f"vector: expected {table.dim} numbers for space {table.space!r}, "
            f"got {near.values.size}",
            field="vector.values",
            reason="WRONG_WIDTH",
        )
    if not np.isfinite(near.values).all():
        place = int(np.flatnonzero(~np.isfinite(near.values))[0])
        raise RequestError(
            f"vector: expected finite numbers, got {near.values[place]} at {place}",
            field=f"vector.values[{place}]",
            reason="NOT_FINITE",
        )
    return Anchor(QueryVector(near.values, table))


def _near_items(
    state: ServingState, table: EmbeddingTable, near: NearItems, unknown_items: UnknownItemPolicy
) -> Anchor:
    """Return the weighted mean of the items that have a vector in the space."""
    _check_weights(near)
    ids = [
        checked_id(id, path=f"items.items[{place}].item_id")
        for place, id in enumerate(near.item_ids)
    ]
    rows = state.snapshot.items.rows(ids)
    positions = np.where(rows != PAD_ROW, table.positions(rows), PAD_ROW)
    missing = np.flatnonzero(positions == PAD_ROW)
    if len(missing) and unknown_items is UnknownItemPolicy.FAIL:
        place = int(missing[0])
        raise _unknown(ids[place], f"items.items[{place}].item_id")
    kept = np.flatnonzero(positions != PAD_ROW).tolist()
    skipped = tuple(ids[place] for place in missing.tolist())
    if not len(kept):
        return Anchor(None, skipped=skipped)
    weights = [near.weights[place] for place in kept]
    mean = _weighted_mean(table.vectors[positions[kept]], weights)
    return Anchor(QueryVector(mean, table), rows=tuple(rows[kept].tolist()), skipped=skipped)


def _check_weights(near: NearItems) -> None:
    if not 1 <= len(near.item_ids) <= MAX_WEIGHTED_ITEMS:
        raise RequestError(
            f"items: expected 1 to {MAX_WEIGHTED_ITEMS} items, got {len(near.item_ids)}",
            field="items.items",
            reason="ITEM_COUNT_OUT_OF_RANGE",
        )
    for place, weight in enumerate(near.weights):
        if not np.isfinite(weight):
            raise RequestError(
                f"items: expected finite weights, got {weight}",
                field=f"items.items[{place}].weight",
                reason="NOT_FINITE",
            )
    if not any(near.weights):
        raise RequestError(
            "items: expected a weight other than 0, got none",
            field="items.items",
            reason="ALL_WEIGHTS_ZERO",
        )


def _weighted_mean(vectors: FloatMatrix, weights: Sequence[float]) -> FloatMatrix:
    """Return the (d,) mean of (m, d) vectors; weights count by size, so that -1 weighs as 1."""
    scale = np.asarray(weights, dtype=np.float64)
    total = np.abs(scale).sum()
    mean = scale @ np.asarray(vectors, dtype=np.float64) / (total if total > 0 else 1.0)
    return mean.astype(np.float32)


def _unknown(item_id: str, path: str) -> UnknownItemError:
    return UnknownItemError(
        f"{path}: expected an item of the snapshot, got {item_id!r}", field=path
    )
