import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from numpy.typing import NDArray

from indexer.vector_instructions import (
    BLOCKS_AHEAD,
    RUN,
    at_most,
    look_up_width,
    population_count,
    score_blocks,
    trailing_zeros,
    write_run,
)

ROOT = Path(__file__).resolve().parents[3]


@njit
def scored(codes, blocks, count, tables, first, out):
    score_blocks(codes, blocks, count, tables, first, out)


@njit
def bits_of(word):
    return population_count(word), trailing_zeros(word)


@njit
def compared(values, start, limit):
    return at_most(values, start, limit)


def penalties_twin(codes: NDArray[np.uint8], tables: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Sum in integers, one nibble at a time; codes (m, 16, 16), tables (8, 4, 16)."""
    total = np.zeros((len(codes), 16), dtype=np.int64)
    for byte in range(16):
        for half in range(2):
            nibbles = codes[:, byte] >> (4 * half) & 15
            total += tables[byte // 4 * 2 + half, byte % 4][nibbles]
    saturated: NDArray[np.int64] = np.minimum(total, 255)
    return saturated


def run(seed: int, blocks: int, high: int):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (blocks, 16, 16), dtype=np.uint8)
    tables = rng.integers(0, high, (8, 4, 16), dtype=np.uint8)
    listed = rng.permutation(blocks).astype(np.int32)
    padded = np.concatenate([listed, np.zeros(BLOCKS_AHEAD, dtype=np.int32)])
    out = np.full(16 * blocks, 7, dtype=np.uint8)
    scored(codes, padded, blocks, tables, True, out)
    return codes[listed], tables, padded, codes, out.reshape(-1, 16)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**31), blocks=st.integers(1, 40), high=st.sampled_from([2, 9, 60, 256]))
def test_penalties_of_blocks_equal_numpy(seed: int, blocks: int, high: int):
    listed, tables, _, _, out = run(seed, blocks, high)
    np.testing.assert_array_equal(out, penalties_twin(listed, tables))


def test_penalties_of_a_further_chunk_are_added():
    listed, tables, padded, codes, out = run(1, 5, 9)
    added = out.reshape(-1).copy()
    scored(codes, padded, 5, tables, False, added)
    np.testing.assert_array_equal(
        added.reshape(-1, 16), np.minimum(2 * penalties_twin(listed, tables), 255)
    )


@njit
def run_written(out, place, start):
    write_run(out, place, start)


def test_run_of_numbers_is_written_where_it_belongs():
    out = np.full(30, -1, dtype=np.int32)
    run_written(out, 9, 1000)
    assert out.tolist() == [-1] * 9 + list(range(1000, 1000 + RUN)) + [-1] * (21 - RUN)


@pytest.mark.parametrize("word", [0, 1, 2**63, 2**64 - 1, 0x0123456789ABCDE0])
def test_bits_are_counted(word: int):
    lowest = (word & -word).bit_length() - 1 if word else 64
    assert bits_of(np.uint64(word)) == (word.bit_count(), lowest)


@pytest.mark.parametrize("limit", [0, 1, 127, 128, 254, 255])
def test_comparison_of_64_bytes_is_unsigned(limit: int):
    values = np.random.default_rng(limit).integers(0, 256, 200, dtype=np.uint8)
    word = int(compared(values, 37, limit))
    assert [bool(word >> i & 1) for i in range(64)] == (values[37:101] <= limit).tolist()


@pytest.mark.parametrize(
    ("features", "width"),
    [
        ("+sse2,+ssse3,+avx2,+avx512bw", 64),
        ("+ssse3,+avx2,-avx512bw", 32),
        ("+sse2,+ssse3", 16),
        ("+neon", 16),
        ("+sse2", 1),
        ("", 1),
    ],
)
def test_widest_look_up_of_the_processor_is_taken(features: str, width: int):
    assert look_up_width(features) == width


@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine != "x86_64", reason="names x86")
@pytest.mark.parametrize("features", ["+sse2", "+ssse3,+avx,+avx2"])
def test_penalties_are_the_same_on_lesser_processors(features: str, tmp_path: Path):
    narrow = {
        "NUMBA_CPU_NAME": "x86-64",
        "NUMBA_CPU_FEATURES": features,
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    program = (
        "import numpy as np\n"
        "from tests.unit.indexer.test_vector_instructions import penalties_twin, run\n"
        "listed, tables, _, _, out = run(3, 9, 60)\n"
        "np.testing.assert_array_equal(out, penalties_twin(listed, tables))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | narrow,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
