"""What is known of a candidate, by itself and beside what was visited."""

import numpy as np

from artifacts.arrays import FloatMatrix
from artifacts.catalog import Catalog
from artifacts.ranker import FeatureKind, FeatureSpec
from artifacts.recent_sessions import RecentSessions
from retrieval.availability import Availability
from retrieval.ranking.feature_input import FeatureInput
from retrieval.ranking.feature_kernels import category_distances, equal_shares, price_ratios
from retrieval.ranking.item_facts import CategoryPaths, Trends, category_shares, code_strings


class PopularityFeatures:
    """Logarithm of 1 + sessions, and the share in the sessions of the top category."""

    def __init__(self, catalog: Catalog) -> None:
        self.specs = (
            FeatureSpec(name="popularity.log"),
            FeatureSpec(name="popularity.category_share"),
        )
        self._logs = np.log1p(np.asarray(catalog.popularity)).astype(np.float32)
        self._shares = category_shares(catalog)

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Look both up."""
        out[:, 0] = self._logs[given.rows]
        out[:, 1] = self._shares[given.rows]


class TrendFeatures:
    """Whether an item is asked for more than it was, how much lately, and how long ago the last time.

    Args:
        table: sessions in the order of time.
    """

    def __init__(self, table: RecentSessions) -> None:
        names = ("trend.ratio", "trend.late", "trend.latest", "trend.age")
        self.specs = tuple(FeatureSpec(name=name) for name in names)
        self._trends = Trends.of(table)

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Look all of it up."""
        trends, rows = self._trends, given.rows
        for column, values in enumerate((trends.ratios, trends.lates, trends.latests, trends.ages)):
            out[:, column] = values[rows]


class PriceFeatures:
    """Price, and its ratios to those of the visits, as logarithms."""

    def __init__(self, catalog: Catalog) -> None:
        self.specs = (
            FeatureSpec(name="price.log"),
            FeatureSpec(name="price.ratio_last"),
            FeatureSpec(name="price.ratio_mean"),
        )
        self._prices = np.asarray(catalog.prices)

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Compare the prices. Cost: O(n + visits)."""
        price_ratios(self._prices, given.compared.rows, given.rows, out)


class CategoryFeatures:
    """Levels of the category path that a candidate shares with the visits.

    Args:
        paths: the category paths of the catalogue.
    """

    def __init__(self, paths: CategoryPaths) -> None:
        self.specs = (
            FeatureSpec(name="category.depth_last", kind=FeatureKind.COUNT),
            FeatureSpec(name="category.depth_mean"),
            FeatureSpec(name="category.same_share"),
        )
        self._paths = paths

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Compare the paths. Cost: O(n visits)."""
        paths = self._paths
        category_distances(paths.codes, paths.levels, given.compared.rows, given.rows, out)


class BrandFeatures:
    """Whether a candidate is of the brand of the visits."""

    def __init__(self, catalog: Catalog) -> None:
        self.specs = (
            FeatureSpec(name="brand.same_last", kind=FeatureKind.FLAG),
            FeatureSpec(name="brand.same_share"),
        )
        self._codes, _ = code_strings(catalog.brands)

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Compare the brands. Cost: O(n visits)."""
        equal_shares(self._codes, given.compared.rows, given.rows, out)


class StockFeatures:
    """Whether an item is in stock now. All that a ranker learns from was."""

    def __init__(self, availability: Availability) -> None:
        self.specs = (FeatureSpec(name="available", kind=FeatureKind.FLAG, monotone=1),)
        self._availability = availability

    def fill(self, given: FeatureInput, out: FloatMatrix) -> None:
        """Look it up."""
        out[:, 0] = ~self._availability.out_of_stock[given.rows]
