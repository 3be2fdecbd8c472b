"""Open the engine that the settings name."""

from artifacts.errors import BackendUnavailableError
from indexer.config import IndexConfig, thread_count
from indexer.precompute.engine import BlockEngine
from indexer.precompute.on_threads import OnThreads


def block_engine(config: IndexConfig) -> BlockEngine:
    """Return what computes the blocks of lists.

    Raises:
        BackendUnavailableError: the engine is not installed.
    """
    if config.precompute.engine == "threads":
        return OnThreads(thread_count(config))
    try:
        from indexer.precompute.on_spark import OnSpark
    except ModuleNotFoundError as error:
        raise BackendUnavailableError(
            f'engine = "spark" under [index.precompute] needs {error.name}, which the extra `spark` '
            "brings: install shelfmate[spark]"
        ) from error
    return OnSpark(config.precompute.spark, thread_count(config))
