"""The items that each of many users gets in an e-mail, as Parquet files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from artifacts.arrays import IntVector
from artifacts.errors import DataError
from artifacts.manifest import fingerprint
from artifacts.neighbors import PAD_ROW, Neighbors
from artifacts.progress import Progress
from artifacts.vocabulary import Vocabulary
from retrieval.campaign_config import CampaignConfig
from retrieval.campaign_folder import CampaignFolder, CampaignIdentity
from retrieval.campaign_ranking import CampaignRanking
from retrieval.user_space import UserSpace

ALL_USERS = "all"
STAGE = "recommend to users"


@dataclass(frozen=True, slots=True)
class CampaignRequest:
    """Who gets what.

    Attributes:
        config: every knob.
        users: user ids in the order wanted, repeats passed over; None for all users, sorted.
        denied: item ids that nobody gets.
    """

    config: CampaignConfig = field(default_factory=CampaignConfig)
    users: Sequence[str] | None = None
    denied: Sequence[str] = ()


class CampaignReport(BaseModel):
    """What came of a campaign."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    users: int
    """Known users, each once."""
    unknown_users: int
    """Ids of the list that training did not know; `unknown_users.parquet` names them."""
    unknown_items: int
    """Denied ids that the shop does not know; `unknown_items.parquet` names them."""
    rows: int
    """Recommendations written."""
    missing: int
    """Recommendations short of k for every user, because the exclusions left no more."""


def recommend_users(
    space: UserSpace,
    items: Vocabulary,
    request: CampaignRequest,
    folder: Path,
    *,
    progress: Progress,
) -> CampaignReport:
    """Write the best items of every user into `folder`, going on where an equal run stopped.

    `recommendations/part-*.parquet` hold user_id, rank (int32, from 1), item_id and score (float32
    inner product), users in order and ranks ascending. A manifest is written last: the campaign is
    whole if and only if it is there.

    Args:
        space: users and items.
        items: the vocabulary that the space was made with.
        request: who gets what.
        folder: a new or empty folder, or one of the same campaign.
        progress: gets one step a user.

    Raises:
        ConfigError: the folder holds another campaign, or other files.
        DataError: no user of the list is known, or no item is left to show.

    Cost: O(u n d) on all cores, memory of a block of scores and one part.
    """
    users, unknown_users = _rows(request.users, space.users.ids)
    denied, unknown_items = _rows(request.denied, items)
    _check(users, denied, space, request)
    identity = _identity(space, request)
    output = CampaignFolder(folder)
    output.claim(identity)
    progress.start(STAGE, total=len(users))
    if output.is_finished:
        progress.finish("the campaign is there already")
        return CampaignReport.model_validate(output.report())
    output.write_unknown(unknown_users, unknown_items)
    ranking = CampaignRanking.of(space, denied, request.config)
    rows = _write_parts(users, ranking, items, output, progress)
    report = CampaignReport(
        users=len(users),
        unknown_users=len(unknown_users),
        unknown_items=len(unknown_items),
        rows=rows,
        missing=len(users) * request.config.k - rows,
    )
    output.finish(fingerprint(identity.model_dump()), identity, report.model_dump())
    progress.finish(f"{rows:,} recommendations for {len(users):,} users")
    return report


def _rows(ids: Sequence[str] | None, vocabulary: Vocabulary) -> tuple[IntVector, list[str]]:
    """Return the rows of the known ids, each once, in order, and the unknown ones."""
    if ids is None:
        return np.arange(len(vocabulary), dtype=np.int32), []
    distinct = list(dict.fromkeys(ids))
    rows = vocabulary.rows(distinct)
    unknown = [id for id, row in zip(distinct, rows, strict=True) if row < 0]
    return rows[rows >= 0], unknown


def _check(users: IntVector, denied: IntVector, space: UserSpace, request: CampaignRequest) -> None:
    if not len(users):
        listed = "none" if request.users is None else f"none of {len(request.users)} listed"
        raise DataError(f"campaign: expected users that training knows, got {listed}")
    if np.isin(space.items.rows, denied).all():
        raise DataError(f"campaign: all {len(space.items)} items of the space are denied")


def _identity(space: UserSpace, request: CampaignRequest) -> CampaignIdentity:
    config = request.config
    return CampaignIdentity(
        embedding=space.id,
        k=config.k,
        exclude_taken=config.exclude_taken,
        users_per_part=config.users_per_part,
        users=ALL_USERS if request.users is None else fingerprint(list(request.users)),
        denied=fingerprint(sorted(set(request.denied))),
    )


def _write_parts(
    users: IntVector,
    ranking: CampaignRanking,
    items: Vocabulary,
    output: CampaignFolder,
    progress: Progress,
) -> int:
    """Write the parts that are missing; return the rows of all parts."""
    rows = 0
    size = ranking.config.users_per_part
    for number, start in enumerate(range(0, len(users), size)):
        members = users[start : start + size]
        path = output.part(number)
        if path.exists():
            progress.advance(len(members))
        else:
            output.write(path, _part(members, ranking, items, progress))
        rows += pq.read_metadata(path).num_rows
    return rows


def _part(
    members: IntVector, ranking: CampaignRanking, items: Vocabulary, progress: Progress
) -> pa.Table:
    tables = []
    for block, best in ranking.blocks(members):
        tables.append(_table(ranking.space.users.ids.ids(block), best, items))
        progress.advance(len(block))
    return pa.concat_tables(tables)


def _table(user_ids: list[str], best: Neighbors, items: Vocabulary) -> pa.Table:
    found = best.rows != PAD_ROW
    lines, ranks = np.nonzero(found)
    return pa.table(
        {
            "user_id": pa.array(user_ids, type=pa.string()).take(pa.array(lines)),
            "rank": pa.array(ranks + 1, type=pa.int32()),
            "item_id": _ids(best.rows[found], items),
            "score": pa.array(best.scores[found], type=pa.float32()),
        }
    )


def _ids(rows: IntVector, items: Vocabulary) -> pa.Array:
    """Look up each distinct row once."""
    distinct, places = np.unique(rows, return_inverse=True)
    return pa.array(items.ids(distinct), type=pa.string()).take(pa.array(places))
