from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from artifacts.errors import ConfigError
from artifacts.prepared import HELDOUT_NAME, TRAIN_NAME
from artifacts.progress import SilentProgress
from artifacts.ranker import Ranker
from artifacts.ranking_table import RankingTable
from artifacts.snapshot import Snapshot
from cli.pipeline import run_prepare
from cli.rank import gather_candidates, run_rank
from cli.rank_contexts import draw_places, places, read_later_sessions
from cli.shop import ShopConfig, Workspace, load_shop
from retrieval.queries import Visit
from retrieval.ranking.context import context_of
from retrieval.ranking.features import FeatureComputer
from tests.made_sessions import rows_of, themed_sessions, write_rows

SESSIONS = 400
FRACTION = 0.25

SHOP = f"""
work_dir = "work"

[prepare]
threads = 1

[prepare.events]
path = "events.parquet"

[prepare.events.columns]
user_id = "user_id"
position = "position"
timestamp = "timestamp"

[prepare.split]
kind = "none"

[train.cf]
dimensions = 8
epochs = 2
negative = 3
workers = 1

[train.user]
dimensions = 6
iterations = 2
threads = 1

[train.tables.covisitation]
threads = 1

[train.tables.sessions]

[train.ranker]
rounds = 20
leaves = 7
min_data_in_leaf = 5
threads = 1

[rank]
fraction = {FRACTION}
positions = 3

[evaluate]
resamples = 100

[index]
threads = 1

[[index.spaces]]
space = "cf"
neighbors = 10

[[index.spaces]]
space = "user"
relations = ["continuations"]
neighbors = 0
"""


def _shop(folder: Path, sessions: Sequence[Sequence[str]]) -> ShopConfig:
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "events.parquet", rows_of(sessions))
    (folder / "shop.toml").write_text(SHOP, "utf-8")
    return load_shop(folder / "shop.toml")


def _past(shop: ShopConfig) -> Snapshot:
    snapshots = Workspace(Workspace(shop.work_dir).backdated).snapshots
    return Snapshot.open(snapshots.path(snapshots.ids()[-1]))


def _data(shop: ShopConfig) -> Path:
    return Workspace(Workspace(shop.work_dir).backdated).prepared.current(hint="rank")


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> ShopConfig:
    shop = _shop(tmp_path_factory.mktemp("rank"), themed_sessions(SESSIONS))
    run_prepare(shop, SilentProgress())
    run_rank(shop, SilentProgress())
    return shop


@pytest.fixture(scope="module")
def table(shop) -> RankingTable:
    return RankingTable.open(Workspace(shop.work_dir).ranking_table.current(hint="rank"))


def test_a_ranker_is_sealed_with_its_schema_and_what_it_is_worth(shop, table):
    report, folder = run_rank(shop, SilentProgress())
    ranker = Ranker.open(folder)
    assert ranker.schema == table.schema
    assert ranker.lineage["inputs"]["ranking_table"] == report.table
    assert {method.method for method in report.methods} > {"ranker", "popular", "session_knn"}
    assert report.ceiling.contexts > 0.5
    assert {"cf.continuations.product_last", "user.affinity", "trend.ratio"} < set(
        table.schema.names
    )


def test_an_unchanged_run_does_nothing_twice(shop):
    workspace = Workspace(shop.work_dir)
    before = {path: path.stat().st_mtime_ns for path in workspace.root.rglob("manifest.json")}
    run_rank(shop, SilentProgress())
    after = {path: path.stat().st_mtime_ns for path in workspace.root.rglob("manifest.json")}
    assert before == after


def test_training_and_serving_give_the_same_bytes(shop, table):
    snapshot = _past(shop)
    later = read_later_sessions(_data(shop) / HELDOUT_NAME, clock=True, seed=0)
    drawn = draw_places(later, shop.rank)
    assert len(drawn) == len(table) > 200
    served = FeatureComputer.of(snapshot, table.schema)
    for group, place in list(enumerate(places(later, drawn, 1)))[::17]:
        visits = [Visit(id) for id in snapshot.items.ids(place.visited)]
        context, skipped = context_of(snapshot, visits, user_id=place.user or "")
        own = slice(table.offsets[group], table.offsets[group + 1])
        features = served.features(context, table.rows[own])
        assert features.tobytes() == table.features[own].tobytes()
        assert skipped == ()


def test_labels_are_what_came_next_and_nothing_visited_is_a_candidate(shop, table):
    later = read_later_sessions(_data(shop) / HELDOUT_NAME, clock=True, seed=0)
    for group, place in enumerate(places(later, draw_places(later, shop.rank), 1)):
        own = slice(table.offsets[group], table.offsets[group + 1])
        rows, hits = table.rows[own], np.flatnonzero(table.labels[own])
        assert not set(rows.tolist()) & set(place.visited.tolist())
        assert set(rows[hits].tolist()) == set(place.ahead.tolist()) & set(rows.tolist())
        assert len(hits) + table.missed[group].sum() == 1
        assert np.all(np.diff(rows) > 0)
        assert np.all((table.ranks[own] > 0).any(axis=1))


def test_no_feature_sees_a_session_after_the_cut(shop, table, tmp_path):
    sessions = themed_sessions(SESSIONS)
    first_later = int(SESSIONS * (1 - FRACTION))
    # The same items at the same times, so the same vocabulary, but in other sessions.
    lots = np.random.default_rng(3)
    later = [item for session in sessions[first_later:] for item in session]
    mixed = iter(lots.permutation(later).tolist())
    changed = [[next(mixed) for _ in session] for session in sessions[first_later:]]
    other = _shop(tmp_path, [*sessions[:first_later], *changed])
    run_prepare(other, SilentProgress())
    inputs = gather_candidates(other, SilentProgress())
    earlier, same = (pq.read_table(_data(each) / TRAIN_NAME).to_pylist() for each in (shop, other))
    assert earlier == same
    assert pq.read_table(inputs.backdated.prepared.heldout_sessions) != pq.read_table(
        _data(shop) / HELDOUT_NAME
    )
    before, after = (FeatureComputer.of(_past(each), table.schema) for each in (shop, other))
    users = _past(shop).users
    assert users is not None
    for group in range(0, len(table), 41):
        rows = table.rows[table.offsets[group] : table.offsets[group + 1]]
        visits = [Visit(id) for id in _past(shop).items.ids(rows[:3])]
        contexts = [
            context_of(_past(each), visits, user_id=users.ids.id(0))[0] for each in (shop, other)
        ]
        found = [
            computer.features(context, rows)
            for computer, context in zip((before, after), contexts, strict=True)
        ]
        assert found[0].tobytes() == found[1].tobytes()


def test_a_shop_without_a_ranker_has_none_to_train(shop):
    train = shop.train.model_copy(update={"ranker": None})
    with pytest.raises(ConfigError, match=r"train\.ranker"):
        run_rank(shop.model_copy(update={"train": train}), SilentProgress())
