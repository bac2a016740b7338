"""Logs: a constant sentence with facts as fields, to the console and to a file a day, kept a month.

Never a payload, password, code, cookie or token. Every value is encoded, so that nothing can forge a line
(ASVS 5.0 16.4.1). Times are UTC. docs/logs.md lists every log; `security` writes what fail2ban may read.
"""

import atexit
import functools
import json
import logging
import re
import sys
import time
import traceback
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from shared.running.log_files import DailyFile
from shared.running.seldom import Sums

if TYPE_CHECKING:
    from shared.running.syslog import SyslogConfig

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that a line belongs to, set by the web floor."""

remote: ContextVar[str | None] = ContextVar("remote", default=None)
"""The address that the request came from, set by the web floor."""

SECURITY_EVENTS = {
    "signed_in": "Signed in",
    "sign_in_failed": "Sign-in failed",
    "step_up_failed": "Step-up failed",
    "code_held_back": "Code held back",
    "invitation_failed": "Code of an invitation was wrong",
    "join_refused": "Machine that wanted to join refused",
    "forbidden": "Not permitted",
    "token_refused": "API token refused",
    "csrf_refused": "Request from elsewhere refused",
    "rate_limited": "Asked too often",
    "certificate_refused": "Certificate refused",
    "audit_refused": "Audit event refused",
}
"""Every security event by its stable name, and the sentence for people: letters, blanks and dashes only."""

_security_log = logging.getLogger("security")
_ORDINARY = frozenset({"signed_in"})
_APART = ("requests", "security")
_NAMED = ("event", "address", "user", "status")
"""Lines that agree in these are alike."""
_SUM_SECONDS = 60.0
_SUM_KEYS = 1000
_MOST_ALIKE = 60
"""So many lines alike a minute from one address; as many as fail2ban counts by docs/logs.md."""
_MOST_OF_USER = 600
_OTHERS = frozenset({"aiohttp", "aiohttp_session", "asyncio"})
MOST_VALUE = 300
"""A value's signs, as written; behind one that was cut stands how long it was."""
_MOST_SENTENCE = 1000
_TRACEBACK_LINES = 80
_INVISIBLE = re.compile(r"[^ -~]")
_PLAIN = re.compile(r"[\w.,:;/@+=\[\]-]+", re.ASCII)


def facts(**fields: object) -> dict[str, object]:
    """Facts for one line: `log.info("Room came online", extra=facts(room=room))`."""
    return {"facts": fields}


def security(event: str, *, address: str | None = None, **fields: object) -> None:
    """Log a security event in the one form that docs/logs.md promises: `event=` and `address=` first, then the rest.

    `address` is that of the request under way unless another is named, and "-" where there is none.
    """
    level = logging.INFO if event in _ORDINARY else logging.WARNING
    told = {"event": event, "address": address or remote.get() or "-", **fields}
    _security_log.log(level, SECURITY_EVENTS[event], extra=facts(**told))


class Formatter(logging.Formatter):
    """`2026-11-23T20:45:18.123Z INFO gateway.app Room came online room=hall`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and behind it a traceback where there is one, set in: none of its lines begins like one of ours."""
        at = f"{_second(int(record.created))}.{int(record.msecs):03d}Z"
        # Others' loggers quote what they could not read: their sentence is told, and nothing that they put into it.
        sentence = str(record.msg).partition("\n")[0] if _is_others(record) else record.getMessage()
        line = f"{at} {record.levelname} {record.name} {_encoded(sentence[:_MOST_SENTENCE])}"
        fields = dict(getattr(record, "facts", {}))
        if (request := request_id.get()) is not None:
            fields.setdefault("request", request)
        for name, value in fields.items():
            line += f" {name}={_value(value)}"
        if record.exc_info:
            told = _told_without_words(record) if _is_quoting(record) else self.formatException(record.exc_info)
            lines = told.split("\n")
            line += "".join(f"\n  {_short(_visible(one))}" for one in lines[-_TRACEBACK_LINES:])
        return line


_Repeated = tuple[str, int, tuple[tuple[str, object], ...]]
"""A sentence, its level, and what it names."""


