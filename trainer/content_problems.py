"""Items whose text is missing, cut, or without a vector: counted, and listed beside the vectors."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from artifacts.vocabulary import Vocabulary
from trainer.content_texts import CatalogTexts

PROBLEMS_NAME = "text_problems.parquet"


def find_problems(
    texts: CatalogTexts, has_vector: NDArray[np.bool_]
) -> dict[str, NDArray[np.int32]]:
    """Return the rows that each problem befell, ascending; problems that nobody has are left out.

    Args:
        texts: the n items.
        has_vector: (n,) whether the item got one.
    """
    found: dict[str, NDArray[np.bool_]] = {}
    if "title" in texts.fields:
        found["no title"] = texts.fields["title"].lengths == 0
    found["no vector"] = ~has_vector
    for name, field in texts.fields.items():
        found[f"{name} cut"] = field.cut
    rows = {problem: np.flatnonzero(mask).astype(np.int32) for problem, mask in found.items()}
    return {problem: listed for problem, listed in rows.items() if len(listed)}


def write_problems(problems: dict[str, NDArray[np.int32]], items: Vocabulary, path: Path) -> None:
    """Write a Parquet file with a line for each item and problem: problem, row, item_id."""
    names = [name for name, rows in problems.items() for _ in rows]
    rows = np.concatenate([np.empty(0, dtype=np.int32), *problems.values()])
    columns = {
        "problem": pa.array(names, type=pa.string()),
        "row": pa.array(rows, type=pa.int32()),
        "item_id": pa.array(items.ids(rows), type=pa.string()),
    }
    pq.write_table(pa.table(columns), path)
