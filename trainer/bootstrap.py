"""Bootstrap of means, paired: every column is resampled by the same draws."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.config import EvaluateConfig


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Means of m columns and how they vary.

    Attributes:
        means: (m,) of the data itself.
        samples: (resamples, m) means of resampled rows.
        confidence: probability that intervals claim.
    """

    means: NDArray[np.float64]
    samples: NDArray[np.float64]
    confidence: float

    @classmethod
    def of(
        cls,
        values: NDArray[np.float64],
        config: EvaluateConfig,
        sizes: NDArray[np.int64] | None = None,
    ) -> "Bootstrap":
        """Resample the rows of `values` (n, m), n >= 1 (Efron 1979; percentile intervals).

        Args:
            values: one row a unit that is drawn: its value, or the sum of its values.
            config: seed, resamples and confidence.
            sizes: (n,) values behind each sum, >= 1. The steps of one session are no independent
                evidence, so sessions are drawn and their steps counted; None where units have one
                value.

        Cost: O(resamples * n * m) time, O(n) memory beside the result.
        """
        rng = np.random.default_rng(config.seed)
        n = len(values)
        counts = np.ones(n) if sizes is None else sizes.astype(np.float64)
        samples = np.empty((config.resamples, values.shape[1]))
        for sample in samples:
            times = np.bincount(rng.integers(n, size=n), minlength=n)
            sample[:] = times @ values / (times @ counts)
        return cls(values.sum(axis=0) / counts.sum(), samples, config.confidence)

    def interval(self, column: int) -> tuple[float, float, float]:
        """Return (mean, low, high) of a column."""
        return self._interval(self.means[column], self.samples[:, column])

    def difference(self, column: int, other: int) -> tuple[float, float, float]:
        """Return (mean, low, high) of `column` minus `other`, row by row."""
        return self._interval(
            self.means[column] - self.means[other],
            self.samples[:, column] - self.samples[:, other],
        )

    def ratio(self, column: int, other: int) -> tuple[float, float, float] | None:
        """Return (mean, low, high) of `column` as a multiple of `other`.

        None where a mean of `other`, of the data or of a sample, is 0.
        """
        if not (self.means[other] and self.samples[:, other].all()):
            return None
        return self._interval(
            self.means[column] / self.means[other],
            self.samples[:, column] / self.samples[:, other],
        )

    def _interval(
        self, mean: np.float64, samples: NDArray[np.float64]
    ) -> tuple[float, float, float]:
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(samples, [tail, 1 - tail])
        return float(mean), float(low), float(high)
