"""The command `recommend-users`, composed: what it reads and writes."""

from dataclasses import dataclass
from pathlib import Path

from artifacts.progress import Progress
from artifacts.user_space_layout import USER_SPACE
from cli.id_list import read_ids
from cli.shop import Workspace
from cli.training_inputs import embedding_folder, open_prepared
from retrieval.campaign import CampaignReport, CampaignRequest, recommend_users
from retrieval.campaign_config import CampaignConfig
from retrieval.user_space import UserSpace


@dataclass(frozen=True, slots=True)
class CampaignFiles:
    """Files of a campaign.

    Attributes:
        out: folder to be written; new, empty, or of the same campaign.
        users: list of user ids; None for all users.
        deny: list of item ids that nobody gets, or None.
    """

    out: Path
    users: Path | None = None
    deny: Path | None = None


def run_campaign(
    workspace: Workspace, files: CampaignFiles, config: CampaignConfig, progress: Progress
) -> CampaignReport:
    """Write the top items of many users, from the user vectors in use.

    Raises:
        ArtifactError: there are no user vectors, or they are of another data set.
        ConfigError: the folder holds another campaign.
        DataError: a list cannot be read, or nothing of it is known.
    """
    request = CampaignRequest(
        config=config,
        users=read_ids(files.users, "user_id") if files.users else None,
        denied=read_ids(files.deny, "item_id") if files.deny else (),
    )
    space = UserSpace.open(embedding_folder(workspace, USER_SPACE))
    items = open_prepared(workspace).items
    return recommend_users(space, items, request, files.out, progress=progress)
