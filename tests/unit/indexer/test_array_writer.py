from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.array_writer import write_array


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_blocks_make_the_array_that_numpy_would_save(tmp_path: Path, dtype: type):
    array: NDArray[Any] = np.arange(30).reshape(10, 3).astype(dtype)
    with write_array(tmp_path / "blocks.npy", array.shape, dtype) as writer:
        for start in range(0, 10, 4):
            writer.append(array[start : start + 4])
    np.save(tmp_path / "whole.npy", array)
    assert (tmp_path / "blocks.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_missing_rows_are_noticed(tmp_path: Path):
    with (
        pytest.raises(AssertionError, match="1 rows"),
        write_array(tmp_path / "short.npy", (3, 2), np.int32) as writer,
    ):
        writer.append(np.zeros((2, 2), dtype=np.int32))
