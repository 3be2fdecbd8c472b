"""The lists and features of ranking, once more: plain Python over one candidate at a time."""

import math
from collections.abc import Sequence

import numpy as np

from artifacts.ranker import ListSettings
from artifacts.relation import Relation
from artifacts.snapshot import Snapshot
from artifacts.user_space_layout import USER_SPACE
from retrieval.session_knn import session_knn
from retrieval.session_knn_config import SessionKnnConfig

NAN = math.nan
Ranked = list[tuple[int, float]]


class FeatureTwin:
    """What a context and a candidate come to.

    Args:
        snapshot: what is looked up in.
        settings: how lists are gathered.
        visits: rows, oldest first.
        user_row: the shopper, -1 where unknown.
    """

    def __init__(
        self, snapshot: Snapshot, settings: ListSettings, visits: Sequence[int], user_row: int
    ) -> None:
        self.snapshot = snapshot
        self.settings = settings
        self.visits = list(visits)
        self.user_row = user_row
        self.last = self.visits[-1] if self.visits else None
        self.distinct = list(dict.fromkeys(self.visits[::-1]))  # most recent first
        self.recent = self._recent()

    def _recent(self) -> dict[int, float]:
        """Return the shares of the last visited items, repeats within their stretch added up."""
        shares: dict[int, float] = {}
        for age, row in enumerate(self.visits[::-1]):
            if row not in shares and len(shares) == self.settings.visits:
                break
            half_life = self.settings.half_life
            share = 1.0 if half_life is None else 0.5 ** (age / half_life)
            shares[row] = shares.get(row, 0.0) + share
        total = sum(shares.values())
        return {row: share / total for row, share in shares.items()}

    def lists(self) -> dict[str, Ranked]:
        """Return the lists of all sources, best first."""
        snapshot = self.snapshot
        found: dict[str, Ranked] = {}
        for (space, relation), table in sorted(snapshot.neighbors.items()):
            sums: dict[int, float] = {}
            for row, weight in self.recent.items():
                hits = table.lookup(row)
                pairs = [] if hits is None else _pairs(*hits)
                for other, score in pairs:
                    above = score - pairs[-1][1]
                    sums[other] = sums.get(other, 0.0) + weight * above
            found[f"{space}.{relation}"] = self._best(sums)
        assert snapshot.recent_sessions is not None
        assert snapshot.covisitation is not None
        config = SessionKnnConfig(
            sample=self.settings.sample,
            neighbors=self.settings.neighbors,
            last_items=self.settings.visits,
        )
        rows, scores = session_knn(
            snapshot.recent_sessions, np.array(self.visits, dtype=np.int32), 10**6, config
        )
        found["session_knn"] = self._best(dict(zip(rows.tolist(), scores.tolist(), strict=True)))
        sums = {}
        for row, weight in self.recent.items():
            others, scores, _ = snapshot.covisitation.lookup(row)
            for other, score in zip(others.tolist(), scores.tolist(), strict=True):
                sums[other] = sums.get(other, 0.0) + weight * score
        found["co_occurrence"] = self._best(sums)
        if self.settings.revisits:
            places = [(row, 1 / (1 + place)) for place, row in enumerate(self.recent)]
            found["visited"] = places[1:]
        found["popular"] = self._popular()
        return found

    def _best(self, sums: dict[int, float]) -> Ranked:
        barred = self.visits[-1:] if self.settings.revisits else self.visits
        rest = [(row, score) for row, score in sums.items() if row not in barred]
        return sorted(rest, key=lambda pair: (-pair[1], pair[0]))[: self.settings.depth]

    def _popular(self) -> Ranked:
        catalog = self.snapshot.catalog
        counts = {
            row: int(catalog.popularity[row])
            for row in range(len(catalog))
            if catalog.popularity[row] > 0
            and (self.last is None or catalog.category(row) == catalog.category(self.last))
        }
        return self._best({row: float(count) for row, count in counts.items()})

    def features(self, row: int) -> dict[str, float]:
        """Return the features of a candidate by name."""
        parts = (
            self._of_lists(row),
            self._of_vectors(row),
            self._of_visits(row),
            self._of_sessions(row),
            self._of_item(row),
            self._of_shopper(row),
        )
        return {name: value for part in parts for name, value in part.items()}

    def _of_lists(self, row: int) -> dict[str, float]:
        found: dict[str, float] = {}
        held, fused = 0, 0.0
        for name, ranked in self.lists().items():
            places = {other: place for place, (other, _) in enumerate(ranked, 1)}
            found[f"{name}.rank"] = places.get(row, NAN)
            found[f"{name}.score"] = dict(ranked).get(row, NAN)
            if row in places:
                held, fused = held + 1, fused + 1 / (60 + places[row])
        return found | {"lists.count": held, "lists.fusion": fused}

    def _of_vectors(self, row: int) -> dict[str, float]:
        found: dict[str, float] = {}
        for space, table in self.snapshot.spaces.items():
            if space == USER_SPACE:
                continue
            where = {known: place for place, known in enumerate(table.rows.tolist())}
            equal = {one: float(self.visits.count(one)) for one in self.distinct[:100]}
            last, before = (dict.fromkeys(self.distinct[n : n + 1], 1.0) for n in (0, 1))
            asked = {"last": last, "before": before, "mean": equal, "recent": self.recent}
            for relation in table.relations:
                targets = table.targets(relation)
                for query, shares in asked.items():
                    cosine = product = NAN
                    known = {one: share for one, share in shares.items() if one in where}
                    if row in where and known:
                        vectors = np.array([table.vectors[where[one]] for one in known], np.float64)
                        if relation is Relation.ALTERNATIVES:
                            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
                        mean = np.average(vectors, axis=0, weights=list(known.values()))
                        target = targets[where[row]].astype(np.float64)
                        product = float(target @ mean)
                        cosine = product / float(np.linalg.norm(target) * np.linalg.norm(mean))
                    found[f"{space}.{relation}.cosine_{query}"] = cosine
                    found[f"{space}.{relation}.product_{query}"] = product
        return found

    def _of_visits(self, row: int) -> dict[str, float]:
        return {
            "session.seen": self.visits.count(row),
            "session.seen_age": self.visits[::-1].index(row) if row in self.visits else NAN,
            "session.visits": len(self.visits),
            "session.distinct": len(self.distinct),
        }

    def _of_sessions(self, row: int) -> dict[str, float]:
        covisitation, recent = self.snapshot.covisitation, self.snapshot.recent_sessions
        assert covisitation is not None
        assert recent is not None
        counts = []
        for visited in self.recent:
            rows, _, shared = covisitation.lookup(visited)
            counts.append(dict(zip(rows.tolist(), shared.tolist(), strict=True)).get(row, 0))
        first, second, *_ = (*counts, 0, 0)
        popularity = self.snapshot.catalog.popularity
        own, last, before, *_ = (
            max(int(popularity[one]), 1) for one in (row, *self.recent, row, row)
        )
        numbers = recent.item_sessions.row(row).tolist()
        kept = len(recent.session_items)
        late = sum(number >= 0.9 * kept for number in numbers)
        latest = sum(number >= 0.99 * kept for number in numbers)
        return {
            "co_occurrence.count_last": first,
            "co_occurrence.share_last": first / last,
            "co_occurrence.share_before": second / before,
            "co_occurrence.lift_last": first / last / own,
            "co_occurrence.count_all": sum(counts),
            "co_occurrence.visits": sum(count > 0 for count in counts),
            "trend.ratio": math.log((late + 1) / (0.1 * int(recent.support[row]) + 1)),
            "trend.late": math.log1p(late),
            "trend.latest": math.log1p(latest),
            "trend.age": math.log(kept - max(numbers)) if numbers else NAN,
        }

    def _of_item(self, row: int) -> dict[str, float]:
        catalog = self.snapshot.catalog
        counts = np.asarray(catalog.popularity, dtype=np.float64)
        own = np.asarray(catalog.category_codes) == catalog.category_codes[row]
        compared = self.distinct[:100]
        price, last_price = self._price(row), NAN if self.last is None else self._price(self.last)
        prices = [known for one in compared if (known := self._price(one)) > 0]
        depths = {one: depth for one in compared if (depth := self._shared(row, one)) is not None}
        brands = {one: catalog.brands[one] for one in compared if catalog.brands[one]}
        paths = [catalog.category_paths[one] == catalog.category_paths[row] for one in depths]
        brand = catalog.brands[row]
        return {
            "popularity.log": math.log1p(counts[row]),
            "popularity.category_share": counts[row] / max(counts[own].sum(), 1),
            "price.log": math.log(price),
            "price.ratio_last": math.log(price / last_price),
            "price.ratio_mean": math.log(price / np.mean(prices)) if prices else NAN,
            "category.depth_last": NAN if self.last is None else depths.get(self.last, NAN),
            "category.depth_mean": float(np.mean(list(depths.values()))) if depths else NAN,
            "category.same_share": float(np.mean(paths)) if paths else NAN,
            "brand.same_last": float(brands[self.last] == brand)
            if brand and self.last in brands
            else NAN,
            "brand.same_share": float(np.mean([other == brand for other in brands.values()]))
            if brand and brands
            else NAN,
            "available": 1.0,
        }

    def _price(self, row: int) -> float:
        return float(self.snapshot.catalog.prices[row])

    def _shared(self, row: int, other: int) -> int | None:
        paths = [self.snapshot.catalog.category_paths[one] for one in (row, other)]
        if not all(paths):
            return None
        levels = [str(path).split(" > ") for path in paths]
        shared = 0
        for one, two in zip(*levels, strict=False):
            if one != two:
                break
            shared += 1
        return shared

    def _of_shopper(self, row: int) -> dict[str, float]:
        users, catalog = self.snapshot.users, self.snapshot.catalog
        assert users is not None
        if self.user_row < 0:
            names = ("user.known", "user.affinity", "user.taken", "user.category_share")
            return dict(zip(names, (0, NAN, 0, NAN), strict=True))
        table = self.snapshot.spaces[USER_SPACE]
        where = {known: place for place, known in enumerate(table.rows.tolist())}
        factors = table.targets(Relation.CONTINUATIONS)
        taken = dict(zip(*(part.tolist() for part in users.taken(self.user_row)), strict=True))
        path = catalog.category_paths[row]
        alike = sum(
            weight for item, weight in taken.items() if catalog.category_paths[item] == path
        )
        vector = users.vectors[self.user_row].astype(np.float64)
        return {
            "user.known": 1,
            "user.affinity": float(factors[where[row]].astype(np.float64) @ vector)
            if row in where
            else NAN,
            "user.taken": taken.get(row, 0),
            "user.category_share": alike / sum(taken.values()) if path else NAN,
        }


def _pairs(rows: np.ndarray, scores: np.ndarray) -> Ranked:
    """Return a list of a table without its padding."""
    return [
        (row, score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True) if row >= 0
    ]
