from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.errors import ArtifactError, DataError
from artifacts.vocabulary import Vocabulary, write_vocabulary

IDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(ids=IDS, strangers=IDS)
def test_ids_and_rows_are_a_bijection(ids: list[str], strangers: list[str]):
    with TemporaryDirectory() as folder:
        write_vocabulary(Path(folder), ids)
        vocabulary = Vocabulary.open(Path(folder))
        assert len(vocabulary) == len(ids)
        assert vocabulary.rows(ids).tolist() == list(range(len(ids)))
        assert vocabulary.ids(range(len(ids))) == ids
        for stranger in set(strangers) - set(ids):
            assert vocabulary.row(stranger) == -1


def test_ids_that_look_like_numbers_stay_strings(tmp_path: Path):
    ids = ["007", "7", "7.0", "9007199254740993", " 7"]
    vocabulary = write_vocabulary(tmp_path, ids)
    assert vocabulary.ids(vocabulary.rows(ids)) == ids
    assert vocabulary.row("07") == -1


def test_unknown_ids_among_known_ones_get_minus_one(tmp_path: Path):
    rows = write_vocabulary(tmp_path, ["a", "b"]).rows(["b", "?", "a", ""])
    assert rows.tolist() == [1, -1, 0, -1]
    assert rows.dtype == np.int32


@pytest.mark.parametrize("row", [-1, 2])
def test_rows_out_of_range_are_index_errors(tmp_path: Path, row: int):
    vocabulary = write_vocabulary(tmp_path, ["a", "b"])
    with pytest.raises(IndexError):
        vocabulary.id(row)


@pytest.mark.parametrize(
    ("ids", "words"), [(["a", "b", "a"], "'a' more than once"), (["a", "", "b"], "row 1")]
)
def test_ids_that_are_not_distinct_and_non_empty_are_refused(
    tmp_path: Path, ids: list[str], words: str
):
    with pytest.raises(DataError, match=words):
        write_vocabulary(tmp_path, ids)


@pytest.mark.parametrize("name", ["ids.arrow", "slots.npy"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage"])
def test_damaged_vocabulary_is_an_artifact_error(tmp_path: Path, name: str, damage: str):
    write_vocabulary(tmp_path, [f"id-{row}" for row in range(50)])
    path = tmp_path / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:20] if damage == "truncated" else b"garbage" * 9)
    with pytest.raises(ArtifactError, match=name):
        Vocabulary.open(tmp_path)


def test_table_of_another_vocabulary_is_refused(tmp_path: Path):
    write_vocabulary(tmp_path / "small", ["a"])
    write_vocabulary(tmp_path / "large", [f"id-{row}" for row in range(50)])
    small = (tmp_path / "small" / "slots.npy").read_bytes()
    (tmp_path / "large" / "slots.npy").write_bytes(small)
    with pytest.raises(ArtifactError, match="too few"):
        Vocabulary.open(tmp_path / "large")
