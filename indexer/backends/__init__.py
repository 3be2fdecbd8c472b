from indexer.backends.choice import build_index, load_index, parsed_search, with_search

__all__ = ["build_index", "load_index", "parsed_search", "with_search"]
