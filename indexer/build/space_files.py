"""The files of a space on their way into a snapshot."""

from collections.abc import Iterable
from pathlib import Path

from artifacts.content_encoder import ENCODER_FILES, ENCODER_FOLDER, holds_content_encoder
from artifacts.embeddings import OUTPUTS_NAME, ROWS_NAME, VECTORS_NAME
from artifacts.snapshot import UsersEntry
from artifacts.user_space_layout import FOLD_IN_FOLDER, USER_SPACE, USERS_FOLDER
from artifacts.users import UserTable
from indexer.build.inputs import SpaceInput
from indexer.build.linking import link_files


def link_space(space: SpaceInput, snapshot: Path) -> None:
    """Link what serving reads of a space into the folder of a snapshot."""
    target = snapshot / "spaces" / space.table.space
    link_files(space.folder, target, (ROWS_NAME, VECTORS_NAME, OUTPUTS_NAME))
    if holds_content_encoder(space.folder / ENCODER_FOLDER):
        link_files(space.folder / ENCODER_FOLDER, target / ENCODER_FOLDER, ENCODER_FILES)


def link_users(spaces: Iterable[SpaceInput], snapshot: Path) -> UsersEntry | None:
    """Link the shoppers of the user space, or return None if the space is not wanted.

    Args:
        spaces: those that enter the snapshot, already linked.
        snapshot: its folder.

    Raises:
        ArtifactError: the space has no shoppers, or they cannot be read.
    """
    for space in spaces:
        if space.table.space != USER_SPACE:
            continue
        parts = {part: f"spaces/{USER_SPACE}/{part}" for part in (USERS_FOLDER, FOLD_IN_FOLDER)}
        users = UserTable.open(space.folder / USERS_FOLDER)
        for part, target in parts.items():
            link_files(space.folder / part, snapshot / target)
        return UsersEntry(
            space=USER_SPACE,
            folder=parts[USERS_FOLDER],
            fold_in=parts[FOLD_IN_FOLDER],
            users=len(users),
        )
    return None
