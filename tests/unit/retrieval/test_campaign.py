from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from artifacts.errors import ConfigError, DataError
from artifacts.manifest import MANIFEST_NAME, read_manifest, verify
from artifacts.progress import SilentProgress
from artifacts.vocabulary import Vocabulary, write_vocabulary
from retrieval import campaign_ranking
from retrieval.campaign import CampaignReport, CampaignRequest, recommend_users
from retrieval.campaign_config import CampaignConfig
from retrieval.campaign_folder import UNKNOWN_ITEMS_NAME, UNKNOWN_USERS_NAME
from retrieval.user_space import UserSpace
from tests.made_users import USERS, random_users

Scored: TypeAlias = list[tuple[str, float]]  # item, score

CONFIG = CampaignConfig(k=5, users_per_part=3)
EVERYONE = [f"u{number}" for number in range(USERS)]


@pytest.fixture(scope="module")
def items(tmp_path_factory) -> Vocabulary:
    return write_vocabulary(tmp_path_factory.mktemp("items"), [f"i{row:02d}" for row in range(40)])


@pytest.fixture(scope="module")
def space(tmp_path_factory) -> UserSpace:
    return random_users(tmp_path_factory.mktemp("user"), 40)


@pytest.fixture
def run(items, space, tmp_path):
    def run_campaign(folder="out", config=CONFIG, users=None, denied=()) -> CampaignReport:
        request = CampaignRequest(config=config, users=users, denied=denied)
        return recommend_users(space, items, request, tmp_path / folder, progress=SilentProgress())

    return run_campaign


def lists_in(folder) -> dict[str, Scored]:
    """Return (item, score) by rank of every user, as the parts say it."""
    found: dict[str, Scored] = {}
    for path in sorted(folder.glob("recommendations/*.parquet")):
        for row in pq.read_table(path).to_pylist():
            of_user = found.setdefault(row["user_id"], [])
            assert row["rank"] == len(of_user) + 1
            of_user.append((row["item_id"], row["score"]))
    return found


def twin(items, space, user: str, k: int, *, denied=(), exclude_taken=True):
    """Return the best items of a user by scoring all of them one by one."""
    row = space.users.row(user)
    taken = set(space.users.taken(row)[0].tolist()) if exclude_taken else set()
    scored = [
        (-float(np.dot(space.users.vectors[row], factors)), int(item))
        for item, factors in zip(space.items.rows, space.factors, strict=True)
        if item not in taken and items.id(int(item)) not in denied
    ]
    return [(items.id(item), -score) for score, item in sorted(scored)[:k]]


def assert_lists_equal(found: Scored, expected: Scored) -> None:
    assert [item for item, _ in found] == [item for item, _ in expected]
    np.testing.assert_allclose(
        [score for _, score in found], [score for _, score in expected], rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("exclude_taken", [True, False])
def test_lists_are_the_best_by_exact_score(items, space, run, tmp_path, exclude_taken):
    config = CONFIG.model_copy(update={"exclude_taken": exclude_taken})
    report = run(config=config)
    lists = lists_in(tmp_path / "out")
    assert list(lists) == EVERYONE
    for user, found in lists.items():
        assert_lists_equal(found, twin(items, space, user, 5, exclude_taken=exclude_taken))
    assert report == CampaignReport(
        users=USERS, unknown_users=0, unknown_items=0, rows=5 * USERS, missing=0
    )


def test_neither_threads_nor_blocks_change_the_lists(run, tmp_path, monkeypatch):
    run("two", CONFIG.model_copy(update={"threads": 2}))
    monkeypatch.setattr(campaign_ranking, "MEGABYTE", 100)  # one user a block
    run("one", CONFIG.model_copy(update={"threads": 1, "block_mb": 1}))
    assert lists_in(tmp_path / "one") == lists_in(tmp_path / "two")


def test_denied_items_reach_nobody_and_unknown_ones_are_listed(items, space, run, tmp_path):
    best = {item for user in EVERYONE for item, _ in twin(items, space, user, 2)}
    report = run(denied=[*sorted(best), "no such item"])
    for user, found in lists_in(tmp_path / "out").items():
        assert_lists_equal(found, twin(items, space, user, 5, denied=best))
    assert report.unknown_items == 1
    unknown = pq.read_table(tmp_path / "out" / UNKNOWN_ITEMS_NAME)
    assert unknown.column("item_id").to_pylist() == ["no such item"]


def test_listed_users_come_in_order_once_each_and_unknown_ones_are_listed(run, tmp_path):
    report = run(users=["u5", "stranger", "u1", "u5", ""])
    assert list(lists_in(tmp_path / "out")) == ["u5", "u1"]
    assert (report.users, report.unknown_users) == (2, 2)
    unknown = pq.read_table(tmp_path / "out" / UNKNOWN_USERS_NAME)
    assert unknown.column("user_id").to_pylist() == ["stranger", ""]


def test_lists_that_run_out_are_short_and_counted(items, space, run, tmp_path):
    report = run(config=CampaignConfig(k=200))
    lists = lists_in(tmp_path / "out")
    for user, found in lists.items():
        taken = len(space.users.taken(space.users.row(user))[0])
        assert len(found) == len(space.items) - taken
    assert report.missing == 200 * USERS - report.rows > 0


def test_columns_have_their_types(run, tmp_path):
    run()
    schema = pq.read_schema(tmp_path / "out" / "recommendations" / "part-00000.parquet")
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        "user_id": pa.string(),
        "rank": pa.int32(),
        "item_id": pa.string(),
        "score": pa.float32(),
    }


