import numpy as np
import pytest

from artifacts.arrays import unit_rows
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import ConfigError, DataError
from artifacts.manifest import read_manifest, verify
from artifacts.metadata import METADATA_FOLDER, MetadataTable
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from artifacts.versions import VersionedRoot
from tests.made_metadata import RARE, prepare_metadata_shop
from trainer.checkpoints import Checkpoints
from trainer.meta import FittedMeta, fit_meta, read_columns, train_meta
from trainer.meta_config import MetaConfig
from trainer.softmax_config import SoftmaxConfig

CONFIG = MetaConfig(
    columns=("category:2", "brand", "price_band", "seller"),
    dimensions=16,
    softmax=SoftmaxConfig(epochs=12, noise=64, batch=32),
)
TOKENS = 8 + 3 + 4 + 2


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Prepared:
    return prepare_metadata_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> VersionedRoot:
    return VersionedRoot(tmp_path_factory.mktemp("meta"))


@pytest.fixture(scope="module")
def folder(prepared, root):
    return train_meta(prepared, CONFIG, root, progress=SilentProgress())


def fit(prepared, config, tmp_path, checkpoints=None) -> FittedMeta:
    columns = read_columns(prepared, config, tmp_path)
    return fit_meta(prepared, columns, config, checkpoints=checkpoints, progress=SilentProgress())


def themes_near(prepared, table: EmbeddingTable, vector, relation: Relation, k: int) -> list[str]:
    """Return the themes of the k items nearest to a vector."""
    targets = table.targets(relation)
    if relation is Relation.ALTERNATIVES:
        targets = unit_rows(targets)
    best = np.argsort(-(targets @ vector))[:k]
    return [id.split("-")[0] for id in prepared.items.ids(table.rows[best])]


@pytest.mark.parametrize("relation", list(Relation))
def test_near_a_category_are_its_products(prepared, folder, relation):
    table = EmbeddingTable.open(folder, "meta")
    metadata = MetadataTable.open(folder / METADATA_FOLDER)
    for theme in ("t1", "t6"):
        vector = metadata.vectors[metadata.tokens.row(f"category:2=Shop > {theme}")]
        near = themes_near(prepared, table, vector, relation, 8)
        assert near.count(theme) >= 7


def test_a_rare_item_inherits_its_category(prepared, folder, tmp_path):
    table = EmbeddingTable.open(folder, "meta")
    place = table.positions(np.array([prepared.items.row(RARE)], dtype=np.int32))[0]
    near = themes_near(prepared, table, table.vectors[place], Relation.ALTERNATIVES, 9)
    assert near.count("t0") >= 8
    # Without anything to inherit it lies with what it was seen with once.
    alone = fit(prepared, CONFIG.model_copy(update={"columns": ("category:1",)}), tmp_path).table
    near = themes_near(prepared, alone, alone.vectors[place], Relation.CONTINUATIONS, 9)
    assert near.count("t0") <= 4


def test_every_token_is_written_with_the_items_that_carry_it(prepared, folder):
    metadata = MetadataTable.open(folder / METADATA_FOLDER)
    assert len(metadata) == TOKENS
    columns = [metadata.columns[row] for row in range(TOKENS)]
    assert list(dict.fromkeys(columns)) == list(CONFIG.columns)
    brand = list(prepared.catalog.brands)
    assert metadata.items[metadata.tokens.row("brand=b1")] == brand.count("b1")
    assert metadata.vectors.shape == metadata.outputs.shape == (TOKENS, CONFIG.dimensions)


def test_version_is_sealed_and_reused(prepared, root, folder):
    verify(folder, read_manifest(folder, "embedding"))
    assert read_manifest(folder, "embedding").details["tokens"] == TOKENS
    again = CONFIG.model_copy(update={"checkpoint_s": 1.0})
    assert train_meta(prepared, again, root, progress=SilentProgress()) == folder
    assert root.ids() == [folder.name]


def test_training_is_the_same_twice(prepared, folder, tmp_path):
    fitted = fit(prepared, CONFIG, tmp_path)
    table = EmbeddingTable.open(folder, "meta")
    np.testing.assert_array_equal(fitted.table.vectors, table.vectors)
    np.testing.assert_array_equal(fitted.table.outputs, table.outputs)


def test_interrupted_training_ends_with_the_bytes_of_one_that_ran_through(
    prepared, folder, tmp_path
):
    class Interrupted(SilentProgress):
        steps = 0

        def advance(self, amount: int = 1) -> None:
            self.steps += amount
            if self.steps == 7:
                raise KeyboardInterrupt

    kept = Checkpoints(tmp_path / "kept", every_s=0)
    columns = read_columns(prepared, CONFIG, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        fit_meta(prepared, columns, CONFIG, checkpoints=kept, progress=Interrupted())
    latest = kept.part("member-0").latest()
    assert latest is not None
    assert latest.epochs == 6
    resumed = fit_meta(prepared, columns, CONFIG, checkpoints=kept, progress=SilentProgress())
    table = EmbeddingTable.open(folder, "meta")
    np.testing.assert_array_equal(resumed.table.vectors, table.vectors)
    np.testing.assert_array_equal(resumed.table.outputs, table.outputs)
    metadata = MetadataTable.open(folder / METADATA_FOLDER)
    np.testing.assert_array_equal(resumed.token_table.vectors, metadata.vectors)


def test_shrinkage_keeps_less_of_what_is_rare(prepared, tmp_path):
    whole, shrunk = (
        fit(prepared, CONFIG.model_copy(update={"prior": 0.0, "shrinkage": by}), tmp_path).table
        for by in (0.0, 3.0)
    )
    moved = np.linalg.norm(whole.vectors - shrunk.vectors, axis=1)
    moved /= np.linalg.norm(whole.vectors, axis=1)
    rare = whole.positions(np.array([prepared.items.row(RARE)], dtype=np.int32))[0]
    popular = np.argmax(prepared.catalog.popularity[whole.rows])
    assert moved[rare] > 0.2
    assert moved[popular] < 0.1


def test_vectors_end_to_end_have_twice_the_dimensions(prepared, tmp_path):
    both = CONFIG.softmax.model_copy(update={"both_ways": 1.0, "epochs": 1})
    fitted = fit(prepared, CONFIG.model_copy(update={"softmax": both}), tmp_path)
    assert fitted.table.dim == fitted.token_table.dim == 2 * CONFIG.dimensions
    assert fitted.table.outputs is not None
    half = CONFIG.dimensions
    np.testing.assert_array_equal(fitted.table.vectors[:, :half], fitted.table.outputs[:, half:])


def test_columns_that_are_not_there_or_say_nothing_are_errors(prepared, root):
    for columns, message in (
        (("brand", "size"), "no column 'size'"),
        (("nothing",), "'nothing' says nothing of any of the .* items"),
        (("category:3",), "'category:3' says nothing"),
    ):
        config = CONFIG.model_copy(update={"columns": columns})
        before = root.ids()
        with pytest.raises(ConfigError, match=message):
            train_meta(prepared, config, root, progress=SilentProgress())
        assert root.ids() == before


def test_too_few_items_are_an_error(prepared, tmp_path):
    config = CONFIG.model_copy(update={"min_count": 10**6})
    with pytest.raises(DataError, match="at least two items that occur 1000000 times"):
        fit(prepared, config, tmp_path)


def test_a_column_named_twice_is_refused():
    with pytest.raises(ValueError, match="named twice"):
        MetaConfig(columns=("brand", "brand"))
