import pyarrow.parquet as pq
import pytest

from artifacts.errors import ArtifactError
from artifacts.progress import SilentProgress
from cli.campaign import CampaignFiles, run_campaign
from cli.shop import Workspace
from retrieval.campaign_config import CampaignConfig
from tests.made_users import prepare_shoppers, train_users

CONFIG = CampaignConfig(k=3)


def test_campaign_takes_users_vectors_and_lists_from_where_they_lie(tmp_path):
    workspace = Workspace(tmp_path)
    prepared = prepare_shoppers(tmp_path, count=13)
    train_users(prepared, workspace.embedding("user").root)
    (tmp_path / "users.txt").write_text("u4\nstranger\n")
    (tmp_path / "deny.txt").write_text("t4-00\n")
    files = CampaignFiles(tmp_path / "out", tmp_path / "users.txt", tmp_path / "deny.txt")
    report = run_campaign(workspace, files, CONFIG, SilentProgress())
    assert (report.users, report.unknown_users, report.rows) == (1, 1, 3)
    written = pq.read_table(tmp_path / "out" / "recommendations")
    assert written.column("user_id").to_pylist() == ["u4"] * 3
    assert "t4-00" not in written.column("item_id").to_pylist()


def test_without_user_vectors_the_command_that_makes_them_is_named(tmp_path):
    prepare_shoppers(tmp_path, count=13)
    with pytest.raises(ArtifactError, match="run `shelfmate train` first"):
        run_campaign(Workspace(tmp_path), CampaignFiles(tmp_path / "out"), CONFIG, SilentProgress())
    assert not (tmp_path / "out").exists()
