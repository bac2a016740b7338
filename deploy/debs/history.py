"""CHANGELOG.md, read: what each version mends, as a package's own changelog says it. Pure."""

import datetime as dt
import re
import textwrap
from typing import NamedTuple

_VERSION = re.compile(r"## \[(?P<version>[^\]]+)\](?: - (?P<day>\d{4}-\d\d-\d\d))?")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
UNRELEASED = "Unreleased"
_WIDTH = 76


class Version(NamedTuple):
    """One version: its number or `Unreleased`, the day of its release, and what changed, each as one line."""

    number: str
    day: dt.date | None
    changes: tuple[str, ...]


def read(text: str) -> list[Version]:
    """Every version, the newest first."""
    found: list[Version] = []
    kind, lines = "", list[str]()

    def close() -> None:
        if lines and found:
            words = " ".join(" ".join(lines).split())
            change = f"{kind}: {_LINK.sub(lambda link: link[1], words).replace('`', '')}"
            found[-1] = found[-1]._replace(changes=(*found[-1].changes, change))
        lines.clear()

    for line in text.splitlines():
        if match := _VERSION.fullmatch(line):
            close()
            day = dt.date.fromisoformat(match["day"]) if match["day"] else None
            found.append(Version(match["version"], day, ()))
        elif line.startswith("### "):
            close()
            kind = line.removeprefix("### ")
        elif line.startswith("- "):
            close()
            lines.append(line.removeprefix("- "))
        elif line.startswith("  ") and lines:
            lines.append(line.strip())
        elif not line.strip():
            close()
    close()
    return found


def stanza(package: str, version: str, suite: str, changes: tuple[str, ...], signed: str) -> str:
    """One entry as dpkg wants it (deb-changelog(5)); `signed`: who and when."""
    told = [textwrap.fill(one, _WIDTH, initial_indent="  * ", subsequent_indent="    ") for one in changes]
    body = "\n".join(told) or "  * Nothing is noted."
    return f"{package} ({version}) {suite}; urgency=medium\n\n{body}\n\n -- {signed}\n"
