import json
import logging
import os
import sys
from datetime import datetime

import pytest

from server.observation.logs import JsonFormatter, LineHandler


def line(message: str, *arguments: object, worker: int | None = None, exc_info=None):
    record = logging.LogRecord("server.app", logging.INFO, "", 0, message, arguments, exc_info)
    text = JsonFormatter(worker).format(record)
    assert "\n" not in text
    return json.loads(text)


def test_fields_of_a_message_keep_their_types():
    made = line("worker died place=%d pid=%d reason=%s share=%.2f", 3, 77, "a b", 0.5, worker=1)
    assert made["event"] == "worker died"
    assert (made["place"], made["pid"], made["reason"], made["share"]) == (3, 77, "a b", 0.5)
    assert (made["level"], made["logger"], made["worker"]) == ("INFO", "server.app", 1)
    assert datetime.fromisoformat(made["time"]).utcoffset() is not None


@pytest.mark.parametrize(
    ("message", "arguments", "event"),
    [
        ("plain words", (), "plain words"),
        ("%d items", (3,), "3 items"),
        ("100 %% of k=%d and %s", (3, "x"), "100 % of k=3 and x"),
    ],
)
def test_message_of_another_form_stays_whole(message, arguments, event):
    assert line(message, *arguments)["event"] == event


def test_traceback_and_line_breaks_stay_in_one_line():
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        made = line("failed reason=%s", "a\nb", exc_info=sys.exc_info())
    assert made["reason"] == "a\nb"
    assert "ValueError: first\nsecond" in made["traceback"]


@pytest.fixture
def logger():
    made = logging.Logger("test")
    made.setLevel(logging.INFO)
    return made


def test_line_is_written_whole(logger, tmp_path):
    with (tmp_path / "log").open("wb") as sink:
        logger.addHandler(LineHandler(sink.fileno()))
        logger.info("first k=%d", 1)
        logger.info("second")
    assert (tmp_path / "log").read_text() == "first k=1\nsecond\n"


@pytest.mark.parametrize("fault", ["full disk", "no reader", "closed"])
def test_log_that_cannot_be_written_fails_nobody(logger, fault):
    reader, descriptor = os.pipe()
    if fault == "full disk":
        os.close(descriptor)
        descriptor = os.open("/dev/full", os.O_WRONLY)
    os.close(reader)
    if fault == "closed":
        os.close(descriptor)
    handler = LineHandler(descriptor)
    logger.addHandler(handler)
    logger.error("nobody will read this")
    logger.error("wrong arguments %d", "x")
    assert handler.lost == 2
    if fault != "closed":
        os.close(descriptor)
