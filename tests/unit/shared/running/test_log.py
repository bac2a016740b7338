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

from shared.running import log, log_files
from shared.running.log import Formatter, facts, remote, request_id
from shared.running.log_files import DailyFile


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


@given(st.text(max_size=60), st.text(max_size=log.MOST_VALUE // 12 - 1))  # a sign is written with twelve at most
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


def test_a_clock_that_is_months_ahead_for_a_while_deletes_nothing_and_one_left_alone_for_a_day_does(
    tmp_path: Path, loggers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, steady = time.time(), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: steady)
    monkeypatch.setattr(time, "time", lambda: now)
    young, old = dated(tmp_path, 10), dated(tmp_path, 30)
    (tmp_path / "x.log").write_text("before\n")
    now += 60 * 86400  # a board without a clock of its own, and a time server that is wrong
    handler = DailyFile(tmp_path / "x.log")
    handler.emit(record(now, "ahead"))
    assert (young.exists(), old.exists()) == (True, True), "at a start, and at the turn of the day"
    steady, now = steady + 600, now + 600 - 60 * 86400
    handler.emit(record(now, "right again"))
    steady, now = steady + 2 * 86400, now + 2 * 86400
    handler.emit(record(now + 60 * 86400, "the next turn"))
    handler.close()
    assert (young.exists(), old.exists()) == (True, False)


# --- security events -------------------------------------------------------------------------------------------

FILTER = (Path(__file__).resolve().parents[4] / "docs" / "logs.md").read_text()


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
    harmless = ("signed_in", "step_up_failed", "code_held_back", "audit_refused", "forbidden", "token_refused")
    harmful = [event for event in told if event not in harmless]
    assert [host for host in found if host] == [*(told[event] for event in harmful), "2001:db8::7"]


# --- nobody fills the disk ---------------------------------------------------------------------------------------


def test_a_long_value_is_cut_however_it_is_written() -> None:
    for text in ("x" * 8000, "\x01" * 8000, "\U0001f600" * 8000, '"' * 8000):
        made = line("Request", path=text, end=1)
        assert len(made) < 400
        assert made.endswith("(8000) end=1")
    assert line("x", path="y" * 300).endswith(" path=" + "y" * 300)


def test_what_one_address_repeats_is_one_line(tmp_path: Path, loggers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    log.set_up("gateway", tmp_path)
    for _ in range(5000):
        log.security("rate_limited", address="192.0.2.7", limit="reads", key="address:192.0.2.7")
        told = facts(user="-", address="192.0.2.7", method="GET", path="-", status=429, seconds=0.1)
        logging.getLogger("requests").warning("Request", extra=told)
    log.security("rate_limited", address="192.0.2.8", limit="reads", key="address:192.0.2.8")
    assert len((tmp_path / "gateway.log").read_text().splitlines()) < 70
    now += 61
    log.tell_sums()
    lines = (tmp_path / "gateway-security.log").read_text().splitlines()
    assert lines[-1].endswith(" WARNING security Asked too often event=rate_limited address=192.0.2.7 count=4940")
    assert "192.0.2.8" in lines[-2]
    assert len(lines) == 62
    requests = (tmp_path / "gateway-requests.log").read_text().splitlines()
    assert requests[-1].endswith(" WARNING requests Request address=192.0.2.7 user=- status=429 count=4940")
    assert sum(map(len, lines + requests)) < 30_000
    assert banned(lines[-1]) == "192.0.2.7"


def test_what_a_person_does_well_is_written_one_by_one(tmp_path: Path, loggers: None) -> None:
    log.set_up("gateway", tmp_path)
    for _ in range(500):
        told = facts(user="u1", address="192.0.2.7", method="GET", path="/", status=200, seconds=0.1)
        logging.getLogger("requests").info("Request", extra=told)
    assert len((tmp_path / "gateway-requests.log").read_text().splitlines()) == 500


def test_a_day_of_one_log_has_a_ceiling_and_says_what_is_missing(
    tmp_path: Path, loggers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "MOST_BYTES_A_DAY", 10_000)
    handler = DailyFile(tmp_path / "x.log")
    handler.setFormatter(Formatter())
    now = time.time()
    for number in range(1000):
        handler.emit(record(now, f"line {number}"))
    written = (tmp_path / "x.log").read_text()
    assert 10_000 <= len(written) < 10_200
    assert written.splitlines()[-1].endswith("WARNING shared.running.log_files This log is full: lines are left out")
    kept = len(written.splitlines()) - 1
    handler.emit(record(now + 86400, "tomorrow"))
    handler.close()
    first, second = (tmp_path / "x.log").read_text().splitlines()
    assert first.endswith(f"Lines were left out count={1000 - kept}")
    assert second.endswith("tomorrow")


def test_no_log_takes_the_space_of_spool_and_ledger(
    tmp_path: Path, loggers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, free = 0.0, 1
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    disk = os.statvfs(tmp_path)
    spare = min(log_files.SPARE_BYTES, disk.f_blocks * disk.f_frsize // 10)

    class Disk:
        f_frsize, f_blocks = disk.f_frsize, disk.f_blocks

        @property
        def f_bavail(self) -> int:
            return int(spare // self.f_frsize) + free

    monkeypatch.setattr(os, "statvfs", lambda _path: Disk())
    handler = DailyFile(tmp_path / "x.log")
    handler.setFormatter(Formatter())
    for word, spare_blocks in (("one", 1), ("two", 0), ("three", 0), ("four", 1)):
        free, clock = spare_blocks, clock + 2
        handler.emit(record(time.time(), word))
    handler.close()
    told = [written.partition(" a ")[2] or written.partition("log_files ")[2] for written in read_lines(tmp_path)]
    assert told == ["one", "This log is full: lines are left out", "Lines were left out count=2", "four"]


def read_lines(folder: Path) -> list[str]:
    return (folder / "x.log").read_text().splitlines()


def test_all_days_together_have_a_ceiling_and_the_oldest_go(
    tmp_path: Path, loggers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "MOST_BYTES_A_DAY", 1000)
    monkeypatch.setattr(log_files, "KEPT_BYTES", 3000)
    days = [dated(tmp_path, age) for age in (1, 2, 3, 4)]
    for path in days:
        path.write_text("x" * 900)
    DailyFile(tmp_path / "x.log").close()
    assert [path.exists() for path in days] == [True, True, False, False]


# --- others' words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["aiohttp.server", "aiohttp.access", "aiohttp.web", "aiohttp.internal", "asyncio"])
def test_what_libraries_quote_is_not_written(name: str) -> None:
    cookie, token, body, path = (f"{what}-secret" for what in ("cookie", "token", "body", "path"))
    try:
        try:
            raise ValueError(cookie)
        except ValueError as error:
            raise RuntimeError(token) from error
    except RuntimeError:
        raised = sys.exc_info()
    told = logging.LogRecord(name, logging.ERROR, "", 0, "Error handling %s\n" + body, (path,), raised)
    made = Formatter().format(told)
    assert "-secret" not in made
    assert "Error handling %s" in made
    assert "\n  ValueError\n" in made
    assert made.endswith("\n  RuntimeError")
