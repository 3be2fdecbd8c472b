"""LightGBM's model files as flat arrays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    The m nodes are those of one tree after the other, each with its splits first and then its leaves.

    Attributes:
        feature_names: what the columns of the features are called.
        features: (c,) int32 column of the features that each column is made from.
        missing: (c,) int8 what is missing in it.
        substitutes: (c,) float32 what stands for that: -inf or NaN.
        columns: (m,) int32 column that each split looks at; 0 for leaves.
        thresholds: (m,) float32, not NaN; what is no larger goes left.
        children: (2 m,) int32 left and right child of each node; a leaf's are the leaf itself.
        outputs: (m,) float64 of the leaves; 0 for splits.
        roots: (t,) int32 the first node of each tree.
        depths: (t,) int32 splits on the longest way to a leaf of each tree.
    """

    feature_names: tuple[str, ...]
    features: IntVector
    missing: NDArray[np.int8]
    substitutes: FloatVector
    columns: IntVector
    thresholds: FloatVector
    children: IntVector
    outputs: NDArray[np.float64]
    roots: IntVector
    depths: IntVector

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

    @property
    def depth(self) -> int:
        """Splits on the longest way to a leaf."""
        depths = [0] * len(self.features)
        for place, child in enumerate(self.children.tolist()):  # a split comes after its parent
            if child >= 0:
                depths[child] = depths[place // 2] + 1
        return 1 + max(depths) if depths else 0

    def children_from(self, first: int) -> IntVector:
        """Return left and right children of its nodes, where `first` is the number of its first."""
        splits, leaves = len(self.features), np.arange(len(self.leaves))
        of_splits = np.where(self.children < 0, splits + ~self.children, self.children)
        own = np.concatenate([of_splits, np.repeat(splits + leaves, 2)])
        return (first + own).astype(np.int32)


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
    numbers: dict[Column, int] = {}
    columns = [[numbers.setdefault(each, len(numbers)) for each in _seen(tree)] for tree in trees]
    sizes = [len(tree.features) + len(tree.leaves) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]]).astype(np.int32)
    none = [np.zeros(len(tree.leaves)) for tree in trees]  # what leaves have in place of a split's
    return Forest(
        feature_names=names,
        features=np.array([column.feature for column in numbers], dtype=np.int32),
        missing=np.array([column.missing for column in numbers], dtype=np.int8),
        substitutes=np.array(
            [-np.inf if column.goes_left else np.nan for column in numbers], dtype=np.float32
        ),
        columns=_alternating(columns, none).astype(np.int32),
        thresholds=_rounded_down(_alternating([tree.thresholds for tree in trees], none)),
        children=np.concatenate(
            [tree.children_from(root) for tree, root in zip(trees, roots.tolist(), strict=True)]
        ),
        outputs=_alternating(
            [np.zeros(len(tree.features)) for tree in trees], [tree.leaves for tree in trees]
        ),
        roots=roots,
        depths=np.array([tree.depth for tree in trees], dtype=np.int32),
    )


def _alternating(splits: Sequence[ArrayLike], leaves: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Return what splits have and what leaves have, tree after tree."""
    parts = [part for pair in zip(splits, leaves, strict=True) for part in pair]
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])


def _seen(tree: _Tree) -> Iterator[Column]:
    """Give the column that each split looks at."""
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
