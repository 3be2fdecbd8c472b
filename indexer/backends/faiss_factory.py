"""FAISS factory strings, fitted to the vectors that are at hand."""

import re
from math import isqrt

POINTS_PER_CELL = 39
"""Vectors that k-means wants for each cell; with fewer FAISS warns of poor cells."""

REFINERS = ("RFlat", "Refine(Flat)")
CELLS = re.compile(r"IVF(?P<cells>\d*)(?P<rest>\D.*)?")
PRODUCT_CODES = re.compile(r"PQ(?P<parts>\d*)(?:x(?P<bits>\d+))?(?P<rest>[a-z]*)")
DEFAULT_BITS = 8
SUBVECTOR_DIMS = (2, 3, 4)


def fitted_factory(factory: str, n: int, dim: int) -> str:
    """Return a factory string that FAISS can build over n vectors of `dim` dimensions.

    - `IVF` without a number takes `cell_count(n)` cells; a number is never more than n.
    - `PQ` without a number, as in `PQx4fs`, cuts vectors into pieces of two dimensions, or of three
      or four where two do not divide `dim`, or else of one.
    - Product codes of which there are more than vectors cannot be learnt; whole vectors stand in,
      and a rotation that is learnt with such codes (`OPQ`) is left out.
    - `RR` without a number keeps all dimensions.
    - A refiner at the end is left out: candidates are scored by the vectors that the index keeps.
    """
    tokens = factory.split(",")
    if tokens[-1] in REFINERS:
        tokens = tokens[:-1]
    if tokens[0].startswith("OPQ") and n < 1 << DEFAULT_BITS:
        tokens = tokens[1:]
    return ",".join(_fitted_token(token, n, dim) for token in tokens)


def cell_count(n: int) -> int:
    """Return the number of cells for n vectors, never more than k-means can fill."""
    return max(min(2 * isqrt(n), n // POINTS_PER_CELL), 1)


def _fitted_token(token: str, n: int, dim: int) -> str:
    if cells := CELLS.fullmatch(token):
        wanted = min(int(cells["cells"]), n) if cells["cells"] else cell_count(n)
        return f"IVF{wanted}{cells['rest'] or ''}"
    if codes := PRODUCT_CODES.fullmatch(token):
        bits = int(codes["bits"] or DEFAULT_BITS)
        if n < 1 << bits:
            return "Flat"
        return f"PQ{codes['parts'] or _pieces(dim)}x{bits}{codes['rest']}"
    return f"RR{dim}" if token == "RR" else token


def _pieces(dim: int) -> int:
    whole = [dim // each for each in SUBVECTOR_DIMS if dim % each == 0]
    return whole[0] if whole else dim