def test_finished_folder_is_sealed_and_a_second_run_changes_nothing(run, tmp_path):
    report = run()
    folder = tmp_path / "out"
    verify(folder, read_manifest(folder, "campaign"))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert run() == report
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


class Interruption(Exception):
    pass


class StopsAfter(SilentProgress):
    def __init__(self, users: int) -> None:
        self.left = users

    def advance(self, amount: int = 1) -> None:
        if self.left <= 0:
            raise Interruption
        self.left -= amount


def test_interrupted_campaign_goes_on_and_keeps_its_finished_parts(items, space, run, tmp_path):
    folder = tmp_path / "out"
    with pytest.raises(Interruption):
        recommend_users(space, items, CampaignRequest(CONFIG), folder, progress=StopsAfter(3))
    parts = folder / "recommendations"
    assert [path.name for path in parts.iterdir()] == ["part-00000.parquet"]
    assert not (folder / MANIFEST_NAME).exists()
    written = (parts / "part-00000.parquet").stat().st_mtime_ns
    (parts / ".part-00001.parquet.staging-abcd").write_bytes(b"of a process that was killed")
    resumed = run()
    assert (parts / "part-00000.parquet").stat().st_mtime_ns == written
    assert resumed == run("whole")
    assert lists_in(folder) == lists_in(tmp_path / "whole")
    verify(folder, read_manifest(folder, "campaign"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"config": CONFIG.model_copy(update={"k": 7})}, "k was 5, is 7"),
        ({"users": ["u1"]}, "users was all, is "),
        ({"denied": ["i02"]}, "denied was "),
    ],
    ids=["k", "users", "denied"],
)
def test_folder_of_another_campaign_is_refused(run, change, words):
    run()
    with pytest.raises(ConfigError, match=f"holds another campaign: {words}"):
        run(**change)


def test_threads_and_blocks_do_not_make_another_campaign(run):
    report = run()
    assert run(config=CONFIG.model_copy(update={"threads": 1, "block_mb": 1})) == report


def test_folder_of_other_files_is_refused(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear customer")
    with pytest.raises(ConfigError, match="expected a new or empty folder"):
        run()


def test_a_list_that_nobody_is_known_of_is_refused(run, tmp_path):
    with pytest.raises(DataError, match="none of 2 listed"):
        run(users=["stranger", "other"])
    assert not (tmp_path / "out").exists()


def test_denying_everything_is_refused(items, space, run, tmp_path):
    with pytest.raises(DataError, match="are denied"):
        run(denied=items.ids(space.items.rows))
    assert not (tmp_path / "out").exists()