class Repeats(logging.Filter):
    """Lets the first of what one address repeats within a minute through, and sums up the rest in one line.

    Whoever is refused a million times fills nothing with it. What a signed-in person does well is let through longer.
    """

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__()
        self._logger = logger
        self._sums: Sums[_Repeated] = Sums(_SUM_SECONDS, keys=_SUM_KEYS)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written as it is."""
        fields = getattr(record, "facts", {})
        return "count" in fields or getattr(record, "asked", False) or self.lets(record.msg, record.levelno, fields)

    def lets(self, sentence: str, level: int, fields: dict[str, object]) -> bool:
        """Whether such a line is written as it is."""
        now = time.monotonic()
        named = tuple([(name, fields[name]) for name in _NAMED if name in fields])
        is_welcome = level < logging.WARNING and fields.get("user", "-") != "-"
        most = _MOST_OF_USER if is_welcome else _MOST_ALIKE
        is_said = self._sums.is_said((sentence, level, named), now, most=most)
        if self._sums.owes:
            self._tell(self._sums.take(now))
        return is_said

    def tell(self, *, everything: bool = False) -> None:
        """Write the sums of what is over; everything at the end."""
        self._tell(self._sums.take(time.monotonic(), everything=everything))

    def _tell(self, sums: list[tuple[_Repeated, int]]) -> None:
        for (sentence, level, named), count in sums:
            self._logger.log(level, sentence, extra=facts(**dict(named), count=count))


def log_apart(logger: logging.Logger, level: int, sentence: str, **fields: object) -> None:
    """As `logger.log`, for a log that sums up repeats: of what is summed up not even a record is made."""
    for one in logger.filters:
        if isinstance(one, Repeats) and not one.lets(sentence, level, fields):
            return
    logger.log(level, sentence, extra={"asked": True, **facts(**fields)})


def tell_sums(*, everything: bool = False) -> None:
    """Write what was summed up and is over; whoever lives calls this now and then."""
    for logger in map(logging.getLogger, _APART):
        for one in logger.filters:
            if isinstance(one, Repeats):
                one.tell(everything=everything)


def set_up(
    service: str, directory: Path | None, *, level: int = logging.INFO, syslog: "SyslogConfig | None" = None
) -> None:
    """Log to standard error and, with a directory, to `{service}.log`.

    Requests stand alone in `{service}-requests.log`, security events once more in `{service}-security.log`. With
    `syslog`, every line goes there, too.
    """
    everywhere: list[logging.Handler] = []
    if syslog is not None:
        from shared.running.syslog import copier  # an agent need not carry it

        everywhere.append(copier(syslog, service))
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr), *everywhere]
    if directory is not None:
        handlers.append(DailyFile(directory / f"{service}.log"))
        _log_apart("requests", [DailyFile(directory / f"{service}-requests.log"), *everywhere], propagate=False)
        _log_apart("security", [DailyFile(directory / f"{service}-security.log")], propagate=True)
    for handler in handlers:
        handler.setFormatter(Formatter())
    logging.basicConfig(level=level, handlers=handlers, force=True)
    logging.captureWarnings(capture=True)
    # No line of ours tells them, and they are most of what a line costs (logging's HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    atexit.register(tell_sums, everything=True)


def _log_apart(name: str, handlers: list[logging.Handler], *, propagate: bool) -> None:
    logger = logging.getLogger(name)
    logger.propagate = propagate
    logger.handlers = handlers
    logger.filters = [Repeats(logger)]
    for handler in handlers:
        handler.setFormatter(Formatter())


@functools.lru_cache(maxsize=4)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


@functools.lru_cache(maxsize=256)
def _encoded(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)[1:-1]


def _value(value: object) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    kept = text
    while len(written := kept if _PLAIN.fullmatch(kept) else json.dumps(kept, ensure_ascii=True)) > MOST_VALUE:
        kept = kept[: min(len(kept) * MOST_VALUE // len(written), len(kept) - 1)]
    return written if kept == text else f"{written}({len(text)})"


def _short(text: str) -> str:
    return text if len(text) <= MOST_VALUE else f"{text[:MOST_VALUE]}({len(text)})"


def _is_others(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in _OTHERS


def _is_quoting(record: logging.LogRecord) -> bool:
    """Whether an exception's words may hold what somebody sent."""
    return _is_others(record) or not getattr(record, "quoting", True)


def _told_without_words(record: logging.LogRecord) -> str:
    """Where the exceptions came from, and their types."""
    assert record.exc_info is not None
    parts: list[str] = []
    error = record.exc_info[1]
    while error is not None:
        frames = "".join(traceback.format_tb(error.__traceback__)).rstrip("\n")
        parts.insert(0, f"Traceback (most recent call last):\n{frames}\n{type(error).__qualname__}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(parts)


def _visible(text: str) -> str:
    return _INVISIBLE.sub(lambda sign: json.dumps(sign[0])[1:-1], text)
