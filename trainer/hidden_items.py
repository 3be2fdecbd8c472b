"""Training data from which some well-known items are taken away, as if they were new."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import Field

from artifacts.arrays import IntVector
from artifacts.errors import DataError
from artifacts.prepared import HELDOUT_NAME, TRAIN_NAME, Prepared
from trainer.evaluate import last_steps
from trainer.ranking import Cases
from trainer.scratch import scratch_folder
from trainer.seeded_hash import seeded_hash_of, threshold
from trainer.session_lists import read_session_lists
from trainer.settings import Settings
from trainer.weighted_lists import WEIGHTS


class HidingConfig(Settings):
    """Which items are hidden, and what thresholds are chosen on."""

    fraction: float = Field(default=0.2, gt=0, lt=1)
    """Share of the known items that is hidden."""
    min_sessions: int = Field(default=5, ge=1)
    """Training sessions that must hold an item before it can be hidden."""
    validation: float = Field(default=0.1, gt=0, lt=1)
    """Share of the training sessions that is kept from training to choose thresholds on."""
    seed: int = Field(default=0, ge=0)
    """Seed of both draws."""


@dataclass(frozen=True, slots=True)
class HiddenItems:
    """A data set in which some items were never seen.

    Attributes:
        warm: training sessions without the hidden items and without the validation cut.
        hidden: (h,) int32 vocabulary rows, ascending.
        counts: (v,) int32 sessions of `warm` that hold each item; 0 for the hidden ones.
        validation: last steps of the validation cut that go from a hidden item to another one.
        heldout: the same of the held-out sessions.
    """

    warm: Prepared
    hidden: IntVector
    counts: IntVector
    validation: Cases
    heldout: Cases


@contextmanager
def hide_items(prepared: Prepared, config: HidingConfig, parent: Path) -> Iterator[HiddenItems]:
    """Hide items by a seeded hash of their ids; what is written lies below `parent` until the end.

    Steps to a hidden item are left out: no method could find what training never saw.

    Raises:
        DataError: nothing can be hidden, or no step starts from a hidden item.
    """
    hidden = _drawn_items(prepared, config)
    table = pq.read_table(prepared.train_sessions)
    below = threshold(config.validation)
    ids = table.column("session_id").to_pylist()
    cut = np.array([seeded_hash_of(config.seed, "validation", id) < below for id in ids])
    with scratch_folder(parent) as folder:
        pq.write_table(table.filter(pa.array(cut)), folder / HELDOUT_NAME)
        pq.write_table(_without(table.filter(pa.array(~cut)), hidden), folder / TRAIN_NAME)
        warm = replace(prepared, path=folder)
        yield HiddenItems(
            warm=warm,
            hidden=hidden,
            counts=_counts(warm),
            validation=_from_hidden(last_steps(warm), hidden),
            heldout=_from_hidden(last_steps(prepared), hidden),
        )


def _drawn_items(prepared: Prepared, config: HidingConfig) -> IntVector:
    known = np.flatnonzero(np.asarray(prepared.catalog.popularity) >= config.min_sessions)
    below = threshold(config.fraction)
    rows = known.astype(np.int32)
    drawn = [seeded_hash_of(config.seed, "hidden", id) < below for id in prepared.items.ids(rows)]
    hidden = rows[np.array(drawn, dtype=np.bool_)]
    if not len(hidden):
        raise DataError(
            f"cold start: expected items that {config.min_sessions} training sessions hold, found "
            f"{len(rows)} and hid none"
        )
    return hidden


def _without(table: pa.Table, hidden: IntVector) -> pa.Table:
    """Take items out of sessions, and sessions of fewer than two items out of the table."""
    lists = table.column("items").combine_chunks()
    kept: NDArray[np.bool_] = ~np.isin(lists.flatten().to_numpy(), hidden)
    before = np.concatenate([[0], np.cumsum(kept)])
    ends = before[lists.offsets.to_numpy() - lists.offsets[0].as_py()].astype(np.int32)
    changed = table
    for name in {"items", WEIGHTS} & set(table.column_names):
        values = table.column(name).combine_chunks().flatten().to_numpy()
        shorter = pa.ListArray.from_arrays(ends, pa.array(values[kept]))
        place = table.column_names.index(name)
        field = table.field(place).with_type(shorter.type)
        changed = changed.set_column(place, field, shorter)
    return changed.filter(pa.array(np.diff(ends) > 1))


def _counts(warm: Prepared) -> IntVector:
    sessions = read_session_lists(warm.train_sessions)
    owner = np.repeat(np.arange(len(sessions), dtype=np.int64), sessions.lengths)
    distinct = np.unique(owner * len(warm.items) + sessions.values) % len(warm.items)
    return np.bincount(distinct, minlength=len(warm.items)).astype(np.int32)


def _from_hidden(cases: Cases, hidden: IntVector) -> Cases:
    wanted = np.isin(cases.queries, hidden) & ~np.isin(cases.targets, hidden)
    if not wanted.any():
        raise DataError("cold start: expected steps that start from a hidden item, found none")
    return Cases(cases.queries[wanted], cases.targets[wanted])
