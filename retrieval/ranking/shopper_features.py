"""What is known of the shopper, beside a candidate."""

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.ranker import FeatureKind, FeatureSpec, MissingPolicy
from retrieval.ranking.feature_input import FeatureInput
from retrieval.ranking.feature_kernels import inner_products, share_of_history, taken_before
from retrieval.ranking.item_facts import CategoryPaths
from retrieval.user_space import UserSpace


class ShopperFeatures:
    """Affinity by the user space, and what training saw the shopper take.

    Args:
        space: shoppers and item factors.
        paths: the category paths of the catalogue.
    """

    def __init__(self, space: UserSpace, paths: CategoryPaths) -> None:
        self.specs = (
            FeatureSpec(name="user.known", kind=FeatureKind.FLAG),
            FeatureSpec(name="user.affinity"),
            FeatureSpec(name="user.taken", kind=FeatureKind.COUNT, missing=MissingPolicy.ZERO),
            FeatureSpec(name="user.category_share"),
        )
        self._users = space.users
        self._codes = paths.codes
        self._rows = np.asarray(space.items.rows)
        self._factors = np.asarray(space.factors)
        self._vectors = np.asarray(space.users.vectors)

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Write what is known of the shopper; without one nothing is. Cost: O(n d + history)."""
        user, rows = given.context.user_row, given.rows
        if user < 0:
            out[:] = (0, np.nan, 0, np.nan)
            return
        items, of_items = self._users.taken(user)
        taken, weights = np.asarray(items), np.asarray(of_items)
        out[:, 0] = 1
        inner_products(self._rows, self._factors, rows, self._vectors[user], out[:, 1])
        taken_before(taken, weights, rows, out[:, 2])
        share_of_history(self._codes, taken, weights, rows, out[:, 3])
