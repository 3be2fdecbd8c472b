"""A name for everything that the lists of a part depend on, but the numbers of its rows."""

import xxhash

from artifacts.arrays import IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.manifest import Json, fingerprint
from artifacts.relation import Relation
from indexer.bands import Limits
from indexer.row_index import RowIndex

LISTS_VERSION = 2
"""To be raised with every change of this package that changes lists."""

ROWS_AT_ONCE = 1 << 16


def part_fingerprint(
    table: EmbeddingTable,
    relation: Relation,
    part: RowIndex,
    limits: Limits | None,
    settings: Json,
) -> str:
    """Return the same name for two parts only if their lists are the same within the part.

    Vectors, thresholds and settings enter, results never do. Vocabulary rows do not: they move
    when items come and go, while numbers within the part do not.

    Args:
        table: the space.
        relation: what a neighbour means.
        part: its index; what it was built from is hashed, not its bytes.
        limits: thresholds of the items.
        settings: of the index, its seed and its libraries, and the length of the lists.

    Cost: one pass over the vectors of the part.
    """
    digest = xxhash.xxh3_128()
    positions = table.positions(part.rows)
    matrices = [table.vectors]
    if relation is Relation.CONTINUATIONS:
        matrices.append(table.targets(relation))
    for start in range(0, len(positions), ROWS_AT_ONCE):
        block: IntVector = positions[start : start + ROWS_AT_ONCE]
        for matrix in matrices:
            digest.update(matrix[block].tobytes())
        if limits is not None:
            digest.update(limits.of_rows(part.rows[start : start + ROWS_AT_ONCE]).tobytes())
    content = {
        "version": LISTS_VERSION,
        "relation": str(relation),
        "shape": [len(positions), table.dim],
        "most_hits": None if limits is None else limits.most_hits,
        "data": digest.hexdigest(),
    }
    return fingerprint([content, settings])
