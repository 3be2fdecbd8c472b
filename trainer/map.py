"""A map of a space: what lies together, coloured by category."""

from dataclasses import dataclass
from pathlib import Path

from artifacts.arrays import IntVector
from artifacts.catalog import Catalog
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.folders import write_file
from artifacts.progress import Progress
from trainer.content_config import MapConfig
from trainer.map_groups import group_points
from trainer.map_layout import lay_out
from trainer.map_page import map_page
from trainer.map_picture import map_picture


@dataclass(frozen=True, slots=True)
class MapFiles:
    """What `write_map` wrote."""

    page: Path
    """HTML to explore; it holds all that it needs."""
    picture: Path
    """PNG."""


def write_map(
    table: EmbeddingTable,
    catalog: Catalog | None,
    folder: Path,
    config: MapConfig,
    *,
    progress: Progress,
) -> MapFiles:
    """Draw a space as `<space>.html` and `<space>.png` in `folder`, replacing older ones.

    Args:
        table: any space.
        catalog: titles and categories of the items whose rows the table holds; None for a space of
            other things, which are named by their rows and share one colour.
        folder: an existing or new folder.
        config: the table [map].
        progress: gets the steps of the descent, then a stage for writing.

    Raises:
        DataError: fewer than four vectors, all of one direction, or rows beyond the catalogue.

    Cost: that of `trainer.map_layout.lay_out`; about 5 MB for the page, and 100 bytes an item.
    """
    if catalog is not None and len(table) and int(table.rows[-1]) >= len(catalog):
        raise DataError(
            f"map of space {table.space!r}: expected rows below {len(catalog)}, the length of the "
            f"catalogue, got {int(table.rows[-1])}"
        )
    layout = lay_out(table, config, progress=progress)
    progress.start("draw the map")
    groups = group_points(layout.rows, catalog, config.categories)
    heading = f"Space {table.space}: {len(layout.rows):,} of {len(table):,} items"
    page = map_page(layout.positions, groups, _labels(layout.rows, catalog), heading)
    picture = map_picture(layout.positions, groups, heading)
    folder.mkdir(parents=True, exist_ok=True)
    files = MapFiles(folder / f"{table.space}.html", folder / f"{table.space}.png")
    write_file(files.page, page.encode())
    write_file(files.picture, picture)
    progress.finish(str(files.page))
    return files


def _labels(rows: IntVector, catalog: Catalog | None) -> list[str]:
    titles = [None if catalog is None else catalog.titles[int(row)] for row in rows]
    return [title or f"row {row}" for title, row in zip(titles, rows, strict=True)]
