import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from artifacts.arrays import FloatMatrix
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from tests.made_texts import MadeItem, topic_items, topic_of, write_texts
from trainer.content_config import MapConfig
from trainer.map import MapFiles, write_map
from trainer.map_groups import COLOURS, OTHERS, OTHERS_COLOUR, SHAPES, group_points
from trainer.map_layout import lay_out

EACH = 30
ODD = MadeItem("</script><b>$5 & $6</b> 鞋子 " + "x" * 10_000, "_$a$ 鞋子 > Odd")
ITEMS = [*topic_items(EACH), *[ODD] * 5, MadeItem(None, None)]
CONFIG = MapConfig(iterations=100)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Prepared:
    return write_texts(tmp_path_factory.mktemp("made") / "prepared", ITEMS)


def clouds(items: int = len(ITEMS)) -> FloatMatrix:
    """One cloud a topic, in the order of the items."""
    rng = np.random.default_rng(0)
    centres = np.eye(8)[np.arange(items) // EACH]
    return (centres + rng.normal(scale=0.1, size=(items, 8))).astype(np.float32)


def table_of(vectors: FloatMatrix) -> EmbeddingTable:
    return EmbeddingTable("content", np.arange(len(vectors), dtype=np.int32), vectors)


def draw(prepared: Prepared, folder: Path, config: MapConfig = CONFIG) -> MapFiles:
    return write_map(
        table_of(clouds()), prepared.catalog, folder, config, progress=SilentProgress()
    )


def traces(page: str) -> list[dict[str, object]]:
    """Return the data that the page plots."""
    call = page.rindex("Plotly.newPlot(")
    start = page.index("[", call)
    found: list[dict[str, object]] = json.JSONDecoder().raw_decode(page[start:])[0]
    return found


def test_clouds_stay_apart_and_together():
    layout = lay_out(table_of(clouds(4 * EACH)), CONFIG, progress=SilentProgress())
    distances = np.linalg.norm(layout.positions[:, np.newaxis] - layout.positions, axis=2)
    np.fill_diagonal(distances, np.inf)
    topics = np.arange(4 * EACH) // EACH
    assert np.mean(topics[distances.argmin(axis=1)] == topics) == 1


def test_a_seed_gives_the_same_files(prepared, tmp_path):
    first, second = (draw(prepared, tmp_path / name) for name in "ab")
    assert first.page.read_bytes() == second.page.read_bytes()
    assert first.picture.read_bytes() == second.picture.read_bytes()


def test_the_page_names_every_item_as_text_and_loads_nothing(prepared, tmp_path):
    page = draw(prepared, tmp_path).page.read_text("utf-8")
    assert re.findall(r"<(?:script|link)[^>]*(?:src|href)=", page) == []
    assert "<b>$5" not in page
    labels = [label for trace in traces(page) for label in trace["text"]]  # type: ignore[attr-defined]  # JSON
    assert len(labels) == len(ITEMS)
    assert sum(label.startswith("&lt;/script&gt;&lt;b&gt;$5 &amp; $6") for label in labels) == 5
    assert f"row {len(ITEMS) - 1}" in labels
    assert {item.title for item in ITEMS[: 4 * EACH]} <= set(labels)


def test_the_picture_shows_the_colour_of_every_group(prepared, tmp_path):
    pixels = imread(io.BytesIO(draw(prepared, tmp_path).picture.read_bytes()))
    assert pixels.shape == (1080, 1440, 4)
    seen = {tuple(colour) for colour in (pixels[..., :3].reshape(-1, 3) * 255).round().astype(int)}
    for colour in COLOURS[:4]:
        # The legend's marks are opaque.
        assert tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5)) in seen


def test_small_categories_share_a_mark(prepared):
    rows = np.arange(len(ITEMS), dtype=np.int32)
    others, *named = group_points(rows, prepared.catalog, 4)
    assert (others.name, others.colour, len(others.points)) == (OTHERS, OTHERS_COLOUR, 6)
    assert [group.name for group in named] == ["Dairy", "Fruit", "Tools", "Хлеб"]
    for group in named:
        assert {topic_of(ITEMS)[point] for point in group.points} == {group.name}


def test_marks_of_all_groups_differ(tmp_path):
    items = [MadeItem("x", f"Category {number:02d}") for number in range(30)]
    catalog = write_texts(tmp_path / "prepared", items).catalog
    groups = group_points(np.arange(30, dtype=np.int32), catalog, len(COLOURS) * len(SHAPES))
    assert len({(group.colour, group.shape) for group in groups}) == len(groups) == 25


def test_a_large_space_is_sampled_by_the_seed():
    config = MapConfig(points=40, iterations=1)
    first, second = (
        lay_out(table_of(clouds()), config, progress=SilentProgress()) for _ in range(2)
    )
    assert len(np.unique(first.rows)) == 40
    np.testing.assert_array_equal(first.rows, second.rows)
    other = config.model_copy(update={"seed": 1})
    third = lay_out(table_of(clouds()), other, progress=SilentProgress())
    assert not np.array_equal(first.rows, third.rows)


def test_a_space_without_a_catalogue_is_drawn_in_one_colour(tmp_path):
    files = write_map(table_of(clouds()), None, tmp_path, CONFIG, progress=SilentProgress())
    (trace,) = traces(files.page.read_text("utf-8"))
    assert trace["text"] == [f"row {row}" for row in range(len(ITEMS))]


def test_four_points_are_enough():
    layout = lay_out(table_of(clouds()[:4]), CONFIG, progress=SilentProgress())
    assert np.isfinite(layout.positions).all()


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (clouds()[:3], "at least 4 vectors, got 3"),
        (np.ones((9, 3), np.float32), "vectors that differ"),
        (clouds(len(ITEMS) + 1), f"rows below {len(ITEMS)}"),
    ],
)
def test_what_cannot_be_drawn_is_an_error_and_leaves_nothing(prepared, tmp_path, vectors, message):
    with pytest.raises(DataError, match=message):
        write_map(
            table_of(vectors),
            prepared.catalog,
            tmp_path / "maps",
            CONFIG,
            progress=SilentProgress(),
        )
    assert not (tmp_path / "maps").exists()
