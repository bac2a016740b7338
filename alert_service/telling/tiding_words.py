"""A letter about happenings in words, pure: what happened where, when, how long it lasted, and whether that is sure."""

from datetime import datetime

from alert_service.chain import chain
from alert_service.telling.cleaning import NAME_CHARACTERS, clean
from alert_service.telling.noticed import ENDS
from alert_service.telling.reader import Reader
from alert_service.telling.tidings import Letter, Tiding
from shared.words.languages import later

_ONCE = {
    "device:opened": later("{place} was opened at {time}."),
    "device:closed": later("{place} was closed at {time}."),
    "device:motion": later("{place} saw something move at {time}."),
    "device:pressed": later("{place} was pressed at {time}."),
    "room:away": later("The room {place} has been away since {time}."),
    "room:back": later("The room {place} came back at {time}."),
}
_PRESSES = {
    "double": later("{place} was pressed twice at {time}."),
    "long": later("{place} was pressed long at {time}."),
}
_OFTEN = {
    "device:opened": later("{place} was opened {count} times, from {time} to {until}."),
    "device:closed": later("{place} was closed {count} times, from {time} to {until}."),
    "device:motion": later("{place} saw something move {count} times, from {time} to {until}."),
    "device:pressed": later("{place} was pressed {count} times, from {time} to {until}."),
    "room:away": later("The room {place} was away {count} times, from {time} to {until}."),
    "room:back": later("The room {place} came back {count} times, from {time} to {until}."),
}
_LASTS = {
    "device:opened": later("{place} has been open for {length}, since {time}."),
    "room:away": later("The room {place} has been away for {length}, since {time}."),
}
_LASTED = {
    "device:opened": later("{place} was open for {length}, from {time} to {end}; it is closed again."),
    "room:away": later("The room {place} was away for {length}, from {time} to {end}; it is back."),
}
_ENDED = {
    "device:opened": later("{place} was closed again at {end}, after {length}."),
    "room:away": later("The room {place} came back at {end}, after {length}."),
}
_ENDED_AT_SOME_TIME = {
    "device:opened": later("{place} is closed again. For how long it was open is not known: its room's clock was set."),
    "room:away": later("The room {place} is back. For how long it was away is not known: the clock was set."),
}
_DOUBTS = {
    "room-away": later("As far as known: its room has been away since {time}, and could not tell that it ended."),
    "unreadable": later("As far as known: it has not been readable since {time}."),
    "restless": later("As far as known: it has not held still since {time}, and what it says means nothing."),
}


def sentence(letter: Letter, reader: Reader) -> str:
    """What the letter tells, in one sentence."""
    if letter.form == "sum":
        return _sum(letter, reader)
    (told,) = letter.tidings
    return _one(letter, told, reader)


def entry(told: Tiding, letter: Letter, reader: Reader) -> str:
    """One of a sum's."""
    if told.ended_at is not None and told.lasted is not None:
        return _said(_LASTED[told.what], told, letter, reader)
    return _begun(told, letter, reader)


def doubt(letter: Letter, reader: Reader) -> str:
    """Why it may not be so any more, or nothing."""
    said = [
        reader.say(_DOUBTS[one.why], time=moment(one.since, letter, reader))
        for told in letter.tidings
        for one in told.doubts
        if letter.form == "began"
    ]
    return " ".join(said)


def at_home(letter: Letter, reader: Reader) -> str:
    """What is known of who was at home, where the rule asks for that."""
    known = [told.nobody_home for told in letter.tidings if told.nobody_home is not None]
    if not known or letter.form == "ended":
        return ""
    if all(known):
        return reader.say(later("Nobody was signed in at home."))
    return reader.say(later("Whether somebody was signed in at home is not known."))


def moment(at: int, letter: Letter, reader: Reader) -> str:
    """Hours and minutes; with the day where that is another than the letter's."""
    when, made = _local(at, reader), _local(letter.made_at, reader)
    time = reader.time(when)
    if when.date() == made.date():
        return time
    return reader.say(later("{time} on {day}"), time=time, day=reader.tongue.short_day(when, reader.zone))


def length(microseconds: int, reader: Reader) -> str:
    """A length of time in words, to the second below a minute and to the minute above."""
    tongue = reader.tongue
    seconds = round(microseconds / 1_000_000)
    if seconds < 60:
        return tongue.say_many("{count} second", "{count} seconds", seconds)
    hours, minutes = divmod(seconds // 60, 60)
    days, hours = divmod(hours, 24)
    parts = [
        tongue.say_many("{count} day", "{count} days", days) if days else "",
        tongue.say_many("{count} hour", "{count} hours", hours) if hours else "",
        tongue.say_many("{count} minute", "{count} minutes", minutes) if minutes and not days else "",
    ]
    return " ".join(filter(None, parts))


def _one(letter: Letter, told: Tiding, reader: Reader) -> str:
    if letter.form == "began":
        lasts = told.told_after is not None and told.what in ENDS
        return _said(_LASTS[told.what], told, letter, reader) if lasts else _begun(told, letter, reader)
    if told.lasted is None:
        return _said(_ENDED_AT_SOME_TIME[told.what], told, letter, reader)
    return _said((_LASTED if letter.form == "both" else _ENDED)[told.what], told, letter, reader)


def _begun(told: Tiding, letter: Letter, reader: Reader) -> str:
    if told.times > 1:
        return _said(_OFTEN[told.what], told, letter, reader)
    return _said(_PRESSES.get(told.event) or _ONCE[told.what], told, letter, reader)


def _sum(letter: Letter, reader: Reader) -> str:
    places = {told.place for told in letter.tidings}
    name = clean(letter.rule, NAME_CHARACTERS) or (
        reader.names.place(places.pop()) if len(places) == 1 else reader.say(later("Happenings"))
    )
    last = moment(letter.last_at, letter, reader)
    if letter.late:
        return reader.tongue.say_many(
            "{name}: {count} time, heard of only later; at {last}.",
            "{name}: {count} times, some heard of only later; the last at {last}.",
            letter.count,
            name=name,
            last=last,
        )
    return reader.tongue.say_many(
        "{name}: {count} time more, at {last}.",
        "{name}: {count} times more, the last at {last}.",
        letter.count,
        name=name,
        last=last,
    )


def _said(said: str, told: Tiding, letter: Letter, reader: Reader) -> str:
    lasted = told.lasted if told.ended_at is not None else letter.made_at - (told.until + told.shift)
    end = told.ended_at if told.ended_at is not None else told.until
    other = end if "{end}" in said else told.until
    once = "{time}" in said and other != told.at and _local(told.at, reader).date() == _local(other, reader).date()
    return reader.say(
        said,
        place=reader.names.place(told.place),
        # The day that both have is said once, with the later one.
        time=reader.time(_local(told.at, reader)) if once else moment(told.at, letter, reader),
        until=moment(told.until, letter, reader),
        end=moment(end, letter, reader),
        length=length(lasted or 0, reader),
        count=told.times,
    )


def _local(at: int, reader: Reader) -> datetime:
    return chain.from_microseconds(at).astimezone(reader.zone)
