import logging

import numpy as np
import pytest

from artifacts.folders import staged_folder
from trainer.feature_cache import FEATURES_NAME, KEYS_NAME, FeatureCache

WIDTH = 8


def keys(*numbers: int) -> list[str]:
    return [f"{number:032x}" for number in numbers]


def features(*numbers: int) -> np.ndarray:
    return np.stack([np.full(WIDTH, number, dtype=np.float32) for number in numbers])


def test_what_was_added_is_there_the_next_time_in_any_order(tmp_path):
    cache = FeatureCache(tmp_path, WIDTH)
    cache.add(keys(1, 2), features(1, 2))
    cache.add(keys(0, 3), features(0, 3))
    for known in (cache, FeatureCache(tmp_path, WIDTH)):
        assert len(known) == 4
        np.testing.assert_array_equal(known.features(keys(3, 1, 3, 0)), features(3, 1, 3, 0))


def test_missing_keys_come_once_and_in_their_order(tmp_path):
    cache = FeatureCache(tmp_path, WIDTH)
    cache.add(keys(1, 2), features(1, 2))
    assert cache.missing(keys(9, 2, 5, 9, 1)) == keys(9, 5)
    assert keys(2)[0] in cache
    assert keys(5)[0] not in cache


def test_features_are_kept_to_half_precision(tmp_path):
    drawn = np.random.default_rng(0).random((2, WIDTH), dtype=np.float32)
    cache = FeatureCache(tmp_path, WIDTH)
    cache.add(keys(0, 1), drawn)
    np.testing.assert_allclose(cache.features(keys(0, 1)), drawn, rtol=2**-11)


def test_adding_a_shard_twice_changes_nothing(tmp_path):
    for _ in range(2):
        FeatureCache(tmp_path, WIDTH).add(keys(1), features(1))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_shard_that_was_not_finished_is_not_seen(tmp_path):
    def interrupted() -> None:
        with staged_folder(tmp_path / "shard-1") as folder:
            np.save(folder / KEYS_NAME, np.array(keys(1), dtype="S32"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(FeatureCache(tmp_path, WIDTH)) == 0


@pytest.mark.parametrize("damage", ["cut", "absent", "other width"])
def test_a_damaged_shard_is_dropped_and_made_again(tmp_path, damage, caplog):
    cache = FeatureCache(tmp_path, WIDTH)
    cache.add(keys(1), features(1))
    cache.add(keys(2), features(2))
    shard = next(path for path in tmp_path.iterdir() if np.load(path / KEYS_NAME)[0][-1:] == b"1")
    match damage:
        case "cut":
            (shard / FEATURES_NAME).write_bytes(b"")
        case "absent":
            (shard / KEYS_NAME).unlink()
        case _:
            np.save(shard / FEATURES_NAME, features(1)[:, 1:])
    with caplog.at_level(logging.WARNING):
        again = FeatureCache(tmp_path, WIDTH)
    assert "shard_dropped" in caplog.text
    assert again.missing(keys(1, 2)) == keys(1)
    again.add(keys(1), features(1))
    np.testing.assert_array_equal(again.features(keys(1, 2)), features(1, 2))
