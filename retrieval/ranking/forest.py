"""LightGBM's model files as flat arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from artifacts.arrays import FloatVector, IntVector
from artifacts.errors import ArtifactError
from retrieval.ranking.tree_kernels import NAN_IS_MISSING, NAN_IS_ZERO

N = TypeVar("N", np.int32, np.float64)

DEFAULT_LEFT = 2
"""Bit of a split's `decision_type`: where a missing value goes."""
CATEGORICAL = 1
"""Bit of a split's `decision_type`: it asks for membership, and not for an order."""
MISSING_TYPE = 2
"""Bits by which a split's `decision_type` is shifted to say what is missing: 0 nothing, and NaN counts
as 0; 1 zero and NaN; 2 NaN."""


class Column(NamedTuple):
    """A feature as some splits see it; those that see it differently have another column."""

    feature: int
    """Column of the features."""
    missing: int
    """What is missing: `NAN_IS_ZERO`, `ZERO_IS_MISSING` or `NAN_IS_MISSING`."""
    goes_left: bool
    """Where what is missing goes."""


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """The trees of a model in which the output of a row is the sum of one leaf of each.

    A value that is missing is replaced beforehand by one that every split sends to the side that it
    goes to, so that a split is one comparison: -inf is below every threshold, and NaN is below none.
    Thresholds are rounded down to float32: no float32 value lies between a threshold and that.

    Attributes:
        feature_names: what the columns of the features are called.
        features: (c,) int32 column of the features that each column is made from.
        missing: (c,) int8 what is missing in it.
        substitutes: (c,) float32 what stands for that: -inf or NaN.
        columns: (m,) int32 column that each split looks at.
        thresholds: (m,) float32, not NaN; what is no larger goes left.
        children: (2 m,) int32 left and right child of each split: another split, or ~leaf.
        roots: (t,) int32 the first split of each tree, or ~leaf where it has none.
        leaves: (l,) float64 outputs.
    """

    feature_names: tuple[str, ...]
    features: IntVector
    missing: NDArray[np.int8]
    substitutes: FloatVector
    columns: IntVector
    thresholds: FloatVector
    children: IntVector
    roots: IntVector
    leaves: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.roots)

    @classmethod
    def read(cls, path: Path) -> "Forest":
        """Read a model in LightGBM's text format.

        Raises:
            ArtifactError: the file is missing, is no such model, or one of a kind that rankers are
                not: of several outputs, averaged, with splits by category, or with linear leaves.
        """
        try:
            return _forest(path.read_text("utf-8"))
        except (OSError, KeyError, ValueError, IndexError) as error:
            raise ArtifactError(f"{path}: expected a model of LightGBM's: {error!r}") from error


class _Tree(NamedTuple):
    """One tree as the file has it."""

    features: IntVector
    thresholds: NDArray[np.float64]
    decisions: IntVector
    children: IntVector
    leaves: NDArray[np.float64]


def _forest(text: str) -> Forest:
    header, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    settings = _fields(header)
    names = tuple(settings["feature_names"].split(" "))
    _check_header(settings, names)
    trees = [_tree(_fields(block), len(names)) for block in blocks]
    if not trees:
        raise ValueError("expected at least one tree, got none")
    return _joined(names, trees)


def _fields(block: str) -> Mapping[str, str]:
    """Return the `name=value` lines of a part of the file."""
    return {name: value for name, _, value in (line.partition("=") for line in block.split("\n"))}


def _check_header(settings: Mapping[str, str], names: tuple[str, ...]) -> None:
    outputs = (settings["num_class"], settings["num_tree_per_iteration"])
    if outputs != ("1", "1") or "average_output" in settings:
        raise ValueError("expected one output that is a sum of trees")
    if len(names) != int(settings["max_feature_idx"]) + 1:
        raise ValueError(f"expected {settings['max_feature_idx']} + 1 features, got {len(names)}")


