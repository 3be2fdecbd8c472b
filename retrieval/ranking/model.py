"""The ranking model: features to scores."""

import threading
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix
from artifacts.errors import ArtifactError, BackendUnavailableError
from artifacts.ranker import FeatureSchema, Ranker
from retrieval.ranking.forest import Forest
from retrieval.ranking.tree_kernels import add_trees, fill_columns

if TYPE_CHECKING:
    import lightgbm


class RankModel:
    """Scores candidates as LightGBM would, to the last bit, on the thread that asks.

    Trees are walked by a kernel of ours (docs/adr/0026): LightGBM's own call takes longer for the
    few candidates of a request, and a serving host needs no LightGBM. Contributions are LightGBM's.
    Threads may share a model.

    Args:
        ranker: as it lies in a snapshot.

    Raises:
        ArtifactError: the model cannot be read, or reads other features than its schema says.
    """

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker
        self._forest = Forest.read(ranker.model_path)
        self._lock = threading.Lock()
        if self._forest.feature_names != ranker.schema.names:
            raise ArtifactError(
                f"{ranker.model_path}: expected the features of its schema, "
                f"{', '.join(ranker.schema.names)}, got {', '.join(self._forest.feature_names)}"
            )

    def __len__(self) -> int:
        """Return the number of trees."""
        return len(self._forest)

    @property
    def schema(self) -> FeatureSchema:
        """What the model reads."""
        return self._ranker.schema

    @property
    def path(self) -> Path:
        """The model in LightGBM's text format."""
        return self._ranker.model_path

    def scores(self, features: FloatMatrix) -> NDArray[np.float64]:
        """Return the score of each row, higher is better, comparable within one call alone.

        Args:
            features: (n, f) float32, C-contiguous, as `schema` says; NaN where a value is absent.

        Returns:
            (n,) float64, finite.

        Cost: O(n t d) for t trees of depth d; no interpreter lock is held.
        """
        forest = self._forest
        columns = np.empty((len(features), len(forest.features)), dtype=np.float32)
        fill_columns(features, forest.features, forest.missing, forest.substitutes, columns)
        scores = np.zeros(len(features))
        add_trees(
            columns,
            forest.columns,
            forest.thresholds,
            forest.children,
            forest.outputs,
            forest.roots,
            forest.depths,
            scores,
        )
        return scores

    def contributions(self, features: FloatMatrix) -> NDArray[np.float64]:
        """Return what each feature added to each score, by TreeSHAP (Lundberg et al. 2018).

        Args:
            features: as for `scores`.

        Returns:
            (n, f + 1) float64; the last column is the model's base value, and a row sums to the
            score but for rounding.

        Raises:
            BackendUnavailableError: LightGBM is not installed.

        Cost: milliseconds for a hundred rows; one call at a time.
        """
        if not len(features):  # LightGBM refuses to predict nothing
            return np.empty((0, self.schema.width + 1))
        with self._lock:
            found = self._booster.predict(features, pred_contrib=True, num_threads=1)
        return np.asarray(found, dtype=np.float64)

    @cached_property
    def _booster(self) -> "lightgbm.Booster":
        try:
            import lightgbm
        except ImportError as error:
            raise BackendUnavailableError(
                "contributions of features need lightgbm, which the extra `trainer` brings: "
                "install shelfmate[trainer]"
            ) from error
        return lightgbm.Booster(model_file=self._ranker.model_path)
