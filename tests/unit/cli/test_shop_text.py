import tomllib

from cli.shop_text import with_table
from trainer.config import Prod2VecConfig
from trainer.content_config import ContentConfig

TEXT = """# The shop.
work_dir = "work"

[train.cf]
window = 9

[train.content]
epochs = 3

[train.content.title]
weight = 0.5
max_tokens = 9

[index] # kept
seed = 1
"""


def test_a_table_is_replaced_and_the_rest_stays():
    settings = Prod2VecConfig(window=3, ns_exponent=-0.5, learning_rate=1e-2)
    text = with_table(TEXT, "train.cf", settings)
    raw = tomllib.loads(text)
    assert Prod2VecConfig.model_validate(raw["train"]["cf"]) == settings
    assert raw["train"]["content"] == tomllib.loads(TEXT)["train"]["content"]
    assert "# The shop." in text
    assert "[index] # kept" in text


def test_sub_tables_go_with_their_table():
    settings = ContentConfig(epochs=8)
    raw = tomllib.loads(with_table(TEXT, "train.content", settings))
    assert ContentConfig.model_validate(raw["train"]["content"]) == settings
    assert raw["train"]["cf"] == {"window": 9}


def test_a_table_that_is_not_there_is_added():
    raw = tomllib.loads(with_table('work_dir = "work"', "train.cf", Prod2VecConfig()))
    assert Prod2VecConfig.model_validate(raw["train"]["cf"]) == Prod2VecConfig()