def _tree(fields: Mapping[str, str], features: int) -> _Tree:
    splits = int(fields["num_leaves"]) - 1
    if int(fields.get("num_cat", "0")) or int(fields.get("is_linear", "0")):
        raise ValueError("expected splits by order and constant leaves")
    if not splits:
        none = np.empty(0, dtype=np.int32)
        return _Tree(none, np.empty(0), none, none, _reals(fields["leaf_value"], 1))
    tree = _Tree(
        features=_integers(fields["split_feature"], splits),
        thresholds=_reals(fields["threshold"], splits),
        decisions=_integers(fields["decision_type"], splits),
        children=np.stack(
            [_integers(fields[f"{side}_child"], splits) for side in ("left", "right")], axis=1
        ).reshape(-1),
        leaves=_reals(fields["leaf_value"], splits + 1),
    )
    _check_tree(tree, features)
    return tree


def _check_tree(tree: _Tree, features: int) -> None:
    """Refuse what a kernel would follow out of its arrays, or for ever."""
    splits = len(tree.features)
    if tree.features.min() < 0 or tree.features.max() >= features:
        raise ValueError(f"expected splits of features below {features}")
    if (tree.decisions & CATEGORICAL).any() or (
        tree.decisions >> MISSING_TYPE
    ).max() > NAN_IS_MISSING:
        raise ValueError("expected splits by order")
    if np.isnan(tree.thresholds).any() or not np.isfinite(tree.leaves).all():
        raise ValueError("expected numbers for thresholds, finite ones for leaves")
    # Each node but the root is the child of exactly one split that was made before it.
    nodes = np.sort(np.where(tree.children < 0, splits + ~tree.children, tree.children))
    parents = np.repeat(np.arange(splits), 2)
    if not np.array_equal(nodes, np.arange(1, 2 * splits + 1)):
        raise ValueError("expected each node below one split")
    if ((tree.children >= 0) & (tree.children <= parents)).any():
        raise ValueError("expected splits in the order in which they were made")


def _integers(text: str, count: int) -> IntVector:
    return _checked(np.array(text.split(), dtype=np.int32), count)


def _reals(text: str, count: int) -> NDArray[np.float64]:
    return _checked(np.array(text.split(), dtype=np.float64), count)


def _checked(values: NDArray[N], count: int) -> NDArray[N]:
    if len(values) != count:
        raise ValueError(f"expected {count} numbers, got {len(values)}")
    return values


def _joined(names: tuple[str, ...], trees: list[_Tree]) -> Forest:
    columns, places = _columns(trees)
    splits = np.cumsum([0, *(len(tree.features) for tree in trees)])
    leaves = np.cumsum([0, *(len(tree.leaves) for tree in trees)])
    children = [
        np.where(tree.children < 0, tree.children - first_leaf, tree.children + first_split)
        for tree, first_split, first_leaf in zip(trees, splits, leaves, strict=False)
    ]
    roots = [
        first_split if len(tree.features) else ~first_leaf
        for tree, first_split, first_leaf in zip(trees, splits, leaves, strict=False)
    ]
    return Forest(
        feature_names=names,
        features=np.array([column.feature for column in columns], dtype=np.int32),
        missing=np.array([column.missing for column in columns], dtype=np.int8),
        substitutes=np.array(
            [-np.inf if column.goes_left else np.nan for column in columns], dtype=np.float32
        ),
        columns=places,
        thresholds=_rounded_down(np.concatenate([tree.thresholds for tree in trees])),
        children=np.concatenate(children).astype(np.int32),
        roots=np.array(roots, dtype=np.int32),
        leaves=np.concatenate([tree.leaves for tree in trees]),
    )


def _columns(trees: list[_Tree]) -> tuple[list[Column], IntVector]:
    """Return the distinct columns of all splits, and the place of each split's among them."""
    numbers: dict[Column, int] = {}
    places = [
        numbers.setdefault(column, len(numbers)) for tree in trees for column in _of_splits(tree)
    ]
    return list(numbers), np.array(places, dtype=np.int32)


def _of_splits(tree: _Tree) -> Iterator[Column]:
    for feature, decision in zip(tree.features.tolist(), tree.decisions.tolist(), strict=True):
        missing = decision >> MISSING_TYPE
        # Where NaN counts as 0 nothing is missing: one column will do for both sides.
        yield Column(feature, missing, bool(decision & DEFAULT_LEFT) and missing != NAN_IS_ZERO)


def _rounded_down(thresholds: NDArray[np.float64]) -> FloatVector:
    """Return the largest float32 that is not above each threshold."""
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(np.float32)
    lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded.astype(np.float64) > thresholds, lower, rounded).astype(np.float32)
