"""Small prepared data whose texts speak of one topic each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.catalog import PATH_SEPARATOR, write_catalog
from artifacts.folders import staged_folder
from artifacts.manifest import seal
from artifacts.prepared import Prepared
from artifacts.vocabulary import write_vocabulary

TOPICS = {
    "Fruit": ("apple", "banana", "cherry", "mango", "pear", "plum", "grape", "melon"),
    "Dairy": ("milk", "butter", "cheddar", "yogurt", "cream", "brie", "kefir", "whey"),
    "Tools": ("hammer", "wrench", "pliers", "drill", "chisel", "sander", "clamp", "vise"),
    "Хлеб": ("батон", "ржаной", "булка", "сухари", "лаваш", "багет", "пирог", "калач"),
}
EVERYWHERE = ("fresh", "large", "pack", "value")


@dataclass(frozen=True, slots=True)
class MadeItem:
    """Texts of one item."""

    title: str | None = None
    path: str | None = None
    description: str | None = None


def topic_items(each: int, *, seed: int = 0) -> list[MadeItem]:
    """Return `each` items a topic, topic by topic: three words of the topic, two of no meaning."""
    rng = np.random.default_rng(seed)
    return [
        MadeItem(
            title=" ".join([*rng.choice(words, 3), *rng.choice(EVERYWHERE, 2)]).title(),
            path=f"{topic} > {topic} shelf",
        )
        for topic, words in TOPICS.items()
        for _ in range(each)
    ]


def topic_of(items: Sequence[MadeItem]) -> list[str]:
    """Return the first level of each item's path."""
    return [(item.path or "").split(PATH_SEPARATOR)[0] for item in items]


def write_texts(folder: Path, items: Sequence[MadeItem], *, id: str = "made") -> Prepared:
    """Write prepared data that holds nothing but these texts."""
    with staged_folder(folder) as staging:
        write_vocabulary(staging / "items", [f"item-{row:04d}" for row in range(len(items))])
        write_catalog(
            staging / "catalog",
            titles=[item.title for item in items],
            category_paths=[item.path for item in items],
            top_categories=topic_of(items),
            brands=[None] * len(items),
            prices=np.full(len(items), np.nan, dtype=np.float32),
            popularity=np.ones(len(items), dtype=np.int32),
            descriptions=[item.description for item in items],
        )
        seal(staging, kind="prepared", id=id, config={}, inputs={}, versions={})
    return Prepared.open(folder)
