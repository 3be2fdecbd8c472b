from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from artifacts.arrays import check_matrix, map_array, unit_rows
from artifacts.errors import ArtifactError, DataError

GOOD = np.arange(12, dtype=np.float32).reshape(4, 3)


def test_good_matrix_is_returned_itself():
    assert check_matrix(GOOD, name="m", dim=3) is GOOD


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (GOOD.astype(np.float64), "float64"),
        (GOOD.T, "transposed"),
        (GOOD[:, :2], "strided"),
        (GOOD[0], "1 dimension"),
    ],
    ids=["float64", "transposed", "strided", "flat"],
)
def test_other_arrays_are_refused_by_name(array: NDArray[Any], words: str):
    with pytest.raises(DataError, match=f"queries: .*{words}"):
        check_matrix(array, name="queries")


def test_other_widths_are_refused():
    with pytest.raises(DataError, match="expected 4 dimensions, got 3"):
        check_matrix(GOOD, name="m", dim=4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_counted_and_the_first_named(value: float):
    bad = GOOD.copy()
    bad[2, 1] = bad[3, 0] = value
    with pytest.raises(DataError, match=r"2 row\(s\), the first is row 2"):
        check_matrix(bad, name="m")


def test_infinities_that_cancel_are_noticed():
    bad = GOOD.copy()
    bad[1] = [np.inf, -np.inf, 0]
    with pytest.raises(DataError, match="row 1"):
        check_matrix(bad, name="m")


def test_largest_floats_are_finite():
    check_matrix(np.full((2, 9), np.finfo(np.float32).max), name="m")


def test_arrays_are_mapped_read_only(tmp_path: Path):
    np.save(tmp_path / "a.npy", GOOD)
    mapped = map_array(tmp_path / "a.npy")
    np.testing.assert_array_equal(mapped, GOOD)
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable


def test_arrays_without_elements_are_mapped(tmp_path: Path):
    np.save(tmp_path / "a.npy", GOOD[:0])
    assert map_array(tmp_path / "a.npy").shape == (0, 3)


@pytest.mark.parametrize("content", [None, b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_files_that_are_no_arrays_are_artifact_errors(tmp_path: Path, content: bytes | None):
    if content is not None:
        (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"a\.npy: cannot be mapped"):
        map_array(tmp_path / "a.npy")


def test_unit_rows_have_length_one_and_zero_rows_stay_zero():
    scaled = unit_rows(np.array([[3, 4], [0, 0], [0, -2]], dtype=np.float32))
    np.testing.assert_allclose(scaled, [[0.6, 0.8], [0.0, 0.0], [0.0, -1.0]], rtol=1e-6)
    assert scaled.dtype == np.float32
