"""How the text of a product becomes tokens, in training and in serving alike (docs/adr/0008)."""

import re
import unicodedata

LONGEST_TOKEN = 64
"""Characters; a longer run of letters (some scripts put no spaces) becomes several tokens."""

_ZERO_WIDTH_SPACE = 0x200B
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_ACCENTS = re.compile("[\u0300-\u036f]")


class _WordCharacters(dict[int, str | None]):
    """What `str.translate` makes of each character; filled as characters are met."""

    def __missing__(self, code: int) -> str | None:
        self[code] = _word_character(code)
        return self[code]


def _word_character(code: int) -> str | None:
    """Return the character if it belongs to words, None if it is ignored, else a space."""
    character = chr(code)
    if character.isalnum():
        return character
    # Marks before letters that follow: a variation selector is a mark to Unicode, and no letter.
    if any(code in selectors for selectors in _VARIATION_SELECTORS):
        return None
    category = unicodedata.category(character)
    # Vowel signs of Indic scripts are marks; without them the words would fall apart.
    if category in ("Mn", "Mc"):
        return character
    # Soft hyphens and joiners stand inside words; the zero-width space is made to part them.
    if category == "Cf" and code != _ZERO_WIDTH_SPACE:
        return None
    return " "


_WORD_CHARACTERS = _WordCharacters()


def normalize(text: str, *, strip_accents: bool = False) -> str:
    """Return `text` in compatibility composition (NFKC), letter case folded.

    Args:
        text: any text.
        strip_accents: also drop the combining diacritical marks U+0300 to U+036F; vowel signs of
            other scripts stay.
    """
    if text.isascii():
        return text.lower()
    # Folding may decompose, so composition is repeated.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if not strip_accents:
        return folded
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", folded)))


def tokenize(text: str | None, *, strip_accents: bool = False) -> list[str]:
    """Split text into words of letters and digits; everything else parts them.

    No language is assumed: no stop words, no stemming. Emoji and punctuation vanish, numbers stay.
    No token is empty, holds whitespace, or is longer than `LONGEST_TOKEN` characters.

    Args:
        text: any text; None and blanks have no tokens.
        strip_accents: as for `normalize`.

    Cost: O(len(text)).
    """
    if not text:
        return []
    words = normalize(text, strip_accents=strip_accents).translate(_WORD_CHARACTERS).split()
    tokens: list[str] = []
    for word in words:
        if len(word) <= LONGEST_TOKEN:
            tokens.append(word)
        else:
            tokens += (word[i : i + LONGEST_TOKEN] for i in range(0, len(word), LONGEST_TOKEN))
    # A mark alone is no word.
    return [token for token in tokens if token.isascii() or any(map(str.isalnum, token))]
