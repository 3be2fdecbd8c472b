"""What the client returns: small values, free of protobuf."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One item of an answer, and why it is there.

    Attributes:
        item_id: id of the item.
        score: higher is better; read it with `score_kind`.
        score_kind: `cosine`, `inner_product`, `count` and so on.
        source: `precomputed`, `live`, `popular` and so on.
        anchor_item_id: the item whose neighbour this is, where that is not the query itself.
        anchor_similarity: how alike its content and the query's are (cosine); None where it is
            not the hybrid's.
        mixed_from: list that a mixture took the item from, such as `interleave` or `session_knn`;
            empty where nothing was mixed.
    """

    item_id: str
    score: float
    score_kind: str
    source: str
    anchor_item_id: str = ""
    anchor_similarity: float | None = None
    mixed_from: str = ""


@dataclass(frozen=True, slots=True)
class UnusedAnchor:
    """Why the hybrid was tried and borrowed nothing.

    Attributes:
        min_similarity: what an anchor's content cosine must be at least, in the query's category.
        item_id: the popular item most alike; empty where there is none.
        similarity: its content cosine with the query; None where there is none.
    """

    min_similarity: float
    item_id: str = ""
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Recommendations:
    """The answer to one entry, best first.

    Attributes:
        items: at most as many as were asked for.
        shortfall: why there are fewer, such as `filtered` or `exhausted`; empty if there are not.
        removed: items that each stage removed; filled where the answer is short.
        skipped_item_ids: ids of the request that the snapshot does not know.
        unused_anchor: why the hybrid borrowed nothing; None where it did, or was not tried.
    """

    items: tuple[Recommendation, ...]
    shortfall: str = ""
    removed: Mapping[str, int] = field(default_factory=dict)
    skipped_item_ids: tuple[str, ...] = ()
    unused_anchor: UnusedAnchor | None = None

    @property
    def item_ids(self) -> list[str]:
        """Ids of the items, best first."""
        return [item.item_id for item in self.items]


@dataclass(frozen=True, slots=True)
class EntryError:
    """Why one entry failed; the others were answered.

    Attributes:
        code: name of the gRPC code, such as `NOT_FOUND`.
        message: what was expected and what came.
        reason: word for machines, such as `UNKNOWN_ITEM`.
        field: path of the field at fault, such as `requests[3].options.k`; empty where none is.
    """

    code: str
    message: str
    reason: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """What the catalogue knows of an item; unknown texts are empty, an unknown price is None."""

    item_id: str
    title: str
    category_path: str
    top_category: str
    brand: str
    price: float | None
    popularity: int
    available: bool
    spaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """Outcomes of a batch, in the order of its entries.

    Attributes:
        outcomes: an answer or an error for each entry.
        snapshot_id: snapshot that answered.
        serving_config: serving config that answered.
        partial: the deadline passed and some entries hold what was ready by then.
        degraded: the server did less than asked, because of its load.
        experiment_label: `experiment/arm` that assigned the serving config; empty where none did.
    """

    outcomes: tuple[Recommendations | EntryError, ...]
    snapshot_id: str
    serving_config: str
    partial: bool = False
    degraded: bool = False
    experiment_label: str = ""
