import numpy as np
import pytest

from artifacts.errors import ArtifactError, DataError
from artifacts.ragged import Ragged
from artifacts.users import WEIGHTS_NAME, UserTable, write_users

IDS = ["007", "anna", "zoë"]
VECTORS = np.arange(6, dtype=np.float32).reshape(3, 2)
HISTORY = Ragged.of(np.array([2, 0, 1]), np.array([4, 9, 4], dtype=np.int32))
WEIGHTS = np.array([1, 2, 0.5], dtype=np.float32)


def write(folder, **changes) -> UserTable:
    arrays = {"ids": IDS, "vectors": VECTORS, "history": HISTORY, "weights": WEIGHTS}
    return write_users(folder, **{**arrays, **changes})


def test_a_user_is_found_by_id_with_what_they_took(tmp_path):
    table = write(tmp_path)
    assert (len(table), table.dim) == (3, 2)
    row = table.row("zoë")
    np.testing.assert_array_equal(table.vectors[row], [4, 5])
    items, weights = table.taken(row)
    assert (items.tolist(), weights.tolist()) == ([4], [0.5])
    assert table.taken(table.row("anna"))[0].tolist() == []


def test_ids_are_strings_and_unknown_ones_have_no_row(tmp_path):
    table = write(tmp_path)
    assert table.row("007") == 0
    assert table.row("7") == -1


@pytest.mark.parametrize(
    "changes",
    [{"ids": IDS[:2]}, {"vectors": VECTORS[:2]}, {"weights": WEIGHTS[:1]}],
    ids=["ids", "vectors", "weights"],
)
def test_arrays_that_disagree_are_not_written(tmp_path, changes):
    with pytest.raises(DataError, match="users: "):
        write(tmp_path, **changes)


def test_vectors_that_are_not_finite_are_not_written(tmp_path):
    with pytest.raises(DataError, match="NaN or infinity"):
        write(tmp_path, vectors=np.full((3, 2), np.nan, dtype=np.float32))


def test_files_that_disagree_are_refused(tmp_path):
    write(tmp_path)
    np.save(tmp_path / WEIGHTS_NAME, WEIGHTS[:2])
    with pytest.raises(ArtifactError, match="2 weights for 3 items"):
        UserTable.open(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / WEIGHTS_NAME).unlink()
    with pytest.raises(ArtifactError, match="the users cannot be opened"):
        UserTable.open(tmp_path)
