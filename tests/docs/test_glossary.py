import pytest

from tests.docs.glossary import Term, defined_names, terms
from tests.docs.pages import ROOT

TERMS = terms()


def test_no_word_is_explained_twice():
    words = [term.word for term in TERMS]
    assert sorted(set(words)) == sorted(words)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.word)
def test_word_names_something_that_exists(term: Term):
    assert term.name, f"{term.word}: names nothing in the code"
    assert term.file.is_file(), f"{term.word}: there is no {term.file.relative_to(ROOT)}"
    assert term.name in defined_names(term.file)


def test_a_name_that_is_gone_would_be_noticed():
    names = defined_names(ROOT / "artifacts" / "relation.py")
    assert {"Relation", "Relation.ALTERNATIVES", "Relation.score_kind"} <= names
    assert {"ALTERNATIVES", "score_kind", "Relations"} & names == set()
