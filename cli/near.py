"""The command `near`: products near a brand, a category or any other metadata token."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from artifacts.arrays import FloatMatrix, unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ConfigError
from artifacts.metadata import METADATA_FOLDER, MetadataTable
from artifacts.relation import Relation
from cli.shop import ShopConfig, Workspace
from cli.training_inputs import embedding_folder, open_prepared
from trainer.ranking import best_positions

SPACE = "meta"
CLOSE = 5
"""Tokens that are offered in place of one that is unknown."""


@dataclass(frozen=True, slots=True)
class NearProduct:
    """A product of an answer."""

    score: float
    item_id: str
    title: str
    category: str


def run_near(
    shop: ShopConfig, tokens: Sequence[str], relation: Relation, k: int
) -> list[NearProduct]:
    """Return the k products nearest to all `tokens` together, best first, searched exactly.

    Args:
        shop: names the work folder; its space `meta` is trained.
        tokens: ids `column=value`; several ask by the sum of their unit vectors.
        relation: what is asked for.
        k: products wanted; fewer where there are no more.

    Raises:
        ConfigError: a token is unknown; those most like it are named.
        ArtifactError: the space is not trained, or from another data set than the one in use.
    """
    workspace = Workspace(shop.work_dir)
    folder = embedding_folder(workspace, SPACE)
    table = EmbeddingTable.open(folder, SPACE)
    query = _query(MetadataTable.open(folder / METADATA_FOLDER), tokens)
    targets = table.targets(relation)
    if relation is Relation.ALTERNATIVES:
        query, targets = unit_rows(query), unit_rows(targets)
    scores = (query @ targets.T)[0]
    prepared = open_prepared(workspace)
    found = []
    for place in best_positions(scores, k).tolist():
        row = int(table.rows[place])
        attributes = prepared.catalog.attributes(row)
        found.append(
            NearProduct(
                score=float(scores[place]),
                item_id=prepared.items.id(row),
                title=attributes.title or "",
                category=attributes.category_path or attributes.top_category,
            )
        )
    return found


def _query(metadata: MetadataTable, tokens: Sequence[str]) -> FloatMatrix:
    """Return the (1, d) vector to ask with."""
    rows = metadata.tokens.rows(tokens)
    for token, row in zip(tokens, rows.tolist(), strict=True):
        if row < 0:
            raise _unknown(token, metadata)
    if len(rows) == 1:
        return np.array(metadata.vectors[rows])
    summed: FloatMatrix = unit_rows(metadata.vectors[rows]).sum(axis=0, keepdims=True)
    return summed


def _unknown(token: str, metadata: MetadataTable) -> ConfigError:
    ids = metadata.tokens.ids(list(range(len(metadata))))
    close = get_close_matches(token, ids, CLOSE, cutoff=0.4)
    columns = list(dict.fromkeys(str(column) for column in metadata.columns))
    return ConfigError(
        f"near: expected a metadata token `column=value`, got {token!r}; columns are "
        f"{', '.join(columns)}; most like it are: {', '.join(close) or 'none'}"
    )
