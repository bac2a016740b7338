"""Which archives are kept, and which go, pure: the newest of each day, week and month, for as many as are wanted.

Counted are days that have an archive, and no clock is asked: a hub that was off for a year, or whose clock is wrong,
loses nothing by it.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Hashable, Iterable

from deploy.archives.plan import Keep
from deploy.archives.sealing import SUFFIX

_NAME = re.compile(r"homesystem-(\d{4}-\d{2}-\d{2}T\d{6})Z\.tar\.gz" + re.escape(SUFFIX))
_FORM = "%Y-%m-%dT%H%M%S"


def name(at: dt.datetime) -> str:
    """What an archive of that moment is called at its target."""
    return f"homesystem-{at.astimezone(dt.UTC):{_FORM}}Z.tar.gz{SUFFIX}"


def moment(called: str) -> dt.datetime | None:
    """When an archive of that name was made; None for what is no name of ours."""
    if (found := _NAME.fullmatch(called)) is None:
        return None
    try:
        return dt.datetime.strptime(found[1], _FORM).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def newest(names: Iterable[str]) -> str | None:
    """The name of the newest archive among files that lie somewhere; None where there is none."""
    dated = {at: one for one in names if (at := moment(one)) is not None}
    return dated[max(dated)] if dated else None


def kept(moments: Collection[dt.datetime], keep: Keep) -> set[dt.datetime]:
    """Those of them that stay; the newest always does."""
    newest_first = sorted(moments, reverse=True)
    found = set(newest_first[:1])
    rules: tuple[tuple[int, Callable[[dt.datetime], Hashable]], ...] = (
        (keep.daily, lambda at: at.date()),
        (keep.weekly, lambda at: at.isocalendar()[:2]),
        (keep.monthly, lambda at: (at.year, at.month)),
    )
    for count, span in rules:
        spans: set[Hashable] = set()
        for at in newest_first:
            if len(spans) == count:
                break
            if span(at) not in spans:
                spans.add(span(at))
                found.add(at)
    return found


def outworn(names: Collection[str], ours: Collection[str], keep: Keep) -> list[str]:
    """Of what lies at a target, what may go: archives that `ours` says we made, and that no rule keeps.

    A file of any other name, or that somebody else put there, is never among them, nor is the newest archive.
    """
    dated = {at: one for one in names if one in ours and (at := moment(one)) is not None}
    stay = kept(dated.keys(), keep)
    return sorted(one for at, one in dated.items() if at not in stay)
