"""The stage that trains the ranker: a ranking table -> trees, schema and report, sealed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from artifacts.arrays import IntVector
from artifacts.errors import ArtifactError
from artifacts.folders import staged_folder
from artifacts.manifest import fingerprint, seal
from artifacts.progress import Progress
from artifacts.ranker import METRICS_NAME, MODEL_NAME, write_schema
from artifacts.ranking_table import RankingTable
from artifacts.versions import VersionedRoot
from trainer.ranker_comparison import ComparedRanker, RankerSettings, compare_ranker
from trainer.ranker_model import fit_ranker
from trainer.ranker_parts import split_by_time
from trainer.ranker_report import RankerReport

PACKAGES = ("lightgbm", "numba", "numpy")
WITHOUT_EFFECT = {"threads"}


@dataclass(frozen=True, slots=True)
class RankerTask:
    """What a ranker is made from; equal tasks give the same version id.

    Attributes:
        table: contexts, candidates and grades.
        inputs: ids of artifacts that the table is or was made from, by their kind; the report calls
            the table by `ranking_table`.
        popularity: (v,) training sessions that hold each vocabulary row, for the report.
        settings: of training and report.
    """

    table: RankingTable
    inputs: Mapping[str, str]
    popularity: IntVector
    settings: RankerSettings

    @property
    def config(self) -> dict[str, Any]:
        """Effective settings that change the result."""
        ranker, evaluate = self.settings.ranker, self.settings.evaluate
        return {
            "ranker": ranker.model_dump(mode="json", exclude=WITHOUT_EFFECT),
            "evaluate": evaluate.model_dump(
                mode="json", include={"k", "resamples", "confidence", "seed"}
            ),
        }

    @property
    def versions(self) -> dict[str, str]:
        """Installed releases of what shapes the result."""
        return {name: version(name) for name in PACKAGES}

    @property
    def id(self) -> str:
        """Name of the version that this task makes."""
        return fingerprint(
            {
                "config": self.config,
                "inputs": dict(self.inputs),
                "schema": self.table.schema.fingerprint,
                "versions": self.versions,
            }
        )


def train_ranker(task: RankerTask, root: VersionedRoot, *, progress: Progress) -> Path:
    """Fit, compare and seal a ranker unless that very version is there; put it in use.

    Args:
        task: what it is made from.
        root: versions of the ranker.
        progress: shown the stages.

    Returns:
        Folder of the sealed ranker; `artifacts.ranker.Ranker.open` and `read_report` read it.

    Raises:
        DataError: the table cannot be learnt from, see `split_by_time` and `fit_ranker`.
        ConfigError: the settings do not suit the table.
    """
    id = task.id
    if root.has(id):
        progress.start("train ranker")
        progress.finish(f"version {id} is up to date")
    else:
        with staged_folder(root.path(id)) as folder:
            details = _fill(task, folder, progress)
            seal(
                folder,
                kind="ranker",
                id=id,
                config=task.config,
                inputs=dict(task.inputs),
                versions=task.versions,
                details=details,
            )
    root.use(id)
    return root.path(id)


def read_report(folder: Path) -> RankerReport:
    """Read what the trainer measured of a ranker.

    Raises:
        ArtifactError: the file is missing or is no report.
    """
    path = folder / METRICS_NAME
    try:
        return RankerReport.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ArtifactError(f"{path}: the report cannot be read: {error}") from error


def _fill(task: RankerTask, folder: Path, progress: Progress) -> dict[str, Any]:
    config = task.settings.ranker
    parts = split_by_time(task.table, config)
    fitted = fit_ranker(parts.train, parts.validation, config, progress=progress)
    table = task.inputs.get("ranking_table", "")
    compared = ComparedRanker(table, parts, fitted, task.popularity)
    report = compare_ranker(compared, task.settings, progress=progress)
    (folder / MODEL_NAME).write_text(fitted.text, "utf-8")
    write_schema(folder, fitted.schema)
    (folder / METRICS_NAME).write_text(json.dumps(report.to_json(), indent=2), "utf-8")
    return {
        "features": fitted.schema.width,
        "rounds": fitted.rounds,
        "ndcg": report.method("ranker").ndcg.mean,
        "best_fusion_ndcg": report.best_fusion.ndcg.mean,
    }
