import numpy as np
import pytest
from gensim.models import Word2Vec

from artifacts.arrays import FloatMatrix
from artifacts.embeddings import EmbeddingTable
from artifacts.errors import DataError
from artifacts.manifest import read_manifest, verify
from artifacts.prepared import Prepared
from artifacts.progress import SilentProgress
from artifacts.relation import Relation
from artifacts.versions import VersionedRoot
from tests.made_sessions import prepare_sessions, themed_sessions
from trainer.config import Prod2VecConfig
from trainer.corpus import write_corpus
from trainer.prod2vec import fit_prod2vec, train_prod2vec

CONFIG = Prod2VecConfig(dimensions=16, epochs=12, negative=5, workers=1, min_count=3)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return prepare_sessions(tmp_path_factory.mktemp("shop"), themed_sessions(400))


@pytest.fixture(scope="module")
def table(prepared, tmp_path_factory) -> EmbeddingTable:
    folder = tmp_path_factory.mktemp("fit")
    return fit_prod2vec(prepared, CONFIG, folder, progress=SilentProgress())


def test_both_matrices_are_those_of_gensim(prepared, table, tmp_path):
    corpus = write_corpus(prepared.train_sessions, tmp_path / "c.txt", items=len(prepared.items))
    model = Word2Vec(
        corpus_file=str(corpus.path),
        sg=1,
        vector_size=16,
        epochs=12,
        negative=5,
        window=CONFIG.window,
        sample=0,
        alpha=CONFIG.learning_rate,
        min_count=3,
        seed=CONFIG.seed,
        workers=1,
    )
    assert {str(row) for row in table.rows} == set(model.wv.key_to_index)
    places = [model.wv.key_to_index[str(row)] for row in table.rows]
    assert table.outputs is not None
    # The order of equally frequent items is not ours, and with it the initial vectors differ.
    np.testing.assert_allclose(
        _theme_gap(prepared, table.rows, table.vectors, table.outputs),
        _theme_gap(prepared, table.rows, model.wv.vectors[places], model.syn1neg[places]),
        rtol=0.25,
    )


def _theme_gap(prepared, rows, vectors, outputs) -> float:
    """Return how much better items of one theme continue each other than items of two."""
    themes = np.array([id.split("-")[0] for id in prepared.items.ids(rows)])
    same = themes[:, None] == themes[None, :]
    products = vectors @ outputs.T
    return float(products[same].mean() - products[~same].mean())


def test_items_of_a_theme_are_near_each_other_in_both_relations(prepared, table):
    themes = np.array([id.split("-")[0] for id in prepared.items.ids(table.rows)])
    for relation in Relation:
        scores = table.vectors @ table.targets(relation).T
        np.fill_diagonal(scores, -np.inf)
        assert np.mean(themes[scores.argmax(axis=1)] == themes) > 0.95


def test_one_worker_and_a_seed_give_the_same_bytes(prepared, table, tmp_path):
    again = fit_prod2vec(prepared, CONFIG, tmp_path, progress=SilentProgress())
    np.testing.assert_array_equal(table.vectors, again.vectors)
    np.testing.assert_array_equal(table.outputs, again.outputs)
    other = CONFIG.model_copy(update={"seed": 2})
    assert not np.array_equal(
        table.vectors, fit_prod2vec(prepared, other, tmp_path, progress=SilentProgress()).vectors
    )


def test_items_below_the_minimum_have_no_vector(prepared, table, tmp_path):
    counts = write_corpus(
        prepared.train_sessions, tmp_path / "c.txt", items=len(prepared.items)
    ).counts
    np.testing.assert_array_equal(table.rows, np.flatnonzero(counts >= 3))


def test_too_few_items_are_an_error(prepared, tmp_path):
    config = CONFIG.model_copy(update={"min_count": 10_000})
    with pytest.raises(DataError, match="occur 10000 times in training, got 0"):
        train_prod2vec(prepared, config, VersionedRoot(tmp_path / "cf"), progress=SilentProgress())
    assert list((tmp_path / "cf").iterdir()) == []


