import tomllib

import pytest
from pydantic import ValidationError

from artifacts.relation import Relation
from indexer.config import (
    AnnoyConfig,
    FaissConfig,
    IndexConfig,
    SimHashBuild,
    SimHashConfig,
    SpaceIndexConfig,
)

TABLE = """
seed = 7
keep = 2
[gate]
min_recall = 0.95
[[spaces]]
space = "cf"
relations = ["continuations"]
per_category = true
backend = { kind = "simhash", build = { bits = 128 }, search = { candidates = 300 } }
[[spaces]]
space = "content"
backend = { kind = "annoy" }
"""


@pytest.mark.parametrize(
    ("space", "per_category", "cut"),
    [
        ("content", None, True),
        ("image", None, True),
        ("cf", None, False),
        ("cf", True, True),
        ("content", False, False),
    ],
)
def test_spaces_of_what_a_product_is_are_cut_unless_told_otherwise(space, per_category, cut):
    assert SpaceIndexConfig(space=space, per_category=per_category).is_cut == cut


def test_table_is_read_with_the_backend_that_its_kind_names():
    config = IndexConfig.model_validate(tomllib.loads(TABLE))
    cf, content = config.spaces
    assert isinstance(cf.backend, SimHashConfig)
    assert (cf.backend.build.bits, cf.backend.search.candidates) == (128, 300)
    assert cf.relations == (Relation.CONTINUATIONS,)
    assert isinstance(content.backend, AnnoyConfig)
    assert (config.seed, config.keep, config.gate.min_recall) == (7, 2, 0.95)


def test_settings_survive_a_round_trip_through_json():
    config = IndexConfig.model_validate(tomllib.loads(TABLE))
    assert IndexConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"spaces": []},
        {"keep": 0},
        {"gate": {"min_recall": 1.5}},
        {"spaces": [{"space": "cf", "backend": {"kind": "hnsw"}}]},
        {"spaces": [{"space": "cf", "backend": {"kind": "faiss", "build": {"bits": 64}}}]},
        {"spaces": [{"space": "cf", "relations": ["opposites"]}]},
        {"spaces": [{"space": "cf", "neighbours": 10}]},
        {"spaces": [{"space": "cf", "target": {"recall": 0.9}, "backend": {"kind": "exact"}}]},
        {"spaces": [{"space": "cf", "target": {}}]},
        {"spaces": [{"space": "cf", "target": {"recall": 0.9, "latency_ms": 2}}]},
        {"spaces": [{"space": "cf", "target": {"recall": 95}}]},
        {"spaces": [{"space": "cf", "target": {"recall": 0.9, "engines": ["hnsw"]}}]},
        {"spaces": [{"space": "cf"}, {"space": "cf", "relations": ["alternatives"]}]},
    ],
    ids=str,
)
def test_wrong_settings_are_refused(change: dict[str, object]):
    with pytest.raises(ValidationError):
        IndexConfig.model_validate({"spaces": [{"space": "cf"}], **change})


def test_relations_of_one_space_may_have_tables_of_their_own():
    tables = [{"space": "cf", "relations": [relation]} for relation in Relation]
    assert len(IndexConfig.model_validate({"spaces": tables}).spaces) == 2


@pytest.mark.parametrize("bits", [0, 64, 200])
def test_bits_are_whole_chunks(bits: int):
    with pytest.raises(ValidationError):
        SimHashBuild(bits=bits)


def test_settings_are_frozen():
    with pytest.raises(ValidationError):
        FaissConfig().kind = "faiss"


@pytest.mark.parametrize(("cells", "factory"), [(64, "IVF64,Flat"), ("auto", "IVF,Flat")])
def test_inverted_files_of_earlier_snapshots_are_still_read(cells: object, factory: str):
    earlier = {"kind": "faiss", "build": {"nlist": cells}, "search": {"nprobe": 8}}
    assert FaissConfig.model_validate(earlier).build.factory == factory
