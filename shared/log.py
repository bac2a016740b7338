"""Logs: a constant sentence with facts as fields, to the console and to a file a day, kept a month.

Never a payload, password, code, cookie or token. Every value is encoded, so that nothing can forge a line
(ASVS 5.0 16.4.1). Times are UTC.
"""

import functools
import json
import logging
import re
import sys
import time
from contextvars import ContextVar
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path

KEPT_DAYS = 31
"""Files older than this are deleted."""

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that a line belongs to, set by the web floor."""

_PLAIN = re.compile(r"[\w.,:;/@+=\[\]-]+", re.ASCII)


def facts(**fields: object) -> dict[str, object]:
    """Facts for one line: `log.info("Room came online", extra=facts(room=room))`."""
    return {"facts": fields}


class Formatter(logging.Formatter):
    """`2026-11-23T20:45:18.123Z INFO gateway.app Room came online room=hall`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and behind it a traceback where there is one."""
        at = f"{_second(int(record.created))}.{int(record.msecs):03d}Z"
        line = f"{at} {record.levelname} {record.name} {_encoded(record.getMessage())}"
        fields = dict(getattr(record, "facts", {}))
        if (request := request_id.get()) is not None:
            fields.setdefault("request", request)
        for name, value in fields.items():
            line += f" {name}={_value(value)}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class DailyFile(TimedRotatingFileHandler):
    """A new file each day; at every start and turn, files older than a month are deleted by their date."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, when="midnight", utc=True, backupCount=KEPT_DAYS, encoding="utf-8")
        for old in self.getFilesToDelete():
            Path(old).unlink(missing_ok=True)

    def getFilesToDelete(self) -> list[str]:  # noqa: N802 - the name is the standard library's
        """The dated files that are too old, however few there are."""
        oldest = time.strftime("%Y-%m-%d", time.gmtime(time.time() - KEPT_DAYS * 86400))
        base = Path(self.baseFilename)
        dated = (path for path in base.parent.glob(f"{base.name}.????-??-??"))
        return [str(path) for path in dated if path.name.rpartition(".")[2] < oldest]


def set_up(service: str, directory: Path | None, *, level: int = logging.INFO) -> None:
    """Log to standard error and, with a directory, to `{service}.log` and (requests alone) `{service}-requests.log`."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if directory is not None:
        handlers.append(DailyFile(directory / f"{service}.log"))
        requests = DailyFile(directory / f"{service}-requests.log")
        requests.setFormatter(Formatter())
        requests_log = logging.getLogger("requests")
        requests_log.propagate = False
        requests_log.handlers = [requests]
    for handler in handlers:
        handler.setFormatter(Formatter())
    logging.basicConfig(level=level, handlers=handlers, force=True)
    logging.captureWarnings(capture=True)


@functools.lru_cache(maxsize=4)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


@functools.lru_cache(maxsize=256)
def _encoded(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)[1:-1]


def _value(value: object) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=True)
