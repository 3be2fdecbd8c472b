"""What a shop's bands and a caller remove stays removed on the wire."""

from collections.abc import Iterator

import numpy as np
import pytest

from artifacts.relation import Relation
from indexer.bands import limits_of
from retrieval.state import load_state
from shelfmate.client import Client, Options, Recommendations
from tests.serving import serving
from tests.shop import BANDS, DIM, ITEMS, TABLE_K, build_shop, item_id

ROW = 0
"""Of a category with the thresholds of the shop."""

MAX_TO_SOURCE, MAX_BETWEEN = limits_of(BANDS)[:2].tolist()


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory):
    return build_shop(tmp_path_factory.mktemp("banded"), bands=BANDS)


@pytest.fixture(scope="module")
def client(snapshots, tiny_configs, tmp_path_factory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("serving")
    with serving(snapshots, folder, tiny_configs) as child, Client(child.target) as client:
        yield client


@pytest.fixture(scope="module")
def unit(snapshots) -> dict[str, np.ndarray]:
    """Unit vector of each item that has one."""
    state = load_state(snapshots.current(hint="build_shop"))
    table = state.snapshot.spaces["cf"]
    vectors = np.asarray(table.vectors, dtype=np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return dict(zip([item_id(int(row)) for row in table.rows], vectors, strict=True))


def closest(answer: Recommendations, unit: dict[str, np.ndarray]) -> tuple[float, float]:
    """Highest cosine with the query, and highest between any two results."""
    vectors = np.array([unit.get(id, np.zeros(DIM)) for id in answer.item_ids])
    between = np.triu(vectors @ vectors.T, 1)
    return float((vectors @ unit[item_id(ROW)]).max()), float(between.max())


@pytest.mark.parametrize("relation", list(Relation))
def test_list_that_goes_on_beyond_the_table_keeps_to_the_bands(client, unit, relation):
    answer = client.similar([item_id(ROW)], Options(k=ITEMS, relation=relation.value)).outcomes[0]
    assert {item.source for item in answer.items} == {"precomputed", "live", "popular"}
    assert len(answer.items) > TABLE_K
    to_query, between = closest(answer, unit)
    assert to_query < MAX_TO_SOURCE
    assert between < MAX_BETWEEN
    assert answer.shortfall == "filtered"
    assert answer.removed["too_close_to_query"] >= 1
    assert answer.removed["too_close_to_result"] >= 1


def test_of_shop_and_caller_the_stricter_one_holds(client, unit):
    options = Options(k=ITEMS, max_similarity_to_query=0.99, max_similarity_between_results=0.5)
    for answer in (
        client.similar([item_id(ROW)], options).outcomes[0],
        client.neighbors([item_id(ROW)], options).outcomes[0],
        client.neighbors([item_id(ROW)], options, exact=True).outcomes[0],
    ):
        to_query, between = closest(answer, unit)
        assert 0.5 < to_query < MAX_TO_SOURCE
        assert 0.4 < between < 0.5
