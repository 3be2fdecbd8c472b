"""Features of pictures by the hash of their content, kept between runs."""

import logging
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, map_array
from artifacts.errors import ArtifactError
from artifacts.folders import remove_stale_staging, staged_folder
from artifacts.manifest import fingerprint

KEYS_NAME = "keys.npy"
FEATURES_NAME = "features.npy"
KEY_TYPE = np.dtype("S32")

log = logging.getLogger(__name__)


class FeatureCache:
    """Shards of features, each written aside and renamed, so that an interruption loses one at most.

    A shard is a folder with `keys.npy`, (m,) hexadecimal XXH3-128, and `features.npy`, (m, f)
    float16: half the size, and a cosine off by 0.001 at most, far below what tells products apart.
    All features of a folder come from one network; another network has another folder.
    """

    def __init__(self, folder: Path, width: int) -> None:
        """Map what is there.

        Args:
            folder: existing or new; shards that cannot be read are removed and made again.
            width: f.
        """
        self._folder = folder
        self._width = width
        self._shards: list[NDArray[np.float16]] = []
        self._places: dict[str, tuple[int, int]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        remove_stale_staging(folder)
        for shard in sorted(folder.glob("shard-*")):
            self._take(shard)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __len__(self) -> int:
        return len(self._places)

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return the keys that have no features yet, each once, in their order."""
        return [key for key in dict.fromkeys(keys) if key not in self._places]

    def add(self, keys: Collection[str], features: FloatMatrix) -> None:
        """Keep features as one shard.

        Args:
            keys: m different keys.
            features: (m, f).
        """
        target = self._folder / f"shard-{fingerprint(list(keys))}"
        if not target.exists():
            with staged_folder(target) as folder:
                np.save(folder / KEYS_NAME, np.array(list(keys), dtype=KEY_TYPE))
                np.save(folder / FEATURES_NAME, features.astype(np.float16))
        self._take(target)

    def features(self, keys: Sequence[str]) -> FloatMatrix:
        """Return (len(keys), f) float32, in the order of `keys`, all of which must be there."""
        gathered = np.empty((len(keys), self._width), dtype=np.float32)
        for place, key in enumerate(keys):
            shard, row = self._places[key]
            gathered[place] = self._shards[shard][row]
        return gathered

    def _take(self, shard: Path) -> None:
        try:
            keys, features = map_array(shard / KEYS_NAME), map_array(shard / FEATURES_NAME)
            if features.shape != (len(keys), self._width):
                raise ArtifactError(f"{shard}: {features.shape} features for {len(keys)} keys")
        except ArtifactError as error:
            log.warning("feature_cache.shard_dropped shard=%s error=%s", shard, error)
            shutil.rmtree(shard, ignore_errors=True)
            return
        for row, key in enumerate(keys.tolist()):
            self._places[key.decode()] = (len(self._shards), row)
        self._shards.append(features)
