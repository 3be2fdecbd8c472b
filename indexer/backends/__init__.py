from indexer.backends.choice import build_index, load_index

__all__ = ["build_index", "load_index"]
