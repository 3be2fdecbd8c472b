"""Tells progress of every epoch that gensim trains."""

from gensim.models import Word2Vec

from artifacts.progress import Progress


class EpochSteps:
    """A callback of gensim, which asks for all four methods."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def on_train_begin(self, model: Word2Vec) -> None:
        """Do nothing."""

    def on_train_end(self, model: Word2Vec) -> None:
        """Do nothing."""

    def on_epoch_begin(self, model: Word2Vec) -> None:
        """Do nothing."""

    def on_epoch_end(self, model: Word2Vec) -> None:
        """Count the epoch."""
        self._progress.advance()
