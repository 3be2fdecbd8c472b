import re
import tomllib

import pytest

from artifacts import errors
from artifacts.ranker import ListSettings
from cli.exit_codes import BUG, INTERRUPTED, exit_code
from cli.rank_config import RankConfig
from retrieval.ranking.config import RerankConfig
from retrieval.session.config import SessionConfig
from retrieval.session_knn_config import SessionKnnConfig
from tests.docs.pages import ROOT
from trainer.ranker_config import RankerConfig

OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+) \| .* \|(.*)\|$", flags=re.MULTILINE)
DOCUMENTED = {
    name: int(code)
    for code, cell in ROW.findall(OPERATIONS)
    for name in re.findall(r"`(\w+)`", cell)
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_errors_end_in_the_exit_code_that_is_documented(name):
    assert exit_code(getattr(errors, name)("an error")) == DOCUMENTED[name]


def test_exit_codes_of_bugs_and_interruptions_are_documented():
    assert {str(BUG), str(INTERRUPTED)} <= {code for code, _ in ROW.findall(OPERATIONS)}


def test_every_extra_is_explained():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    missing = [name for name in project["optional-dependencies"] if f"`{name}`" not in OPERATIONS]
    assert missing == []


@pytest.mark.parametrize("config", [SessionConfig, SessionKnnConfig])
def test_every_setting_of_sessions_is_explained(config):
    missing = [name for name in config.model_fields if f"| `{name}` |" not in OPERATIONS]
    assert missing == []


def test_the_example_of_sessions_is_read():
    text = OPERATIONS.split("[retrieval.serving.home_page.session]", 1)[1].split("```", 1)[0]
    assert SessionConfig.model_validate(tomllib.loads(text)).further_sources


@pytest.mark.parametrize("config", [RankerConfig, RankConfig, ListSettings, RerankConfig])
def test_every_setting_of_the_ranker_is_explained(config):
    fields = set(config.model_fields) - {"lists"}  # a table of its own
    assert [name for name in fields if f"| `{name}` |" not in OPERATIONS] == []
