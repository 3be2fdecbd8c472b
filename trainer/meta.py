"""The stage `train`, space `meta`: prod2vec that knows what products are."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from artifacts.arrays import FloatVector, IntVector
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.manifest import fingerprint
from artifacts.metadata import METADATA_FOLDER, write_metadata
from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.ragged import Ragged
from artifacts.versions import VersionedRoot
from trainer.checkpoints import Checkpoints
from trainer.composition import Composition, train_composed
from trainer.config import Prod2VecConfig
from trainer.interleaving import interleave, widened
from trainer.item_columns import item_column
from trainer.joined_vectors import Matrices
from trainer.members import fit_members
from trainer.meta_config import MetaConfig
from trainer.metadata_tokens import MetadataTokens, metadata_tokens
from trainer.pair_counts import PairCounts, count_pairs
from trainer.scratch import scratch_folder
from trainer.session_weights import weigh_sessions
from trainer.space_artifact import SpaceRecipe, store_space
from trainer.title_words import TitleWords, title_words
from trainer.weighted_lists import WeightedLists, frequent_lists, read_weighted_lists

SPACE = "meta"

Columns = dict[str, list[str | None]]
"""What each column says of every item of the vocabulary."""


def train_meta(
    prepared: Prepared, config: MetaConfig, root: VersionedRoot, *, progress: Progress
) -> Path:
    """Learn vectors of products and of metadata tokens, put them in use, return their folder.

    Beside the table of the items the folder holds `metadata/` (`artifacts.metadata.MetadataTable`).
    A run that was interrupted goes on from its last checkpoint and ends with the same bytes as if
    nothing had happened.

    Raises:
        ConfigError: a column does not exist, or says nothing of any item that is learnt from.
        DataError: too few items occur `min_count` times, or the item files have changed.

    Cost: see `fit_meta`.
    """
    columns = read_columns(prepared, config, root.root)
    recipe = SpaceRecipe(
        space=SPACE,
        settings=config.model_dump(mode="json", exclude={"checkpoint_s"}),
        inputs={"prepared": prepared.manifest.id, "columns": fingerprint(columns)},
        packages=("numba", "numpy", "scipy"),
    )
    checkpoints = Checkpoints(root.root / f".checkpoints-{recipe.id}", every_s=config.checkpoint_s)

    def fit(folder: Path) -> EmbeddingTable:
        fitted = fit_meta(prepared, columns, config, checkpoints=checkpoints, progress=progress)
        fitted.write_metadata(folder / METADATA_FOLDER)
        return fitted.table

    stored = store_space(recipe, root, fit, progress=progress)
    checkpoints.remove()
    return stored


def read_columns(prepared: Prepared, config: MetaConfig, parent: Path) -> Columns:
    """Read every column of the settings; files for the while go below `parent`.

    Raises:
        ConfigError: there is no such column.
        DataError: the item files are not those that were prepared.
    """
    with scratch_folder(parent) as scratch:
        return {
            name: item_column(name, prepared, scratch, bands=config.price_bands)
            for name in config.columns
        }


@dataclass(frozen=True, slots=True)
class FittedMeta:
    """What is learnt.

    Attributes:
        table: of the products.
        tokens: what tells their metadata.
        token_table: of the tokens, its rows their numbers.
    """

    table: EmbeddingTable
    tokens: MetadataTokens
    token_table: EmbeddingTable

    def write_metadata(self, folder: Path) -> None:
        """Write the tokens and their vectors."""
        assert self.token_table.outputs is not None, "bug: a space of one matrix"
        write_metadata(
            folder,
            self.tokens.names,
            items=self.tokens.holders,
            vectors=self.token_table.vectors,
            outputs=self.token_table.outputs,
        )


def fit_meta(
    prepared: Prepared,
    columns: Columns,
    config: MetaConfig,
    *,
    checkpoints: Checkpoints | None = None,
    progress: Progress,
) -> FittedMeta:
    """Learn the tables of products and tokens without storing them.

    Sessions are interleaved with metadata, and every row of the model, product or token, learns
    what stands near it by the sampled softmax of prod2vec. The vector of a product is the sum of
    its own and of those of its tokens: what one product tells of its category every other inherits.
    Of a product that is seldom seen the own part is held back, by `prior` and `shrinkage`
    (docs/adr/0011).

    Args:
        prepared: the sessions.
        columns: as `read_columns` gives them.
        config: every knob.
        checkpoints: where the state is kept; None keeps none.
        progress: gets one step an epoch.

    Raises:
        ConfigError: a column says nothing of any item that is learnt from.
        DataError: fewer than two items occur `min_count` times.

    Cost: as prod2vec by sampled softmax with (1 + columns)^2 times the pairs; sessions in memory.
    """
    progress.start("count pairs")
    rows, frequent = _frequent(prepared, config)
    tokens = metadata_tokens(columns, rows)
    woven = interleave(frequent, tokens.of_items)
    pairs = _pairs(woven, tokens, config)
    counts = np.bincount(woven.lists.values, minlength=len(pairs)).astype(np.float32)
    words = title_words(prepared.catalog.titles, rows, config.title_words)
    composition = _composition(tokens, words, counts, config)
    progress.finish(
        f"{len(pairs.columns):,} pairs of {len(rows):,} items, {len(tokens.names):,} tokens"
    )
    progress.start("train meta-prod2vec", total=config.softmax.epochs * config.softmax.members)
    shares = _shares(composition, counts, config)

    def fit(one: Prod2VecConfig, part: Checkpoints | None) -> Matrices:
        model = train_composed(pairs, composition, one, checkpoints=part, progress=progress)
        return model.matrices(shares)

    fitted = _fitted(fit_members(_as_prod2vec(config), fit, checkpoints), rows, tokens, config)
    progress.finish(f"{len(fitted.table):,} items, {fitted.table.dim} dimensions")
    return fitted


def _frequent(prepared: Prepared, config: MetaConfig) -> tuple[IntVector, WeightedLists]:
    """Return the rows that occur often enough, and the sessions of their positions, weighed."""
    sessions = read_weighted_lists(prepared.train_sessions, use=config.kind_weights)
    rows, frequent = frequent_lists(sessions, config.min_count)
    if len(rows) < 2:
        raise DataError(
            f"train.meta: expected at least two items that occur {config.min_count} times in "
            f"training, got {len(rows)}; lower `min_count` or bring more sessions"
        )
    return rows, weigh_sessions(frequent, config.softmax)


def _pairs(woven: WeightedLists, tokens: MetadataTokens, config: MetaConfig) -> PairCounts:
    """Count the pairs of items and tokens, of which every token takes its weight off."""
    items, count = len(tokens.of_items), len(tokens.names)
    pairs = count_pairs(
        woven.lists,
        items + count,
        window=widened(config.window, len(config.columns)),
        distance_exponent=config.softmax.distance_exponent,
        weights=woven.weights,
    )
    factors = np.ones(items + count, dtype=np.float32)
    factors[items:] = config.token_weight
    return pairs.scaled(factors)


def _composition(
    tokens: MetadataTokens, words: TitleWords, counts: FloatVector, config: MetaConfig
) -> Composition:
    """Let an item be made of its tokens and of the words of its title, and a token of itself.

    Parts are the tokens, then the words.
    """
    of_items, count = tokens.of_items, len(tokens.names)
    items = np.concatenate(
        [np.repeat(np.arange(len(one)), one.lengths) for one in (of_items, words.of_items)]
    )
    order = np.argsort(items, kind="stable")
    values = np.concatenate([of_items.values, count + words.of_items.values])[order]
    shares = np.concatenate([np.ones(len(of_items.values)), words.shares])[order]
    lengths = of_items.lengths + words.of_items.lengths
    lengths = np.concatenate([lengths, np.ones(count, dtype=np.int64)])
    parts = Ragged.of(lengths, np.concatenate([values, np.arange(count)]).astype(np.int32))
    # What has no metadata is held to nothing.
    prior = np.where(lengths > 0, config.prior / counts, 0).astype(np.float32)
    return Composition(
        parts=parts,
        shares=np.concatenate([shares, np.ones(count)]).astype(np.float32),
        count=count + words.count,
        prior=prior,
    )


def _shares(composition: Composition, counts: FloatVector, config: MetaConfig) -> FloatVector:
    """Return what every row keeps of its own vector."""
    kept = counts / (counts + config.shrinkage)
    return np.where(composition.parts.lengths > 0, kept, 1).astype(np.float32)


def _as_prod2vec(config: MetaConfig) -> Prod2VecConfig:
    return Prod2VecConfig(dimensions=config.dimensions, seed=config.seed, softmax=config.softmax)


def _fitted(
    matrices: Matrices,
    rows: IntVector,
    tokens: MetadataTokens,
    config: MetaConfig,
) -> FittedMeta:
    (vectors, outputs), items = matrices, len(rows)
    lineage = {
        "epochs": config.softmax.epochs,
        "tokens": len(tokens.names),
        "columns": list(config.columns),
    }
    numbers = np.arange(len(tokens.names), dtype=np.int32)
    return FittedMeta(
        table=EmbeddingTable(SPACE, rows, vectors[:items], outputs[:items], lineage),
        tokens=tokens,
        token_table=EmbeddingTable(SPACE, numbers, vectors[items:], outputs[items:]),
    )
