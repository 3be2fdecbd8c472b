import numpy as np
import pytest

from artifacts.errors import ArtifactError
from artifacts.manifest import read_manifest, verify
from artifacts.progress import SilentProgress
from artifacts.recent_sessions import SUPPORT_NAME, RecentSessions
from artifacts.versions import VersionedRoot
from tests.made_lists import ragged, random_lists
from tests.made_users import prepare_shoppers
from trainer.recent_sessions import make_recent_sessions, recent_sessions
from trainer.tables_config import RecentSessionsConfig

ITEMS = 20
SESSIONS = random_lists(90, ITEMS - 1, seed=5)


@pytest.mark.parametrize("most", [1, 4, 1_000])
def test_each_item_keeps_its_most_recent_sessions(most):
    table = recent_sessions(ragged(SESSIONS), ITEMS, RecentSessionsConfig(sessions_per_item=most))
    for item in range(ITEMS):
        numbers = table.item_sessions.row(item)
        kept = [table.session_items.row(number).tolist() for number in numbers]
        expected = [sorted(set(one)) for one in reversed(SESSIONS) if item in one][:most]
        assert kept == expected
        assert np.all(np.diff(numbers) < 0)


def test_sessions_that_no_item_keeps_are_left_out_but_counted():
    sessions = [[0, 1], [0, 1], [0, 1], [2]]
    table = recent_sessions(ragged(sessions), 4, RecentSessionsConfig(sessions_per_item=1))
    assert (table.total, len(table.session_items)) == (4, 2)
    assert table.support.tolist() == [3, 3, 1, 0]


def test_version_is_sealed_opened_and_reused(tmp_path):
    prepared = prepare_shoppers(tmp_path)
    root = VersionedRoot(tmp_path / "tables")
    config = RecentSessionsConfig(sessions_per_item=3)
    folder = make_recent_sessions(prepared, config, root, progress=SilentProgress())
    verify(folder, read_manifest(folder, "table"))
    assert make_recent_sessions(prepared, config, root, progress=SilentProgress()) == folder
    table = RecentSessions.open(folder)
    assert table.total == 60
    assert table.item_sessions.lengths.max() == 3


def test_files_that_disagree_are_refused(tmp_path):
    prepared = prepare_shoppers(tmp_path)
    root = VersionedRoot(tmp_path / "tables")
    folder = make_recent_sessions(prepared, RecentSessionsConfig(), root, progress=SilentProgress())
    np.save(folder / SUPPORT_NAME, np.zeros(3, dtype=np.int32))
    with pytest.raises(ArtifactError, match="3 supports"):
        RecentSessions.open(folder)
    (folder / SUPPORT_NAME).unlink()
    with pytest.raises(ArtifactError, match="recent sessions cannot be opened"):
        RecentSessions.open(folder)
