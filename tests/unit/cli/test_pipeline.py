from pathlib import Path

import pytest

from artifacts.covisitation import COVISITATION
from artifacts.errors import ArtifactError
from artifacts.progress import SilentProgress
from artifacts.recent_sessions import RECENT_SESSIONS
from cli.pipeline import run_index, run_prepare
from cli.shop import ShopConfig, load_shop
from cli.spaces import CF, run_train
from tests.shop_files import SHOP, write_shop

TABLES = """
[train.tables.covisitation]

[train.tables.sessions]
sessions_per_item = 50
"""


@pytest.fixture
def shop(tmp_path: Path) -> ShopConfig:
    brief = SHOP.replace("epochs = 8", "epochs = 1")
    return load_shop(write_shop(tmp_path, brief + TABLES))


def test_tables_that_were_made_enter_the_snapshot_and_stale_ones_are_refused(shop: ShopConfig):
    progress = SilentProgress()
    run_prepare(shop, progress)
    run_train(shop, (CF,), progress)
    without = run_index(shop, progress)
    assert without.contents.tables == ()
    made = run_train(shop, (COVISITATION, RECENT_SESSIONS), progress)
    snapshot = run_index(shop, progress)
    assert {entry.name for entry in snapshot.contents.tables} == {COVISITATION, RECENT_SESSIONS}
    assert snapshot.id != without.id
    for name, folder in made.items():
        assert snapshot.manifest.inputs[f"tables/{name}"] == folder.name
    sessions = shop.prepare.sessions.model_copy(update={"max_length": 4})
    changed = shop.prepare.model_copy(update={"sessions": sessions})
    tomorrow = shop.model_copy(update={"prepare": changed})
    run_prepare(tomorrow, progress)
    run_train(tomorrow, (CF,), progress)
    with pytest.raises(ArtifactError, match=r"tables/covisitation.* run `shelfmate train` again"):
        run_index(tomorrow, progress)
