import ibis
import pyarrow as pa
import pytest

from trainer.seeded_hash import seeded_hash, seeded_hash_of, threshold

IDS = [f"session-{number}" for number in range(2_000)]


@pytest.fixture(scope="module")
def connection():
    connection = ibis.duckdb.connect()
    yield connection
    connection.disconnect()


@pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
def test_engine_and_python_give_the_same_digits(connection):
    rows = ibis.memtable(pa.table({"id": ["007", "é ", "x\x1fy"], "item": ["1", "2", "3"]}))
    expression = rows.select(digits=seeded_hash(3, rows.id, rows.item))
    digits = connection.to_pyarrow(expression).column("digits").to_pylist()
    assert digits == [
        seeded_hash_of(3, "007", "1"),
        seeded_hash_of(3, "é ", "2"),
        seeded_hash_of(3, "x\x1fy", "3"),
    ]


def test_seeds_draw_differently():
    assert [seeded_hash_of(0, id) for id in IDS] != [seeded_hash_of(1, id) for id in IDS]


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.9])
def test_threshold_holds_its_share_of_hashes(fraction):
    share = sum(seeded_hash_of(5, id) < threshold(fraction) for id in IDS) / len(IDS)
    # Four standard deviations of a share of that many draws.
    assert share == pytest.approx(fraction, abs=4 * (fraction * (1 - fraction) / len(IDS)) ** 0.5)
