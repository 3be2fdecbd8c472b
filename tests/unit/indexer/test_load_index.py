import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from artifacts.errors import ArtifactError
from indexer.backends import build_index, load_index
from indexer.config import (
    AnnoyConfig,
    BackendConfig,
    ExactConfig,
    FaissBuild,
    FaissConfig,
    SimHashConfig,
)
from indexer.index import Metric
from tests.clusters import clustered

FACTORIES = ("IVF,Flat", "IVF,PQx4fs", "HNSW16", "HNSW16,SQ8", "IVF,RaBitQ")
CONFIGS: list[BackendConfig] = [
    ExactConfig(),
    AnnoyConfig(),
    SimHashConfig(),
    *(FaissConfig(build=FaissBuild(factory=factory)) for factory in FACTORIES),
]


def name_of(config: BackendConfig) -> str:
    return config.build.factory if isinstance(config, FaissConfig) else config.kind


each_config = pytest.mark.parametrize("config", CONFIGS, ids=name_of)


@pytest.fixture
def folder(config: BackendConfig, tmp_path: Path) -> Path:
    index = build_index(clustered(120), Metric.COSINE, config, seed=1, threads=1)
    index.save(tmp_path / "index")
    return tmp_path / "index"


@each_config
def test_every_missing_file_is_an_artifact_error(folder: Path):
    names = sorted(path.name for path in folder.iterdir())
    assert "index.json" in names
    for name in names:
        copy = folder.with_name(f"without-{name}")
        shutil.copytree(folder, copy)
        (copy / name).unlink()
        with pytest.raises(ArtifactError):
            load_index(copy)


@each_config
def test_vectors_of_another_number_than_the_header_says_are_refused(folder: Path):
    np.save(folder / "vectors.npy", clustered(119))
    with pytest.raises(ArtifactError, match="expected 120 vectors"):
        load_index(folder)


@pytest.mark.parametrize(
    ("config", "name"),
    [(AnnoyConfig(), "forest.annoy"), (FaissConfig(), "engine.faiss")],
    ids=["annoy", "faiss"],
)
def test_engine_file_of_another_index_is_refused(folder: Path, name: str, config: BackendConfig):
    other = folder.with_name("other")
    build_index(clustered(90), Metric.COSINE, config, seed=1, threads=1).save(other)
    shutil.copy(other / name, folder / name)
    with pytest.raises(ArtifactError, match="120 vectors"):
        load_index(folder)


@pytest.mark.parametrize("config", [SimHashConfig()], ids=["simhash"])
def test_codes_of_another_width_are_refused(folder: Path):
    np.save(folder / "codes.npy", np.zeros((2, 8, 16, 16), dtype=np.uint8))
    with pytest.raises(ArtifactError, match="codes"):
        load_index(folder)


@pytest.mark.parametrize("config", [ExactConfig()], ids=["exact"])
@pytest.mark.parametrize(
    ("change", "words"),
    [({"format": 2}, "index format 2"), ({"config": {"kind": "hnsw"}}, "header"), ({"n": 0}, "n")],
    ids=["format", "kind", "n"],
)
def test_header_that_this_release_cannot_read_is_refused(
    folder: Path, change: dict[str, object], words: str
):
    path = folder / "index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ArtifactError, match=words):
        load_index(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
@each_config
def test_loaded_arrays_are_mapped_not_read(folder: Path):
    index = load_index(folder)
    mapped = Path("/proc/self/maps").read_text()
    arrays = [path for path in folder.iterdir() if path.suffix != ".json"]
    large = [path for path in arrays if path.stat().st_size > 4096]
    assert large
    assert [path.name for path in large if str(path) not in mapped] == []
    assert len(index) == 120
