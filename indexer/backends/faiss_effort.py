"""What a FAISS index is told with each call: never written on the index, which threads share."""

from typing import Any

import faiss

from indexer.config import FaissSearch

LIBRARY: Any = faiss
"""FAISS's own type information lacks what its wrapper adds."""


def search_parameters(index: faiss.Index, search: FaissSearch) -> Any:
    """Return the parameters of a search in `index`, or None for a kind that has none."""
    if isinstance(index, faiss.IndexPreTransform):
        inner = search_parameters(inner_index(index), search)
        return LIBRARY.SearchParametersPreTransform(index_params=inner)
    if isinstance(index, faiss.IndexIVF):
        return LIBRARY.SearchParametersIVF(nprobe=search.nprobe)
    if isinstance(index, faiss.IndexHNSW):
        return LIBRARY.SearchParametersHNSW(efSearch=search.ef_search)
    return None


def inner_index(index: faiss.Index) -> Any:
    """Return what stands behind the transformations of vectors, if there are any."""
    if isinstance(index, faiss.IndexPreTransform):
        return LIBRARY.downcast_index(index.index)
    return index


def seed_clustering(index: faiss.Index, seed: int) -> None:
    """Seed every k-means of an index yet to be trained, and keep it from warning of few points."""
    inner = inner_index(index)
    settings = [inner.cp] if isinstance(inner, faiss.IndexIVF) else []
    if isinstance(
        inner,
        faiss.IndexIVFPQ | faiss.IndexIVFPQFastScan | faiss.IndexPQ | faiss.IndexPQFastScan,
    ):
        settings.append(inner.pq.cp)
    for clustering in settings:
        clustering.seed = seed
        clustering.min_points_per_centroid = 1
