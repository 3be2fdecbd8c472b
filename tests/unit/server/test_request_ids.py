import pytest

from server.request_ids import made_id, sent_id


@pytest.mark.parametrize(
    "value", ["a", "3f2a-77", "Root=1-67891233-abcdef012345678912345678", "x" * 128]
)
def test_id_of_the_caller_is_taken_over(value):
    assert sent_id([("user-agent", "x"), ("x-request-id", value)]) == value


@pytest.mark.parametrize(
    "value", ["", "x" * 129, "a b", "a\nlevel=ERROR", 'a"', "\u00e9", b"bytes"]
)
def test_what_could_forge_a_log_is_not_taken_over(value):
    assert sent_id([("x-request-id", value)]) == ""


def test_nothing_is_sent_by_most_callers():
    assert sent_id(None) == sent_id([]) == ""


def test_made_ids_differ_and_would_be_taken_over():
    ids = {made_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(sent_id([("x-request-id", made)]) == made for made in ids)
