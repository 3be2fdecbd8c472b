import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.text import LONGEST_TOKEN, normalize, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Ben's 7.5 OZ", ["ben", "s", "7", "5", "oz"]),
        ("Crème Brûlée", ["crème", "brûlée"]),
        ("ﬁsh STRASSE Straße №5 ½", ["fish", "strasse", "strasse", "no5", "1", "2"]),
        ("Чай ЗЕЛЁНЫЙ", ["чай", "зелёный"]),
        ("鞋子-2件", ["鞋子", "2件"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می\u200cخواهم", ["میخواهم"]),  # noqa: RUF001 - they are Arabic letters
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zero", "width"]),
        ("❤\ufe0f 1\ufe0f\u20e3 👩\u200d🍳 ok", ["1", "ok"]),
        ("snake_case </s> __label__x", ["snake", "case", "s", "label", "x"]),
        ("\u0301 !? 🎉", []),
        ("\ud800tail", ["tail"]),
        ("  \t\n", []),
        ("", []),
        (None, []),
    ],
)
def test_text_is_split_without_regard_to_language(text, tokens):
    assert tokenize(text) == tokens


def test_accents_go_only_where_asked():
    assert tokenize("Crème Brûlée", strip_accents=True) == ["creme", "brulee"]
    assert tokenize("हिन्दी", strip_accents=True) == ["हिन्दी"]


def test_a_run_without_spaces_becomes_several_tokens_and_loses_nothing():
    tokens = tokenize("x" * 10_000)
    assert max(map(len, tokens)) == LONGEST_TOKEN
    assert "".join(tokens) == "x" * 10_000


@settings(derandomize=True)
@given(st.text())
def test_tokens_are_words_and_short(text):
    for token in tokenize(text):
        assert 0 < len(token) <= LONGEST_TOKEN
        assert token.split() == [token]
        assert any(character.isalnum() for character in token)


@settings(derandomize=True)
@given(st.text())
def test_composed_and_decomposed_text_are_the_same_text(text):
    assert tokenize(unicodedata.normalize("NFD", text)) == tokenize(text)


@settings(derandomize=True)
@given(st.text(st.characters(max_codepoint=127)))
def test_plain_text_takes_no_other_way_than_the_rest(text):
    assert normalize(text) == normalize(text + "é")[:-1]
