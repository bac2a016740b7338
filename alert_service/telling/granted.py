"""What a guest may do from now on, in the reader's language, pure: from the lines that the event carries."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from alert_service.telling.acts import ACTS, OTHER
from alert_service.telling.cleaning import clean
from alert_service.telling.reader import Reader
from shared.words import grant_text
from shared.words.grant_times import DAY, day_begun
from shared.words.internal import Grant
from shared.words.languages import later

CHANGED = "account:grants-changed"
MOST = 12
_DAYS = (later("Mon"), later("Tue"), later("Wed"), later("Thu"), later("Fri"), later("Sat"), later("Sun"))


def told(detail: dict[str, str], reader: Reader) -> Iterator[str]:
    """One line for each grant, and one for those that are too many; a single one where there is none."""
    lines = [line for name, line in detail.items() if name.startswith("grant-")]
    for line in lines[:MOST]:
        try:
            yield _sentence(grant_text.read(line), reader)
        except ValueError:
            yield clean(line)  # a later version's
    if len(lines) > MOST:
        yield reader.say(later("and {count} more"), count=len(lines) - MOST)
    if not lines:
        yield reader.say(later("nothing"))


def _sentence(grant: Grant, reader: Reader) -> str:
    place = reader.names.place(f"{grant.room}/{grant.device}")
    parts = []
    if grant.actions is not None:
        parts.append(_actions(grant.actions, reader))
    if len(grant.weekdays) < len(_DAYS):
        runs = grant_text.runs(grant.weekdays)
        day = [reader.say(name) for name in _DAYS]
        parts.append(", ".join(day[a] if a == b else f"{day[a]}–{day[b]}" for a, b in runs))
    if (grant.from_minute, grant.to_minute) != (0, DAY):
        parts.append(f"{grant_text.clock(grant.from_minute)}–{grant_text.clock(grant.to_minute)}")
    if grant.since is not None:
        parts.append(reader.say(later("from {moment}"), moment=_moment(grant.since, reader)))
    if grant.until is not None:
        last = day_begun(grant.until, reader.zone)
        before = grant.until - timedelta(seconds=1)
        moment = _moment(grant.until, reader) if last is None else reader.tongue.short_day(before, reader.zone)
        parts.append(reader.say(later("until {moment}"), moment=moment))
    if len(parts) == int(grant.actions is not None):
        parts.append(reader.say(later("always")))
    return f"{place}: {', '.join(parts)}"


def _actions(actions: tuple[str, ...], reader: Reader) -> str:
    if not actions:
        return reader.say(later("looking only"))
    named = "/".join(reader.say(ACTS.get(action, OTHER).wish, wish=action) for action in actions)
    return reader.say(later("only {actions}"), actions=named)


def _moment(moment: datetime, reader: Reader) -> str:
    """A day where it is the beginning of one."""
    if day_begun(moment, reader.zone) is not None:
        return reader.tongue.short_day(moment, reader.zone)
    return reader.shortly(moment)
