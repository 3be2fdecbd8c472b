"""The stage `train`, space `content`: fastText over the texts of the catalogue."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.content_encoder import (
    ENCODER_FOLDER,
    EncodedField,
    EncoderSettings,
    FieldName,
    write_encoder,
)
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.versions import VersionedRoot
from trainer.content_config import ContentConfig
from trainer.content_problems import PROBLEMS_NAME, find_problems, write_problems
from trainer.content_texts import CatalogTexts, read_texts, weighted_fields
from trainer.content_vectors import TextEncoding
from trainer.content_weights import WordWeights, weigh_words
from trainer.fasttext_model import FasttextModel, train_fasttext
from trainer.scratch import scratch_folder
from trainer.space_artifact import SpaceRecipe, store_space

SPACE = "content"


def train_content(
    prepared: Prepared, config: ContentConfig, root: VersionedRoot, *, progress: Progress
) -> Path:
    """Learn content vectors and their encoder, put them in use, return their folder.

    Beside the table of the items the folder holds `encoder/`, which embeds texts that nobody has
    seen (`artifacts.content_encoder`), and the list of items whose text had a problem.

    Raises:
        DataError: no item has text, all texts are the same, or no word occurs often enough.

    Cost: that of `trainer.fasttext_model.train_fasttext`, then O(tokens * dimensions).
    """
    recipe = SpaceRecipe(
        space=SPACE,
        settings=config.model_dump(mode="json"),
        inputs={"prepared": prepared.manifest.id},
        packages=("gensim", "numpy", "scipy"),
    )

    def fit(folder: Path) -> EmbeddingTable:
        return fit_content(prepared, config, folder, progress=progress)

    return store_space(recipe, root, fit, progress=progress)


def fit_content(
    prepared: Prepared, config: ContentConfig, folder: Path, *, progress: Progress
) -> EmbeddingTable:
    """Learn the table, and write encoder and problems into `folder`.

    Every item with a word in any field gets a vector; one without a title is told by its category
    path and description alone.

    Raises:
        DataError: no item has text, all texts are the same, or no word occurs often enough.
    """
    progress.start("read texts")
    texts = read_texts(prepared.catalog, config)
    _check(texts)
    progress.finish(f"{int(texts.lengths.sum()):,} words, {len(texts.words):,} different")
    progress.start("train content", total=config.epochs)
    with scratch_folder(folder.parent) as scratch:
        model = train_fasttext(texts, config, scratch, progress=progress)
    trained = _combine(texts, model, config)
    trained.write_encoder(config, folder / ENCODER_FOLDER)
    vectors = trained.encoding.vectors(texts, trained.components)
    has_vector = (vectors != 0).any(axis=1)
    problems = find_problems(texts, has_vector)
    write_problems(problems, prepared.items, folder / PROBLEMS_NAME)
    rows = np.flatnonzero(has_vector).astype(np.int32)
    progress.finish(f"{len(rows):,} items, {config.dimensions} dimensions")
    counts = {problem: len(listed) for problem, listed in problems.items()}
    lineage = {
        "words": len(model.words),
        "tokens": int(texts.lengths.sum()),
        "problems": counts,
    }
    return EmbeddingTable(space=SPACE, rows=rows, vectors=vectors[rows], lineage=lineage)


@dataclass(frozen=True, slots=True)
class _Trained:
    """What one run learnt; `weights` and `encoding` speak of the words of the texts."""

    texts: CatalogTexts
    model: FasttextModel
    weights: dict[FieldName, WordWeights]
    encoding: TextEncoding
    components: FloatMatrix

    def write_encoder(self, config: ContentConfig, folder: Path) -> None:
        """Write what embeds further texts; it speaks of the words of the model alone."""
        number = {word: row for row, word in enumerate(self.texts.words)}
        known = np.array([number[word] for word in self.model.words], dtype=np.int64)
        fields = weighted_fields(config)
        settings = EncoderSettings(
            dimensions=config.dimensions,
            min_n=config.min_n,
            max_n=config.max_n,
            buckets=config.buckets,
            strip_accents=config.strip_accents,
            fields=tuple(
                EncodedField(
                    name=name,
                    weight=field.weight,
                    max_tokens=field.max_tokens,
                    unknown_weight=self.weights[name].unknown,
                )
                for name, field in fields.items()
            ),
        )
        arrays = {
            "word_vectors": self.encoding.word_vectors[known],
            "word_weights": np.stack([self.encoding.word_weights[name][known] for name in fields]),
            "subword_vectors": self.model.subword_vectors,
            "components": self.components,
        }
        write_encoder(folder, settings, self.model.words, arrays)


def _combine(texts: CatalogTexts, model: FasttextModel, config: ContentConfig) -> _Trained:
    weights = {
        name: weigh_words(field, len(texts.words), config) for name, field in texts.fields.items()
    }
    trained = set(model.words)
    known = np.fromiter((word in trained for word in texts.words), np.bool_, len(texts.words))
    encoding = TextEncoding(
        word_vectors=model.vectors(texts.words),
        # The encoder does not keep rare words, so training must not tell them apart either.
        word_weights={
            name: np.where(known, weight.of_words, np.float32(weight.unknown))
            for name, weight in weights.items()
        },
        field_weights={name: field.weight for name, field in weighted_fields(config).items()},
    )
    components = encoding.principal_components(texts, config.components)
    return _Trained(texts, model, weights, encoding, components)


def _check(texts: CatalogTexts) -> None:
    read = ", ".join(texts.fields)
    with_text = np.flatnonzero(texts.lengths)
    if not len(with_text):
        raise DataError(
            f"train.content: expected items with text ({read}), got none among "
            f"{len(texts.lengths):,}; map `title` under [prepare.items.columns]"
        )
    first = _text(texts, int(with_text[0]))
    if all(_text(texts, int(item)) == first for item in with_text[1:]):
        raise DataError(
            f"train.content: expected different texts ({read}), got the same one for all "
            f"{len(with_text):,} items that have any"
        )


def _text(texts: CatalogTexts, item: int) -> tuple[bytes, ...]:
    return tuple(field.of(item).tobytes() for field in texts.fields.values())
