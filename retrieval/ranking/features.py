"""From a context and candidates to the numbers that a ranker reads: for training and for serving."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from artifacts.arrays import FloatMatrix, IntVector
from artifacts.errors import ArtifactError, UnsupportedError
from artifacts.ranker import FeatureSchema
from artifacts.snapshot import Snapshot
from retrieval.availability import Availability
from retrieval.ranking.candidate_lists import CandidateLists, CandidateSources
from retrieval.ranking.context import RankContext
from retrieval.ranking.feature_input import FeatureBlock, FeatureInput
from retrieval.ranking.schema import SCHEMA_VERSION, blocks_of


class PlacedBlock(NamedTuple):
    """Where a block writes."""

    block: FeatureBlock
    start: int
    end: int


class FeatureComputer:
    """Computes the features of one schema on one snapshot; thread-safe, opened once.

    The bytes of a row are those of its context, its lists and its item: whether they are asked for
    alone, with others, in training or in serving makes no difference.

    Attributes:
        schema: the columns.
        sources: gathers the lists that they are computed from.
    """

    __slots__ = ("_blocks", "_sent", "schema", "sources")

    def __init__(
        self, schema: FeatureSchema, sources: CandidateSources, blocks: Sequence[PlacedBlock]
    ) -> None:
        self.schema = schema
        self.sources = sources
        self._blocks = tuple(blocks)
        names = schema.names
        self._sent = [names.index(name) for name in schema.caller_names]

    @classmethod
    def of(
        cls, snapshot: Snapshot, schema: FeatureSchema, availability: Availability | None = None
    ) -> "FeatureComputer":
        """Open what the features are computed from.

        Args:
            snapshot: what is looked up in.
            schema: the columns.
            availability: stock that may change; None where all items are in stock.

        Raises:
            ArtifactError: the schema is of another version of this code.
            UnsupportedError: the snapshot cannot compute a feature, or lacks a source; all of them
                are named.

        Cost: that of `retrieval.ranking.schema.blocks_of`.
        """
        if schema.version != SCHEMA_VERSION:
            raise ArtifactError(
                f"the ranker reads features of version {schema.version}, this release computes "
                f"version {SCHEMA_VERSION}; train it again with `shelfmate rank`"
            )
        sources = CandidateSources(snapshot, schema.sources, schema.lists)
        stock = Availability(len(snapshot.items)) if availability is None else availability
        blocks = blocks_of(snapshot, schema.sources, stock)
        return cls(schema, sources, _placed(blocks, schema, snapshot.id))

    def compute(
        self,
        context: RankContext,
        lists: CandidateLists,
        rows: IntVector,
        sent: FloatMatrix | None = None,
    ) -> FloatMatrix:
        """Return the features of candidates.

        Args:
            context: what is ranked for.
            lists: what `sources` gathers for it.
            rows: (n,) int32 vocabulary rows, none negative, in any order, repeats allowed.
            sent: (n, e) float32, what the caller sends for `schema.caller_names`, NaN where absent;
                None where nothing was sent.

        Returns:
            (n, f) float32, C-contiguous.

        Cost: some hundreds of microseconds for 100 candidates.
        """
        given = FeatureInput(context, lists, rows, self.schema.lists)
        features = np.empty((len(rows), self.schema.width), dtype=np.float32)
        for block, start, end in self._blocks:
            block.fill(given, features[:, start:end])
        if self._sent:
            features[:, self._sent] = np.nan if sent is None else sent
        return features

    def features(
        self, context: RankContext, rows: IntVector, sent: FloatMatrix | None = None
    ) -> FloatMatrix:
        """Gather the lists of a context and return the features of candidates, as `compute`."""
        return self.compute(context, self.sources.gather(context), rows, sent)


def _placed(
    blocks: Sequence[FeatureBlock], schema: FeatureSchema, snapshot: str
) -> list[PlacedBlock]:
    """Return the blocks that compute the columns of a schema, and where."""
    columns = {spec: at for at, spec in enumerate(schema.features) if not spec.from_caller}
    placed = []
    for block in blocks:
        start = columns.get(block.specs[0], -1)
        end = start + len(block.specs)
        if start >= 0 and schema.features[start:end] == block.specs:
            placed.append(PlacedBlock(block, start, end))
            for spec in block.specs:
                del columns[spec]
    if columns:
        raise UnsupportedError(
            f"snapshot {snapshot} cannot compute what the ranker reads: "
            f"{', '.join(spec.name for spec in columns)}; train it again with `shelfmate rank`"
        )
    return placed
