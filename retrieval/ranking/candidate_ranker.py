"""The ranking model of a snapshot, with all that it needs to score candidates."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.errors import ArtifactError, UnsupportedError
from artifacts.ranker import FeatureSchema
from artifacts.snapshot import Snapshot
from retrieval.availability import Availability
from retrieval.ranking.context import RankContext
from retrieval.ranking.features import FeatureComputer
from retrieval.ranking.model import RankModel


class Scores(NamedTuple):
    """What the model says of candidates."""

    features: FloatMatrix
    """(n, f) float32, what it saw."""
    values: NDArray[np.float64]
    """(n,) higher is better."""

    @property
    def order(self) -> NDArray[np.intp]:
        """The places of the candidates, best first; of equal ones the earlier is first."""
        order: NDArray[np.intp] = np.argsort(-self.values, kind="stable")
        return order


@dataclass(frozen=True, slots=True)
class CandidateRanker:
    """Scores candidates for a context; thread-safe, opened once for each snapshot.

    Attributes:
        model: the trees.
        computer: computes what the model reads.
        schema_version: names what that is.
    """

    model: RankModel
    computer: FeatureComputer
    schema_version: str = field(init=False)

    def __post_init__(self) -> None:
        schema = self.model.schema
        object.__setattr__(self, "schema_version", f"{schema.version}-{schema.fingerprint}")

    @classmethod
    def of(cls, snapshot: Snapshot, availability: Availability) -> "CandidateRanker | None":
        """Open the ranker of a snapshot and use it once; None where the snapshot has none.

        Args:
            snapshot: what is looked up in.
            availability: stock of its items.

        Raises:
            ArtifactError: the model is not what its schema says, reads features of another version
                of this code, or some that this snapshot cannot compute.

        Cost: that of `FeatureComputer.of`.
        """
        if snapshot.ranker is None:
            return None
        model = RankModel(snapshot.ranker)
        try:
            computer = FeatureComputer.of(snapshot, model.schema, availability)
        except (ArtifactError, UnsupportedError) as error:
            raise ArtifactError(f"{snapshot.path}, ranker: {error}") from error
        opened = cls(model, computer)
        first = np.zeros(min(1, len(snapshot.items)), dtype=np.int32)
        opened.score(RankContext.of(first), first)
        return opened

    @property
    def schema(self) -> FeatureSchema:
        """What the model reads."""
        return self.model.schema

    def score(
        self, context: RankContext, rows: IntVector, sent: FloatMatrix | None = None
    ) -> Scores:
        """Return the scores of candidates.

        Args:
            context: what they are ranked for.
            rows: (n,) int32 vocabulary rows, none negative.
            sent: (n, e) float32, what the caller knows of them; see `FeatureComputer.compute`.

        Cost: about a millisecond for 100 candidates.
        """
        features = self.computer.features(context, rows, sent)
        return Scores(features, self.model.scores(features))
