"""Names of folders made from names of categories."""

import re
import unicodedata

import xxhash

from artifacts.snapshot import WHOLE_SPACE

WHOLE_SLUG = "whole"
LONGEST_STEM = 40


def category_slug(category: str) -> str:
    """Return a folder name for a category: readable ASCII, and a hash that keeps it unique.

    Categories may differ by case, accents or punctuation alone, or hold path separators.
    """
    if category == WHOLE_SPACE:
        return WHOLE_SLUG
    ascii_only = unicodedata.normalize("NFKD", category).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:LONGEST_STEM]
    return f"{stem or 'category'}-{xxhash.xxh3_64_hexdigest(category.encode())[:8]}"
