import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.subword_kernels import subword_buckets
from tests.reference_fasttext import ReferenceBuckets

WORDS = ["a", "tea", "espresso", "ржаной", "हिन्दी", "鞋子", "crème", "😀", "x" * 64, "1", "ß"]


def twin(word: str, min_n: int, max_n: int, buckets: int) -> list[int]:
    """Every run of characters, hashed by big integers."""
    characters = f"<{word}>"
    found = []
    for start in range(len(characters)):
        for length in range(1, max_n + 1):
            end = start + length
            if end > len(characters):
                break
            if length >= min_n and not (length == 1 and (start == 0 or end == len(characters))):
                hashed = 2_166_136_261
                for byte in characters[start:end].encode():
                    signed = byte if byte < 128 else byte + 0xFFFFFF00
                    hashed = (hashed ^ signed) * 16_777_619 % 2**32
                found.append(hashed % buckets)
    return found


def kernel(word: str, min_n: int, max_n: int, buckets: int) -> list[int]:
    encoded = np.frombuffer(f"<{word}>".encode(), dtype=np.uint8)
    found: list[int] = subword_buckets(encoded, min_n, max_n, buckets).tolist()
    return found


@pytest.mark.parametrize(("min_n", "max_n"), [(3, 6), (1, 4), (2, 2), (5, 6)])
def test_buckets_are_those_of_the_reference_library(tmp_path, min_n, max_n):
    reference = ReferenceBuckets(tmp_path, min_n=min_n, max_n=max_n, buckets=1009)
    for word in WORDS:
        assert kernel(word, min_n, max_n, 1009) == reference.of(word).tolist()


@settings(derandomize=True)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(1, 2**24),
)
def test_buckets_are_those_of_a_loop_over_characters(word, min_n, more, buckets):
    assert kernel(word, min_n, min_n + more, buckets) == twin(word, min_n, min_n + more, buckets)


def test_a_word_shorter_than_every_subword_has_none():
    assert kernel("a", 4, 6, 10) == []
