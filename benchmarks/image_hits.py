"""Which queries find their like among photographs."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatMatrix, unit_rows
from benchmarks.image_data import ImageData

Hits: TypeAlias = NDArray[np.bool_]
"""True for each query that is answered rightly."""


def neighbour_hits(vectors: FloatMatrix, data: ImageData) -> dict[str, Hits]:
    """Find the nearest gallery photograph of every query by cosine, and judge it.

    - `path_at_1`: it is of the query's category path;
    - `item_at_1`: it is of the query's product;
    - `path_of_item_at_1`: the nearest product, as the mean of its gallery photographs, is of the
      query's category path: what the space answers;
    - `path_of_posed_at_1`: the nearest posed picture is of the query's category path;
    - `path_of_other_at_1`: among photographs of all other products, the nearest is of the query's
      category path, over the queries whose path has another product. Photographs of one product
      were often taken side by side, so the first two also reward finding the same shelf; this one
      does not, and is what a product that was never photographed before can hope for.

    Args:
        vectors: (p, d) of all photographs.
        data: photographs with their split.

    Returns:
        (q,) by metric, fewer for the last one.
    """
    asked, rows, paths = data.queries, data.files.rows, data.paths
    gallery, unit = ~asked, unit_rows(vectors)
    scores = unit[asked] @ unit[gallery].T  # (q, g)
    same = rows[asked][:, None] == rows[gallery]
    right = paths[asked][:, None] == paths[gallery]
    each, nearest = np.arange(len(scores)), scores.argmax(axis=1)
    posed = np.where(data.posed[gallery], scores, -np.inf).argmax(axis=1)
    other = np.where(same, -np.inf, scores).argmax(axis=1)
    return {
        "path_at_1": right[each, nearest],
        "item_at_1": same[each, nearest],
        "path_of_item_at_1": right[each, _of_nearest_item(unit, data)],
        "path_of_posed_at_1": right[each, posed],
        "path_of_other_at_1": right[each, other][(right & ~same).any(axis=1)],
    }


def _of_nearest_item(unit: FloatMatrix, data: ImageData) -> NDArray[np.int64]:
    """Return, for each query, the place in the gallery of a photograph of the nearest product."""
    gallery = ~data.queries
    _, first = np.unique(data.files.rows[gallery], return_index=True)
    means = unit_rows(np.add.reduceat(unit[gallery], first, axis=0))
    return np.asarray(first[(unit[data.queries] @ means.T).argmax(axis=1)])
