"""From rows of item files and the items of events to vocabulary and catalogue columns."""

from dataclasses import dataclass

import ibis
from ibis.expr.types import StringValue, Table

from artifacts.catalog import PATH_SEPARATOR
from trainer.config import ItemsConfig
from trainer.events import REASON, blank, pick, unreadable

ATTRIBUTES = ("title", "category_path", "top_category", "brand", "description")


@dataclass(frozen=True, slots=True)
class CheckedItems:
    """Items with a verdict on each.

    Attributes:
        raw: our columns as they came, plus `reason`, null for rows that are taken.
        items: the rows that are taken: item_id, title, category_path, top_category, brand,
            description (text, null where unknown) and price (float64, null where unknown). Ids are distinct.
    """

    raw: Table
    items: Table


def check_items(rows: Table, config: ItemsConfig) -> CheckedItems:
    """Name the columns as we do and judge every row.

    Args:
        rows: rows of the files with a column `line` that numbers them.
        config: which column is which.

    Raises:
        ConfigError: a column of the settings is not in the files.
        DataError: ids are stored as fractions, which cannot hold them.
    """
    mapping = {ours: theirs for ours, theirs in config.columns.model_dump().items() if theirs}
    raw = pick(rows, mapping | {"line": "line"}, "items")
    same_id = ibis.window(group_by=raw.item_id, order_by=raw.line)
    raw = raw.mutate(repeat=ibis.row_number().over(same_id) > 0)
    checks = [(blank(raw.item_id), "missing item_id"), (raw.repeat, "item_id seen before")]
    if "price" in raw.columns:
        checks.append((unreadable(raw, "price"), "unreadable price"))
    raw = raw.mutate(**{REASON: ibis.cases(*checks, else_=ibis.null("string"))})
    return CheckedItems(raw.drop("repeat", "line"), _attributes(raw, config))


def _attributes(raw: Table, config: ItemsConfig) -> Table:
    taken = raw.filter(raw[REASON].isnull())
    text = {name: _text(taken, name) for name in ATTRIBUTES}
    levels = text["category_path"].split(config.path_separator).map(lambda level: level.strip())
    first = levels[0].nullif("")
    price = ibis.null("float64")
    if "price" in taken.columns:
        price = taken.price.try_cast("float64")
    return taken.select(
        item_id=taken.item_id,
        title=text["title"],
        category_path=levels.join(PATH_SEPARATOR).nullif(""),
        top_category=text["top_category"].fill_null(first),
        brand=text["brand"],
        description=text["description"],
        price=price,
    )


def _text(taken: Table, name: str) -> StringValue:
    if name not in taken.columns:
        return ibis.null("string")
    return taken[name].cast("string").strip().nullif("")


def no_items(lines: Table) -> Table:
    """Return an empty table of items, for a shop without a catalogue file."""
    text = {name: ibis.null("string") for name in ATTRIBUTES}
    nothing = lines.filter(ibis.literal(False))
    return nothing.select("item_id", **text, price=ibis.null("float64"))


def vocabulary_rows(items: Table, lines: Table) -> Table:
    """Give every item of catalogue and events its row: item_id, row (int32), sorted by id."""
    ids = items.select("item_id").union(lines.select("item_id"), distinct=True)
    row = ibis.row_number().over(order_by=ids.item_id).cast("int32")
    return ids.mutate(row=row)


def catalog_rows(vocabulary: Table, items: Table) -> Table:
    """Return the attributes of every item of the vocabulary, by row; null where unknown."""
    attributes = items.rename(known_id="item_id")
    joined = vocabulary.left_join(attributes, vocabulary.item_id == attributes.known_id)
    return joined.drop("known_id").order_by("row")
