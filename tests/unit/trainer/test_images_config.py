from pathlib import Path

import pytest
from pydantic import ValidationError

from trainer.images_config import FineTuneConfig, ImagesConfig


def test_a_bottleneck_needs_fine_tuning():
    with pytest.raises(ValidationError, match="learned by fine-tuning"):
        ImagesConfig(reduction="bottleneck")
    assert ImagesConfig(reduction="bottleneck", fine_tune=FineTuneConfig())


def test_blocks_cannot_learn_where_none_are_named():
    with pytest.raises(ValidationError, match="`epochs` must be 0"):
        FineTuneConfig(blocks=0)
    assert FineTuneConfig(blocks=0, epochs=0)


def test_a_single_table_is_a_list_of_one():
    config = ImagesConfig.model_validate({"table": "pictures.csv"})
    assert config.table == ("pictures.csv",)


def test_relative_paths_start_where_they_are_told_to():
    config = ImagesConfig(table=("a.csv", "/b.csv"), folder="p", weights="w.h5", cache_dir="c")
    anchored = config.anchored(Path("/shop"))
    assert anchored.table == ("/shop/a.csv", "/b.csv")
    assert [anchored.folder, anchored.weights, anchored.cache_dir] == [
        "/shop/p",
        "/shop/w.h5",
        "/shop/c",
    ]


@pytest.mark.parametrize("weights", ["imagenet", "random"])
def test_named_weights_are_no_files(weights):
    assert ImagesConfig(weights=weights).anchored(Path("/shop")).weights == weights


def test_where_and_how_fast_do_not_count():
    plain, moved = ImagesConfig(), ImagesConfig(cache_dir="c", batch=1, folder="f", table=("t",))
    assert plain.what_counts() == moved.what_counts()
    assert plain.what_counts() != ImagesConfig(size=100).what_counts()
