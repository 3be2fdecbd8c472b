"""Threads that native libraries start inside one call."""

import faiss


def limit_native_threads(count: int) -> None:
    """Let FAISS use `count` OpenMP threads in calls from the calling thread.

    The setting belongs to the calling thread alone (OpenMP's nthreads-var), so a pool passes this
    function as the initialiser of its threads.
    """
    faiss.omp_set_num_threads(count)


def native_threads() -> int:
    """Return how many OpenMP threads FAISS uses in calls from the calling thread."""
    return int(faiss.omp_get_max_threads())
