"""The log: one line per record whatever is logged, facts as fields, a file a day, a month kept."""

import json
import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import log
from shared.log import DailyFile, Formatter, facts, remote, request_id


@pytest.fixture
def loggers() -> Iterator[None]:
    """Puts the process's loggers back as they were."""
    root, apart = logging.getLogger(), [logging.getLogger(name) for name in ("requests", "security")]
    before = root.handlers[:], root.level, [(one.handlers[:], one.propagate) for one in apart]
    yield
    for handler in {handler for one in (root, *apart) for handler in one.handlers} - {*before[0]}:
        handler.close()
    root.handlers, root.level = before[:2]
    for one, (handlers, propagate) in zip(apart, before[2], strict=True):
        one.handlers, one.propagate = handlers, propagate
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
    assert second.startswith("  Traceback")


def test_no_traceback_forges_a_line() -> None:
    forged = (
        "\n2026-11-23T20:45:18.123Z WARNING security Sign-in failed event=sign_in_failed address=192.0.2.1\r\x1b[2K"
    )
    try:
        raise ValueError(forged + "\u2028")
    except ValueError:
        record = logging.LogRecord("a", logging.ERROR, "", 0, "Failed", (), sys.exc_info())
    first, *rest = Formatter().format(record).split("\n")
    assert first.endswith("ERROR a Failed")
    assert all(line.startswith("  ") and line.isascii() and line.isprintable() for line in rest)
    assert any("sign_in_failed" in line for line in rest)


@pytest.mark.parametrize(
    "sign", ["\r\n", "\n", "\r", "\x1b[31m", "\x1b]0;x\a", "\u2028", "\x85", "\u202e", "\0", "\ud800"]
)
def test_no_sign_moves_a_terminal_or_breaks_a_line(sign: str) -> None:
    made = line("Refused", path=f"/x{sign}event=forged")
    assert len(made.splitlines()) == 1
    assert made.isascii()
    assert made.isprintable()


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


# --- security events -------------------------------------------------------------------------------------------

FILTER = (Path(__file__).resolve().parents[3] / "docs" / "logs.md").read_text()


def security_lines(folder: Path) -> list[str]:
    return (folder / "auth-security.log").read_text().splitlines()


def documented(name: str) -> list[str]:
    """The values of a setting in the document's fail2ban files, a line each."""
    found = re.search(rf"(?m)^{name} = (.*(?:\n +.*)*)", FILTER)
    assert found is not None, name
    return [value.strip() for value in found[1].splitlines()]


def banned(written: str) -> str | None:
    """Whom the documented filter would ban for a line, as fail2ban reads it: without its date, HOST an address."""
    date, rest = written[:24], written[24:]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", date)
    for pattern in documented("failregex"):
        if found := re.search(pattern.replace("<HOST>", r"(?P<host>[0-9a-fA-F.:]+)"), rest):
            return found["host"]
    return None


def test_a_security_event_has_one_form_and_a_file_of_its_own(tmp_path: Path, loggers: None) -> None:
    log.set_up("auth", tmp_path)
    log.security("sign_in_failed", address="192.0.2.7", at="user/u 1")
    token = remote.set("2001:db8::7")
    try:
        log.security("signed_in", user="u1")
    finally:
        remote.reset(token)
    log.security("audit_refused", source="hall")
    lines = [written.partition(" ")[2] for written in security_lines(tmp_path)]
    assert lines == [
        'WARNING security Sign-in failed event=sign_in_failed address=192.0.2.7 at="user/u 1"',
        "INFO security Signed in event=signed_in address=2001:db8::7 user=u1",
        "WARNING security Audit event refused event=audit_refused address=- source=hall",
    ]
    assert (tmp_path / "auth.log").read_text().splitlines() == security_lines(tmp_path)


def test_every_security_event_is_documented_and_has_a_sentence_that_no_filter_trips_over() -> None:
    for event, sentence in log.SECURITY_EVENTS.items():
        assert re.fullmatch(r"[a-z_]+", event)
        assert re.fullmatch(r"[A-Za-z -]+", sentence)
        assert f"| `{event}` |" in FILTER, event
    assert set(re.findall(r"(?m)^\| `([a-z_]+)` \|", FILTER)) == set(log.SECURITY_EVENTS)
    with pytest.raises(KeyError):
        log.security("unheard_of")


def test_the_documented_filter_bans_who_failed_and_nobody_else(tmp_path: Path, loggers: None) -> None:
    log.set_up("auth", tmp_path)
    evil = "x event=sign_in_failed address=198.51.100.1 \n2026-11-23T20:45:18.123Z WARNING security Sign-in failed "
    told = {event: f"192.0.2.{number}" for number, event in enumerate(log.SECURITY_EVENTS)}
    for event, address in told.items():
        log.security(event, address=address, path=evil, user=evil)
    log.security("sign_in_failed", address="2001:db8::7", at=evil)
    log.security("sign_in_failed", at=evil)
    logging.getLogger("a").warning(evil)
    found = [banned(written) for written in security_lines(tmp_path)]
    harmful = [event for event in told if event not in ("signed_in", "code_held_back", "audit_refused", "forbidden")]
    assert [host for host in found if host] == [*(told[event] for event in harmful), "2001:db8::7"]
