from dataclasses import replace

import numpy as np
import pytest

from artifacts.errors import ArtifactError, DataError
from artifacts.ranker import FeatureSchema, FeatureSpec, read_schema
from artifacts.ranking_table import RankingTable, write_merged

SCHEMA = FeatureSchema(
    version=1, features=(FeatureSpec(name="a"), FeatureSpec(name="b")), sources=("s", "t", "u")
)


def _table(sizes: list[int], *, grades: int = 2) -> RankingTable:
    n, q = sum(sizes), len(sizes)
    labels = np.zeros(n, dtype=np.int8)
    labels[:1] = 1
    return RankingTable(
        features=np.arange(2 * n, dtype=np.float32).reshape(n, 2),
        labels=labels,
        offsets=np.cumsum([0, *sizes], dtype=np.int64),
        rows=np.arange(n, dtype=np.int32),
        ranks=np.zeros((n, 3), dtype=np.int16),
        missed=np.zeros((q, grades), dtype=np.int16),
        when=np.arange(q, dtype=np.int64),
        schema=SCHEMA,
    )


def test_a_table_comes_back_as_it_was_written(tmp_path):
    table = _table([2, 0, 3])
    table.save(tmp_path)
    found = RankingTable.map(tmp_path)
    assert found.schema == SCHEMA
    np.testing.assert_array_equal(found.features, table.features)
    assert found.sizes.tolist() == [2, 0, 3]
    assert found.targets_missing.tolist() == [False, True, True]
    assert found.grades == 2


def test_parts_are_joined_group_after_group(tmp_path):
    parts = [_table([2, 1]), _table([]), _table([3])]
    merged = write_merged(tmp_path / "merged", parts)
    assert merged.sizes.tolist() == [2, 1, 3]
    np.testing.assert_array_equal(merged.features, np.concatenate([p.features for p in parts]))
    np.testing.assert_array_equal(merged.when, [0, 1, 0])


def test_parts_of_another_kind_are_refused(tmp_path):
    with pytest.raises(DataError, match="got none"):
        write_merged(tmp_path / "none", [])
    with pytest.raises(DataError, match="one number of grades"):
        write_merged(tmp_path / "grades", [_table([1]), _table([1], grades=3)])


@pytest.mark.parametrize(
    "change",
    [
        {"labels": np.zeros(4, dtype=np.int8)},
        {"features": np.zeros((5, 2))},
        {"ranks": np.zeros((5, 2), dtype=np.int16)},
        {"offsets": np.array([0, 4, 3, 5])},
    ],
)
def test_arrays_that_disagree_are_refused(tmp_path, change):
    with pytest.raises(DataError, match="ranking table"):
        replace(_table([2, 0, 3]), **change).save(tmp_path)


def test_a_damaged_table_is_refused(tmp_path):
    _table([2, 3]).save(tmp_path)
    np.save(tmp_path / "rows.npy", np.zeros(4, dtype=np.int32))
    with pytest.raises(ArtifactError, match="features"):
        RankingTable.map(tmp_path)
    (tmp_path / "schema.json").write_text("{}", "utf-8")
    with pytest.raises(ArtifactError, match=r"schema\.json"):
        read_schema(tmp_path)


def test_a_schema_has_each_name_once_and_a_fingerprint_of_all_of_it():
    with pytest.raises(ValueError, match="'a' twice"):
        FeatureSchema(version=1, features=(FeatureSpec(name="a"),) * 2, sources=())
    with pytest.raises(ValueError, match="'s' twice"):
        FeatureSchema(version=1, features=(FeatureSpec(name="a"),), sources=("s", "s"))
    raised = SCHEMA.model_copy(update={"version": 2})
    assert raised.fingerprint != SCHEMA.fingerprint == SCHEMA.model_copy().fingerprint
