"""The data sets that quality bars are stated on, and the settings chosen for each.

Every setting was chosen on a cut of the training part; the held-out part was not looked at.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from artifacts.prepared import Prepared
from artifacts.progress import Progress
from artifacts.versions import VersionedRoot
from trainer.config import PrepareConfig, Prod2VecConfig
from trainer.meta_config import MetaConfig
from trainer.prepare import prepare

ORDERED = {"position": "position"}
TITLES = {"title": "title", "category_path": "category_path", "top_category": "top_category"}
RETAIL = {**TITLES, "brand": "brand", "price": "price"}


@dataclass(frozen=True, slots=True)
class QualityData:
    """One data set.

    Attributes:
        name: also of the folder that holds `events.parquet` and, with `item_columns`,
            `items.parquet`.
        prepare: the table `[prepare]` but for the paths.
        item_columns: which columns of the items are what; None where there are no items.
        train: the table `[train.cf]` of one model, which meta-prod2vec is compared with.
        at_least: MRR@25 that prod2vec alone must reach.
        against_co_occurrence: or what it must reach, as a multiple of co-occurrence's.
        meta: what the table `[train.meta]` has beside what it shares with `train`; None where there
            is no metadata.
        alone: what the bar of prod2vec alone has in place of `train`, `softmax` key by key.
    """

    name: str
    prepare: dict[str, Any]
    item_columns: dict[str, str] | None
    train: dict[str, Any]
    at_least: float | None = None
    against_co_occurrence: float | None = None
    meta: dict[str, Any] | None = None
    alone: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Prod2VecConfig:
        """Settings of training."""
        return Prod2VecConfig.model_validate(self.train)

    @property
    def alone_config(self) -> Prod2VecConfig:
        """Settings of training for the bar of prod2vec alone."""
        table = self.train | self.alone
        softmax = [given["softmax"] for given in (self.train, self.alone) if given.get("softmax")]
        if softmax:
            table["softmax"] = {key: value for one in softmax for key, value in one.items()}
        return Prod2VecConfig.model_validate(table)

    @property
    def meta_config(self) -> MetaConfig:
        """Settings of meta-prod2vec, like those of prod2vec wherever both have one."""
        assert self.meta is not None, "bug: data without metadata"
        shared = {name: self.train[name] for name in self.train if name in MetaConfig.model_fields}
        return MetaConfig.model_validate(shared | self.meta)

    def prepared(self, folder: Path, root: VersionedRoot, *, progress: Progress) -> Prepared:
        """Prepare the files below `folder`."""
        files: dict[str, Any] = {"events": {"path": str(folder / self.name / "events.parquet")}}
        if self.item_columns:
            path = str(folder / self.name / "items.parquet")
            files["items"] = {"path": path, "columns": self.item_columns}
        tables = dict(self.prepare)
        files["events"]["columns"] = tables.pop("columns")
        return prepare(PrepareConfig.model_validate({**files, **tables}), root, progress=progress)


DIGINETICA = QualityData(
    name="diginetica",
    prepare={"columns": ORDERED, "split": {"kind": "column", "column": "split"}},
    item_columns=None,
    train={"dimensions": 128, "window": 10, "min_count": 1, "softmax": {"epochs": 14}},
    alone={
        "softmax": {
            "epochs": 15,
            "noise": 2048,
            "session_exponent": 0.5,
            "half_life": 0.7,
            "members": 4,
            "likeness": 3.0,
            "both_ways": 0.3,
        },
    },
    at_least=0.155,
)
INSTACART = QualityData(
    name="instacart",
    prepare={"columns": ORDERED},
    item_columns=TITLES,
    train={
        "dimensions": 128,
        "window": 3,
        "min_count": 1,
        "softmax": {"epochs": 12, "learning_rate": 0.2, "noise": 1024, "dropout": 0.1},
    },
    alone={
        "window": 5,
        "softmax": {"session_exponent": 0.5, "members": 4, "both_ways": 0.3},
    },
    against_co_occurrence=1.15,
    meta={"columns": ("category:1", "category:2"), "prior": 3.0},
)
COMPLETE_JOURNEY = QualityData(
    name="complete-journey",
    prepare={"columns": {"timestamp": "timestamp"}, "sessions": {"order": "none"}},
    item_columns=RETAIL,
    train={
        "dimensions": 128,
        "window": 5,
        "min_count": 1,
        "softmax": {
            "epochs": 12,
            "learning_rate": 0.2,
            "distance_exponent": 0.0,
            "dropout": 0.1,
        },
    },
    alone={
        "window": 10,
        "softmax": {"session_exponent": 0.5, "members": 3, "both_ways": 0.3},
    },
    against_co_occurrence=1.15,
    # Titles name the category once more, and the size of the package, which says little.
    meta={"columns": ("category:2", "category:3"), "title_words": 0, "prior": 2.0},
)
QUALITY_DATA = {data.name: data for data in (DIGINETICA, INSTACART, COMPLETE_JOURNEY)}
