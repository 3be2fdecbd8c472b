"""What the vector of a further user is solved from, without the model that was trained."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artifacts.confidence import Confidence
from artifacts.errors import ArtifactError

GRAM_NAME = "gram.npy"
TERMS_NAME = "terms.json"


@dataclass(frozen=True, slots=True)
class AlsTerms:
    """The constants of the normal equations of Hu, Koren, Volinsky 2008, equation 4.

    Attributes:
        gram: (d, d) float64, Y'Y of all item factors Y.
        confidence: what the weights of events are worth.
        regularisation: the paper's lambda.
    """

    gram: NDArray[np.float64]
    confidence: Confidence
    regularisation: float

    def save(self, folder: Path) -> None:
        """Write the terms into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / GRAM_NAME, self.gram)
        scalars = {"regularisation": self.regularisation, "confidence": asdict(self.confidence)}
        (folder / TERMS_NAME).write_text(json.dumps(scalars, indent=2), "utf-8")

    @classmethod
    def open(cls, folder: Path) -> "AlsTerms":
        """Read the terms that `save` wrote.

        Raises:
            ArtifactError: a file is missing, unreadable or of another shape.
        """
        try:
            gram = np.load(folder / GRAM_NAME)
            scalars = json.loads((folder / TERMS_NAME).read_text("utf-8"))
            confidence = Confidence(**scalars["confidence"])
            terms = cls(gram, confidence, float(scalars["regularisation"]))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ArtifactError(f"{folder}: the fold-in cannot be opened: {error}") from error
        if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
            raise ArtifactError(f"{folder / GRAM_NAME}: expected a square, got {gram.shape}")
        return terms