class Steps(SilentProgress):
    def __init__(self) -> None:
        self.stages: dict[str, tuple[int | None, int]] = {}

    def start(self, stage: str, total: int | None = None) -> None:
        self._stage, self._total, self._done = stage, total, 0
        self.stages[stage] = (total, 0)

    def advance(self, amount: int = 1) -> None:
        total, done = self.stages[self._stage]
        self.stages[self._stage] = (total, done + amount)


def test_artifact_is_sealed_in_use_and_made_once(prepared, table, tmp_path):
    root = VersionedRoot(tmp_path / "cf")
    steps = Steps()
    folder = train_prod2vec(prepared, CONFIG, root, progress=steps)
    assert steps.stages["train prod2vec"] == (CONFIG.epochs, CONFIG.epochs)
    assert root.current(hint="") == folder
    manifest = read_manifest(folder, "embedding")
    verify(folder, manifest)
    assert manifest.inputs == {"prepared": prepared.manifest.id}
    opened = EmbeddingTable.open(folder, "cf")
    np.testing.assert_array_equal(opened.rows, table.rows)
    np.testing.assert_array_equal(opened.vectors, table.vectors)
    again = Steps()
    assert train_prod2vec(prepared, CONFIG, root, progress=again) == folder
    assert "train prod2vec" not in again.stages
    assert [path.name for path in (tmp_path / "cf").iterdir() if path.name.startswith(".")] == []


def test_windows_shrink_for_sessions_and_not_for_baskets(prepared, tmp_path):
    baskets = prepare_sessions(tmp_path, themed_sessions(60), sessions={"order": "none"})
    config = CONFIG.model_copy(update={"window": 5, "min_count": 1})

    def vectors(data: Prepared, **changes: bool) -> FloatMatrix:
        chosen = config.model_copy(update=changes)
        return fit_prod2vec(data, chosen, tmp_path, progress=SilentProgress()).vectors

    np.testing.assert_array_equal(vectors(prepared), vectors(prepared, shrink_windows=True))
    np.testing.assert_array_equal(vectors(baskets), vectors(baskets, shrink_windows=False))
    assert not np.array_equal(vectors(baskets), vectors(baskets, shrink_windows=True))


SOFTMAX = Prod2VecConfig.model_validate(
    {"dimensions": 16, "min_count": 3, "softmax": {"epochs": 15, "batch": 16, "noise": 32}}
)


@pytest.mark.parametrize("both_ways", [0.0, 1.0])
def test_softmax_brings_items_of_a_theme_together_in_both_relations(prepared, tmp_path, both_ways):
    assert SOFTMAX.softmax is not None
    softmax = SOFTMAX.softmax.model_copy(update={"both_ways": both_ways})
    config = SOFTMAX.model_copy(update={"softmax": softmax})
    learnt = fit_prod2vec(prepared, config, tmp_path, progress=SilentProgress())
    assert learnt.dim == (32 if both_ways else 16)
    themes = np.array([id.split("-")[0] for id in prepared.items.ids(learnt.rows)])
    for relation in Relation:
        scores = learnt.vectors @ learnt.targets(relation).T
        np.fill_diagonal(scores, -np.inf)
        assert np.mean(themes[scores.argmax(axis=1)] == themes) > 0.95


def test_softmax_knows_the_items_that_are_frequent_enough(prepared, tmp_path):
    learnt = fit_prod2vec(prepared, SOFTMAX, tmp_path, progress=SilentProgress())
    counts = write_corpus(
        prepared.train_sessions, tmp_path / "c.txt", items=len(prepared.items)
    ).counts
    np.testing.assert_array_equal(learnt.rows, np.flatnonzero(counts >= 3))
    with pytest.raises(DataError, match="beside others, got 0"):
        fit_prod2vec(
            prepared,
            SOFTMAX.model_copy(update={"min_count": 10_000}),
            tmp_path,
            progress=SilentProgress(),
        )
