"""What a ranker learns from: candidates of many contexts with features and grades, memory-mapped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntVector, map_array
from artifacts.errors import ArtifactError, DataError
from artifacts.manifest import read_manifest
from artifacts.ranker import FeatureSchema, read_schema, write_schema

ARRAYS = ("features", "labels", "offsets", "rows", "ranks", "missed", "when")


@dataclass(frozen=True, slots=True)
class RankingTable:
    """q groups of candidates, n in all. A group is a context; its candidates ascend by row.

    Grades are 0 for what did not come next, then 1 to g by how much what happened means, such as
    view < cart < purchase; where all events mean the same, g is 1.

    Attributes:
        features: (n, f) float32, C-contiguous, columns as in `schema`, NaN where a value is absent.
        labels: (n,) int8 grades.
        offsets: (q + 1,) int64, from 0 to n, ascending; group i is `offsets[i]:offsets[i + 1]`.
        rows: (n,) int32 vocabulary rows.
        ranks: (n, s) int16, the rank of the candidate, from 1, in the list of each source of
            `schema.sources`; 0 where it is not in it.
        missed: (q, g) int16, what came next of grade 1 to g that no list holds: the ideal order
            would have it, no order of the candidates can.
        when: (q,) int64, when the session began in seconds since 1970, or, without a clock, its
            place in the order of the split; positions of one session have one value, and whoever
            splits the groups must keep them together.
        schema: what the columns are.
    """

    features: FloatMatrix
    labels: NDArray[np.int8]
    offsets: NDArray[np.int64]
    rows: IntVector
    ranks: NDArray[np.int16]
    missed: NDArray[np.int16]
    when: NDArray[np.int64]
    schema: FeatureSchema

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def grades(self) -> int:
        """The highest grade there may be."""
        return int(self.missed.shape[1])

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(q,) int64, candidates of each group."""
        return np.diff(self.offsets)

    @property
    def targets_missing(self) -> NDArray[np.bool_]:
        """(q,) whether no list holds anything of what came next. Cost: one pass over the labels."""
        hits = np.concatenate([[0], np.cumsum(self.labels > 0)])
        missing: NDArray[np.bool_] = hits[self.offsets[1:]] == hits[self.offsets[:-1]]
        return missing

    def save(self, folder: Path) -> None:
        """Write the arrays and the schema into `folder`, checked.

        Raises:
            DataError: shapes, types or offsets disagree.
        """
        self._check()
        folder.mkdir(parents=True, exist_ok=True)
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        write_schema(folder, self.schema)

    @classmethod
    def open(cls, folder: Path) -> "RankingTable":
        """Map a sealed table.

        Raises:
            ArtifactError: it is not sealed, a file is missing or unreadable, or the files disagree.
        """
        read_manifest(folder, "ranking_table")
        return cls.map(folder)

    @classmethod
    def map(cls, folder: Path) -> "RankingTable":
        """Map a table that `save` or `write_merged` wrote.

        Raises:
            ArtifactError: a file is missing or unreadable, or the files disagree.
        """
        arrays: dict[str, Any] = {
            name: np.asarray(map_array(folder / f"{name}.npy")) for name in ARRAYS
        }
        table = cls(**arrays, schema=read_schema(folder))
        try:
            table._check()
        except DataError as error:
            raise ArtifactError(f"{folder}: {error}") from error
        return table

    def _check(self) -> None:
        n, q = len(self.rows), len(self)
        expected: dict[str, tuple[tuple[int, ...], type]] = {
            "features": ((n, self.schema.width), np.float32),
            "labels": ((n,), np.int8),
            "offsets": ((q + 1,), np.int64),
            "rows": ((n,), np.int32),
            "ranks": ((n, len(self.schema.sources)), np.int16),
            "missed": ((q, self.missed.shape[-1]), np.int16),
            "when": ((q,), np.int64),
        }
        for name, (shape, dtype) in expected.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != dtype:
                raise DataError(
                    f"ranking table, {name}: expected {shape} of {np.dtype(dtype)}, "
                    f"got {array.shape} of {array.dtype}"
                )
        if self.offsets[0] != 0 or self.offsets[-1] != n or (np.diff(self.offsets) < 0).any():
            raise DataError(f"ranking table: expected offsets that ascend from 0 to {n}")


def write_merged(folder: Path, parts: Sequence[RankingTable]) -> RankingTable:
    """Write the groups of several tables one after the other, and open the result.

    Args:
        folder: a new or existing folder.
        parts: tables of one schema and one number of grades, at least one.

    Raises:
        DataError: there is none, or they differ in schema or grades.

    Cost: one copy of the parts, one part in memory at a time.
    """
    if not parts:
        raise DataError("ranking table: expected parts to merge, got none")
    first = parts[0]
    for part in parts:
        if part.schema != first.schema or part.grades != first.grades:
            raise DataError("ranking table: expected parts of one schema and one number of grades")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ARRAYS:
        if name != "offsets":
            _write_joined(folder / f"{name}.npy", [getattr(part, name) for part in parts])
    sizes = np.concatenate([part.sizes for part in parts])
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    np.save(folder / "offsets.npy", offsets)
    write_schema(folder, first.schema)
    return RankingTable.map(folder)


def _write_joined(path: Path, arrays: Sequence[NDArray[Any]]) -> None:
    # Plain writes, not a writable mapping: a full disk is then an OSError and not a SIGBUS.
    dtype = arrays[0].dtype
    shape = (sum(len(array) for array in arrays), *arrays[0].shape[1:])
    with path.open("wb") as file:
        header = {"shape": shape, "fortran_order": False, "descr": dtype.str}
        np.lib.format.write_array_header_1_0(file, header)
        for array in arrays:
            file.write(np.ascontiguousarray(array, dtype=dtype).tobytes())
