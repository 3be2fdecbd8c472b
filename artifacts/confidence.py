"""How surely a user wants what events speak of."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Confidence:
    """Turns summed weights of events into confidences (Hu, Koren, Volinsky 2008, section 4).

    1 is the confidence that a user does not want what no event speaks of.

    Attributes:
        alpha: how fast the confidence grows.
        growth: `linear`: 1 + alpha * weight; `log`: 1 + alpha * ln(1 + weight), which is the
            paper's equation 6 with epsilon = 1.
    """

    alpha: float
    growth: Literal["linear", "log"]

    def of(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the confidences of weights >= 0, float64 of the same shape."""
        grown = np.asarray(weights, dtype=np.float64)
        if self.growth == "log":
            grown = np.log1p(grown)
        return 1.0 + self.alpha * grown
