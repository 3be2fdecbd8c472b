from pathlib import Path

import numpy as np
import pytest

from benchmarks import precompute_bars
from benchmarks.results import read_results
from tests.clusters import clustered


def test_bars_are_measured_printed_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    np.save(tmp_path / "base.npy", clustered(3000))
    results = tmp_path / "results.jsonl"
    precompute_bars.run(tmp_path / "base.npy", k=5, items=2500, repeats=1, results=results)
    (result,) = read_results(results)
    assert result.metrics["per_item_bytes"] == 4 + 2 * 4 * 5
    assert result.metrics["banded_of_raw"] > 0
    assert result.config["k"] == 5
    assert capsys.readouterr().out.count("raw batched FAISS") == 2
