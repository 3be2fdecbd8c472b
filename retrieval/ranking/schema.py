"""Which features a snapshot can compute."""

from collections.abc import Sequence

from artifacts.ranker import FeatureSchema, FeatureSpec, ListSettings
from artifacts.snapshot import Snapshot
from retrieval.availability import Availability
from retrieval.ranking.candidate_lists import source_names
from retrieval.ranking.feature_input import FeatureBlock
from retrieval.ranking.item_facts import CategoryPaths
from retrieval.ranking.item_features import (
    BrandFeatures,
    CategoryFeatures,
    PopularityFeatures,
    PriceFeatures,
    StockFeatures,
    TrendFeatures,
)
from retrieval.ranking.list_features import ListFeatures
from retrieval.ranking.shopper_features import ShopperFeatures
from retrieval.ranking.similarity_features import similarity_blocks
from retrieval.ranking.visit_features import CovisitationFeatures, VisitFeatures
from retrieval.user_space import UserSpace

SCHEMA_VERSION = 1
"""Raised whenever the code of this package gives other bytes for the same name."""


def schema_of(
    snapshot: Snapshot,
    *,
    lists: ListSettings | None = None,
    clock: bool = True,
    extra: Sequence[str] = (),
) -> FeatureSchema:
    """Return all that a snapshot can compute, then what the caller sends.

    Args:
        snapshot: what is looked up in.
        lists: how candidates are gathered; the defaults where it is None.
        clock: whether the order of the sessions is that of time, so that there are trends.
        extra: names of the columns that callers send.

    Cost: that of `blocks_of`.
    """
    settings = lists or ListSettings()
    sources = source_names(snapshot, settings)
    computed = [
        spec
        for block in blocks_of(snapshot, sources, Availability(0))
        if clock or not isinstance(block, TrendFeatures)
        for spec in block.specs
    ]
    sent = [FeatureSpec(name=name, from_caller=True) for name in extra]
    return FeatureSchema(
        version=SCHEMA_VERSION,
        features=(*computed, *sent),
        sources=sources,
        lists=settings,
    )


def blocks_of(
    snapshot: Snapshot, sources: Sequence[str], availability: Availability
) -> list[FeatureBlock]:
    """Return what computes the columns of a snapshot, in their order.

    Cost: one pass over the catalogue and the table of sessions, some seconds for millions of items.
    """
    catalog, users = snapshot.catalog, UserSpace.of_snapshot(snapshot)
    paths = CategoryPaths.of(catalog.category_paths)
    blocks: list[FeatureBlock] = [
        ListFeatures(sources),
        *similarity_blocks(snapshot),
        VisitFeatures(),
    ]
    if snapshot.covisitation is not None:
        blocks.append(CovisitationFeatures(snapshot.covisitation, catalog.popularity))
    blocks.append(PopularityFeatures(catalog))
    if snapshot.recent_sessions is not None:
        blocks.append(TrendFeatures(snapshot.recent_sessions))
    blocks += [PriceFeatures(catalog), CategoryFeatures(paths), BrandFeatures(catalog)]
    if users is not None:
        blocks.append(ShopperFeatures(users, paths))
    blocks.append(StockFeatures(availability))
    return blocks
