"""The parts of the training sessions that trials learn from and are scored on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from artifacts.errors import DataError
from artifacts.prepared import HELDOUT_NAME, TRAIN_NAME, Prepared
from trainer.evaluate import last_steps
from trainer.ranking import Cases
from trainer.scratch import scratch_folder
from trainer.seeded_hash import seeded_hash_of, threshold
from trainer.tune_config import TuneConfig
from trainer.user_cases import UserCases, read_user_cases


@dataclass(frozen=True, slots=True)
class TuneData:
    """What tuning may look at: nothing but training sessions.

    Attributes:
        whole: every training session but those of the validation cut.
        sample: a share of these.
        cases: last steps of the validation cut.
        user_cases: last items of its sessions by shopper.
    """

    whole: Prepared
    sample: Prepared
    cases: Cases
    user_cases: UserCases


@contextmanager
def tune_data(
    prepared: Prepared, config: TuneConfig, fraction: float, parent: Path
) -> Iterator[TuneData]:
    """Cut the training sessions; what is written lies below `parent` until the end.

    Sessions fall into the cut, and into the sample, by seeded hashes of their ids, so that every
    worker and every later run makes the same parts.

    Args:
        prepared: the data set.
        config: share of the cut and seed.
        fraction: share of the other sessions that trials learn from, in (0, 1].
        parent: an existing folder.

    Raises:
        DataError: a part would be empty.
    """
    table = pq.read_table(prepared.train_sessions)
    ids = table.column("session_id").to_pylist()
    held = _drawn(ids, "validation", config.seed, config.validation)
    chosen = ~held if fraction >= 1 else ~held & _drawn(ids, "sample", config.seed, fraction)
    if not held.any() or not chosen.any():
        raise DataError(
            f"tune: expected sessions to learn from and to score on, got {int(chosen.sum())} and "
            f"{int(held.sum())} of {len(ids)}; raise the sample or `validation`"
        )
    with scratch_folder(parent) as folder:
        whole = _write(prepared, folder / "whole", table, ~held, held)
        sample = _write(prepared, folder / "sample", table, chosen, held)
        cases = _first(last_steps(whole), config.most_cases)
        users = read_user_cases(whole.heldout_sessions, config.most_cases)
        yield TuneData(whole, sample, cases, users)


def _drawn(ids: list[str], part: str, seed: int, fraction: float) -> np.ndarray:
    below = threshold(fraction)
    return np.array([seeded_hash_of(seed, part, id) < below for id in ids], dtype=np.bool_)


def _write(
    prepared: Prepared, folder: Path, table: pa.Table, train: np.ndarray, held: np.ndarray
) -> Prepared:
    folder.mkdir()
    pq.write_table(table.filter(pa.array(train)), folder / TRAIN_NAME)
    pq.write_table(table.filter(pa.array(held)), folder / HELDOUT_NAME)
    return replace(prepared, path=folder)


def _first(cases: Cases, most: int) -> Cases:
    return Cases(cases.queries[:most], cases.targets[:most])
