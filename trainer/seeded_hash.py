"""A hash that every engine computes alike, so that draws do not depend on what runs them."""

import hashlib

from ibis.expr.types import StringValue

SEPARATOR = "\x1f"
BITS = 128


def seeded_hash(seed: int, *parts: StringValue) -> StringValue:
    """Return 32 hexadecimal digits for each row, uniform over the values of `parts`.

    MD5 is in every SQL engine, gives the same digits in each, and lower-case digits sort as text
    the way the numbers do. It draws lots here; it protects nothing.
    """
    text = parts[0]
    for part in parts[1:]:
        text = text + SEPARATOR + part
    return (f"{seed}{SEPARATOR}" + text).hexdigest("md5")


def seeded_hash_of(seed: int, *parts: str) -> str:
    """Return what `seeded_hash` gives for one row."""
    text = SEPARATOR.join((str(seed), *parts))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def threshold(fraction: float) -> str:
    """Return the digits below which a `fraction` of all hashes lie, 0 < fraction < 1."""
    return f"{int(fraction * 2**BITS):032x}"
