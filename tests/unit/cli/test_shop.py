from pathlib import Path

from cli.shop import load_shop

PATHS = """
work_dir = "work"

[prepare.events]
path = ["events.csv", "/elsewhere/events.csv"]

[prepare.sessions]
order = "none"

[prepare.items]
path = "items.csv"

[train.image]
table = "pictures.csv"
folder = "pictures"
cache_dir = "cache"
weights = "tuned.h5"

[[index.spaces]]
space = "cf"
"""


def test_relative_paths_start_at_the_folder_of_the_shop_file(tmp_path: Path):
    (tmp_path / "shop.toml").write_text(PATHS, "utf-8")
    shop = load_shop(tmp_path / "shop.toml")
    image = shop.train.image
    assert shop.work_dir == tmp_path / "work"
    assert shop.prepare.events.path == (str(tmp_path / "events.csv"), "/elsewhere/events.csv")
    assert shop.prepare.items is not None
    assert shop.prepare.items.path == (str(tmp_path / "items.csv"),)
    assert image is not None
    assert image.table == (str(tmp_path / "pictures.csv"),)
    assert [image.folder, image.cache_dir, image.weights] == [
        str(tmp_path / name) for name in ("pictures", "cache", "tuned.h5")
    ]


def test_pictures_lie_beside_the_shop_file_unless_a_folder_is_named(tmp_path: Path):
    text = PATHS.replace('folder = "pictures"', "").replace('weights = "tuned.h5"', "")
    (tmp_path / "shop.toml").write_text(text, "utf-8")
    image = load_shop(tmp_path / "shop.toml").train.image
    assert image is not None
    assert (image.folder, image.weights) == (str(tmp_path), "imagenet")
