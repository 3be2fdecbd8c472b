from pathlib import Path

import pytest

from artifacts.errors import ArtifactError
from artifacts.relation import Relation
from retrieval.config import RetrievalConfig, ServingConfig
from server.config import ServerConfig
from server.launch import Launch, Report
from server.place import Place


def test_launch_survives_the_way_to_the_worker():
    launch = Launch(
        config=ServerConfig(port=7, workers=3),
        retrieval=RetrievalConfig(serving={"next": ServingConfig(relation=Relation.CONTINUATIONS)}),
        snapshots=Path("/shop/snapshots"),
        place=Place(index=2, count=3, run_dir=Path("/run/shop")),
        log_level=20,
    )
    assert Launch.model_validate_json(launch.model_dump_json()) == launch


def test_error_is_raised_by_the_supervisor_as_it_was_by_the_worker():
    report = Report.of_error(ArtifactError("vectors.npy: damaged"))
    failure = Report.model_validate_json(report.model_dump_json()).failure()
    assert failure is not None
    with pytest.raises(ArtifactError, match=r"vectors\.npy: damaged"):
        raise failure


def test_ready_worker_reports_no_failure():
    assert Report(port=50051).failure() is None
