"""The log: one line per record whatever is logged, facts as fields, a file a day, a month kept."""

import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import log
from shared.log import DailyFile, Formatter, facts, request_id


@pytest.fixture
def loggers() -> Iterator[None]:
    """Puts the process's loggers back as they were."""
    root, requests = logging.getLogger(), logging.getLogger("requests")
    before = root.handlers[:], root.level, requests.handlers[:], requests.propagate
    yield
    for handler in {*root.handlers, *requests.handlers} - {*before[0], *before[2]}:
        handler.close()
    root.handlers, root.level, requests.handlers, requests.propagate = before
    logging.captureWarnings(capture=False)


def line(message: str, *arguments: object, **fields: object) -> str:
    record = logging.LogRecord("gateway.app", logging.INFO, "", 0, message, arguments, None)
    record.created, record.msecs = 1795466718.123, 123.0
    record.facts = fields
    return Formatter().format(record)


def test_a_line_is_a_sentence_with_facts() -> None:
    assert line("Room came online", room="hall", seconds=0.5) == (
        "2026-11-23T20:45:18.123Z INFO gateway.app Room came online room=hall seconds=0.5000"
    )


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_makes_a_second_line_or_forges_a_field(message: str, value: str) -> None:
    made = line(message.replace("%", "%%") if message else message, room=value, end=1)
    assert len(made.splitlines()) == 1
    assert made.isascii()
    assert made.isprintable()
    told = made.rpartition(" room=")[2].removesuffix(" end=1")
    assert told == value or json.loads(told) == value


def test_a_value_with_spaces_or_quotes_is_quoted() -> None:
    assert line("x", a='b" c=d').endswith(r'x a="b\" c=d"')
    assert line("x", a="b\nERROR forged").endswith(r'a="b\nERROR forged"')
    assert line("x", a="").endswith('a=""')
    assert line("x", a="ünï\u202e").endswith(r'a="\u00fcn\u00ef\u202e"')


def test_a_request_is_named_on_its_lines() -> None:
    token = request_id.set("r1")
    try:
        assert line("x").endswith(" x request=r1")
    finally:
        request_id.reset(token)
    assert line("x").endswith(" x")


def test_a_traceback_follows_its_line() -> None:
    try:
        raise ValueError("secret-free")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, "", 0, "Failed", (), sys.exc_info())
    first, second, *_ = Formatter().format(record).splitlines()
    assert first.endswith("ERROR a Failed")
    assert second.startswith("Traceback")


def test_requests_go_to_their_own_file_and_everything_else_to_the_services(tmp_path: Path, loggers: None) -> None:
    log.set_up("gateway", tmp_path / "log")
    logging.getLogger("gateway.app").info("Ordinary", extra=facts(a=1))
    logging.getLogger("requests").info("Request", extra=facts(status=200))
    ordinary, requests = (tmp_path / "log" / name for name in ("gateway.log", "gateway-requests.log"))
    assert ordinary.read_text().endswith("INFO gateway.app Ordinary a=1\n")
    assert requests.read_text().endswith("INFO requests Request status=200\n")
    assert len(ordinary.read_text().splitlines()) == len(requests.read_text().splitlines()) == 1


def dated_path(folder: Path, days: float, base: str = "x.log") -> Path:
    return folder / f"{base}.{time.strftime('%Y-%m-%d', time.gmtime(time.time() - days * 86400))}"


def dated(folder: Path, days: float, base: str = "x.log") -> Path:
    path = dated_path(folder, days, base)
    path.write_text("old\n")
    return path


def test_a_start_deletes_what_is_older_than_a_month_and_nothing_else(tmp_path: Path, loggers: None) -> None:
    old, ancient, young = dated(tmp_path, 33), dated(tmp_path, 400), dated(tmp_path, 29)
    others = dated(tmp_path, 400, "y.log")
    DailyFile(tmp_path / "x.log").close()
    assert (old.exists(), ancient.exists(), young.exists(), others.exists()) == (False, False, True, True)


def record(created: float, text: str) -> logging.LogRecord:
    made = logging.LogRecord("a", logging.INFO, "", 0, text, (), None)
    made.created = created
    return made


def test_each_new_day_is_a_new_file_and_a_clock_that_is_set_back_is_none(tmp_path: Path, loggers: None) -> None:
    now = time.time()
    handler = DailyFile(tmp_path / "x.log")
    for days in (0, 0, 1, -3, 0, 1, 2):
        handler.emit(record(now + days * 86400, f"day {days}"))
    handler.close()
    assert (tmp_path / "x.log").read_text() == "day 2\n"
    assert dated_path(tmp_path, 0).read_text() == "day 0\nday 0\n"
    assert dated_path(tmp_path, -1).read_text() == "day 1\nday -3\nday 0\nday 1\n"


def test_a_file_that_cannot_be_turned_goes_on_and_loses_no_line(
    tmp_path: Path, loggers: None, capsys: pytest.CaptureFixture[str]
) -> None:
    now = time.time()
    dated_path(tmp_path, 0).mkdir()
    handler = DailyFile(tmp_path / "x.log")
    for days in (0, 1, 1):
        handler.emit(record(now + days * 86400, f"day {days}"))
    handler.close()
    assert (tmp_path / "x.log").read_text() == "day 0\nday 1\nday 1\n"
    assert capsys.readouterr().err.count("Logging error") == 1


def test_a_new_day_is_a_new_file(tmp_path: Path, loggers: None) -> None:
    (tmp_path / "x.log").write_text("yesterday\n")
    yesterday = time.time() - 86400
    os.utime(tmp_path / "x.log", (yesterday, yesterday))
    gone = dated(tmp_path, 40)
    handler = DailyFile(tmp_path / "x.log")
    gone.write_text("back again\n")
    handler.emit(logging.LogRecord("a", logging.INFO, "", 0, "today", (), None))
    handler.close()
    assert (tmp_path / "x.log").read_text() == "today\n"
    kept = tmp_path / f"x.log.{time.strftime('%Y-%m-%d', time.gmtime(yesterday))}"
    assert kept.read_text() == "yesterday\n"
    assert not gone.exists()
