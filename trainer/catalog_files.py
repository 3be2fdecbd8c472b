"""Write vocabulary and catalogue of a prepared data set."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from ibis.expr.types import Table

from artifacts.arrays import IntVector
from artifacts.catalog import UNCATEGORISED, Catalog, write_catalog
from artifacts.prepared import CATALOG_FOLDER, ITEMS_FOLDER
from artifacts.vocabulary import write_vocabulary
from trainer.catalog_rows import catalog_rows
from trainer.data_report import ItemCounts
from trainer.engine import Engine
from trainer.sessions import KEPT


def write_items(
    engine: Engine, folder: Path, *, vocabulary: Table, items: Table, sessions: Table
) -> ItemCounts:
    """Write ids and attributes of all items in row order, and count them.

    Args:
        engine: runs the queries.
        folder: gets `items/` and `catalog/`.
        vocabulary: item_id and row of every item.
        items: attributes, as `check_items` gives them.
        sessions: as `sessions_of` gives them; popularity counts the kept training ones.

    Cost: ids and attributes of all items in memory.
    """
    rows: pa.Table = engine.fetch(catalog_rows(vocabulary, items))
    columns = {name: rows.column(name).to_pylist() for name in ("item_id", "title")}
    write_vocabulary(folder / ITEMS_FOLDER, columns["item_id"])
    prices = rows.column("price").cast(pa.float32()).fill_null(float("nan"))
    catalog = write_catalog(
        folder / CATALOG_FOLDER,
        titles=columns["title"],
        category_paths=rows.column("category_path").to_pylist(),
        top_categories=rows.column("top_category").to_pylist(),
        brands=rows.column("brand").to_pylist(),
        prices=prices.to_numpy(),
        popularity=_popularity(engine, sessions, len(rows)),
        descriptions=rows.column("description").to_pylist(),
    )
    categories = _by_category(catalog)
    return ItemCounts(
        all=len(rows),
        not_in_catalog=len(rows) - _count(engine, items),
        in_training=int(np.count_nonzero(catalog.popularity)),
        without_title=columns["title"].count(None),
        without_category=categories.get(UNCATEGORISED, 0),
        categories=categories,
    )


def _popularity(engine: Engine, sessions: Table, items: int) -> IntVector:
    """Return (items,) int32, the kept training sessions that hold each item."""
    kept = sessions.filter((sessions.verdict == KEPT) & ~sessions.heldout)
    holds = kept.select(row=kept["items"].unique().unnest())
    counts: pa.Table = engine.fetch(holds.group_by("row").agg(sessions=holds.count()))
    popularity = np.zeros(items, dtype=np.int32)
    popularity[counts.column("row").to_numpy()] = counts.column("sessions").to_numpy()
    return popularity


def _count(engine: Engine, table: Table) -> int:
    return int(engine.fetch(table.agg(rows=table.count())).column("rows")[0].as_py())


def _by_category(catalog: Catalog) -> dict[str, int]:
    sizes = np.bincount(catalog.category_codes, minlength=len(catalog.categories))
    counts = zip(catalog.categories, sizes.tolist(), strict=True)
    return dict(sorted(counts, key=lambda entry: (-entry[1], entry[0])))
