"""Time zones: the machine's own, and the names nearest to what somebody typed."""

import difflib
import functools
import zoneinfo
from pathlib import Path

_AFTER = "zoneinfo/"
"""What stands before a zone's name in the path that /etc/localtime points to."""
_NEAR = 3


@functools.cache
def known() -> frozenset[str]:
    """Every zone that a person may mean; Debian lists "localtime" beside them, which means another one elsewhere."""
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def of_machine(etc: Path = Path("/etc")) -> str:
    """The zone of this machine, or "UTC" where it has none.

    localtime(5): /etc/localtime is a link into the zones; Debian before 13 keeps the name in /etc/timezone as well.
    """
    for read in (_linked, _named):
        try:
            name = read(etc)
        except OSError:
            continue
        if name in known():
            return name
    return "UTC"


def named(text: str) -> str | None:
    """The zone of this name, in whatever case it was typed; None where there is none."""
    text = text.strip().replace(" ", "_")
    if text in known():
        return text
    return next((zone for zone in known() if zone.lower() == text.lower()), None)


def nearest(text: str) -> list[str]:
    """The zones whose name, or whose city, is most like `text`; the best first."""
    wanted = text.strip().lower().replace(" ", "_")
    whole = {zone.lower(): zone for zone in sorted(known())}
    # "europe/…" before the zones of the same city under older names.
    cities = {zone.lower().rpartition("/")[2]: zone for zone in sorted(known(), reverse=True)}
    found = [cities[near] for near in difflib.get_close_matches(wanted.rpartition("/")[2], cities, n=_NEAR)]
    found += [whole[near] for near in difflib.get_close_matches(wanted, whole, n=_NEAR)]
    return list(dict.fromkeys(found))[:_NEAR]


def _linked(etc: Path) -> str:
    return str((etc / "localtime").readlink()).rpartition(_AFTER)[2].removeprefix("posix/")


def _named(etc: Path) -> str:
    return (etc / "timezone").read_text(errors="replace").strip()
