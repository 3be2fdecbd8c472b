import numpy as np
import pytest

from artifacts.content_encoder import FieldName
from tests.made_texts import MadeItem, write_texts
from trainer.content_config import ContentConfig, FieldConfig
from trainer.content_texts import CatalogTexts, read_texts

ITEMS = [
    MadeItem("Green Tea, green", "Drinks > Tea", "A tea."),
    MadeItem(None, "Drinks > Tea"),
    MadeItem("🎉"),
    MadeItem("tea " * 2_500),
]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    return write_texts(tmp_path_factory.mktemp("made") / "prepared", ITEMS).catalog


def spelled(texts: CatalogTexts, name: FieldName, item: int) -> list[str]:
    return [texts.words[token] for token in texts.fields[name].of(item)]


def test_every_field_of_every_item_is_read_in_order(catalog):
    texts = read_texts(catalog, ContentConfig())
    assert spelled(texts, "title", 0) == ["green", "tea", "green"]
    assert spelled(texts, "category_path", 1) == ["drinks", "tea"]
    assert spelled(texts, "description", 0) == ["a", "tea"]
    assert texts.fields["title"].lengths.tolist() == [3, 0, 0, 64]
    assert texts.lengths.tolist() == [7, 2, 0, 64]


def test_what_is_cut_is_marked(catalog):
    texts = read_texts(catalog, ContentConfig())
    assert texts.fields["title"].cut.tolist() == [False, False, False, True]


def test_a_field_without_weight_is_not_read(catalog):
    config = ContentConfig(description=FieldConfig(weight=0, max_tokens=9))
    assert list(read_texts(catalog, config).fields) == ["title", "category_path"]


def test_the_corpus_has_a_line_for_each_item_with_text(catalog, tmp_path):
    texts = read_texts(catalog, ContentConfig(title=FieldConfig(weight=1, max_tokens=2)))
    texts.write_corpus(tmp_path / "corpus.txt")
    lines = (tmp_path / "corpus.txt").read_text("utf-8").splitlines()
    assert lines == ["green tea drinks tea a tea", "drinks tea", "tea tea"]
    assert texts.fields["title"].ids.dtype == np.int32
