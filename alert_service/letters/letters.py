"""Writes the letters about events: one, several of one person's on one device, or a digest of one source."""

from collections.abc import Sequence

from alert_service.chain.sources import is_trusted
from alert_service.letters import sheet
from alert_service.letters.sheet import Entry, Fact, Sheet, Written
from alert_service.telling import acts, details, several, wording
from alert_service.telling.cleaning import clean
from alert_service.telling.offers import offer, offer_of
from alert_service.telling.reader import Reader
from alert_service.telling.rules import digest_thread
from alert_service.telling.story import Story
from shared.words.languages import later

_RECORDED_LATE_SECONDS = 60.0
_PLACES = 3
_IN_A_MINUTE = later("{who} used {place} {count} more times at {first}.")
_BETWEEN = later("{who} used {place} {count} more times between {first} and {last}.")
"""Of several, by the minutes in which the first and the last of them were."""


def write(story: Story, reader: Reader, *, urgent: bool = False) -> Written:
    """The letter about one command or one event."""
    named, event = story.named, story.named.event
    made = Sheet(
        headline=wording.sentence(story, reader),
        urgent=urgent,
        warning=_beware(story, reader),
        facts=tuple(_facts(story, reader)),
        advice=wording.advice(story, reader),
        buttons=sheet.buttons(reader, offer(story), row=story.last.row),
        notes=(_command(event.command_id, reader),) if event.command_id else (),
        proof=sheet.proof_of(*story.rows),
    )
    return sheet.write(wording.subject(wording.title(story, reader), named, reader), made, story.thread, reader)


def write_digest(source: str, count: int, stories: Sequence[Story], reader: Reader) -> Written:
    """The letter that gathers `count` letters of one source; `stories` are those it lists."""
    name = reader.names.room(source) if not is_trusted(source) else clean(source)
    told = reader.tongue.say_many("{count} alert from {source}", "{count} alerts from {source}", count, source=name)
    times = [story.named.event.at for story in stories]
    since = ""
    if times:
        first, last = reader.shortly(min(times)), reader.shortly(max(times))
        since = reader.say(later("From {first} to {last}."), first=first, last=last)
    made = Sheet(
        headline=told,
        paragraphs=tuple(
            filter(None, (reader.say(later("They came together, or could not leave one by one.")), since))
        ),
        entries=tuple(_entry(story, reader) for story in stories),
        left=_left(count - len(stories), reader),
        buttons=sheet.buttons(reader, offer_of(stories)),
        proof=_last_rows(stories),
    )
    return sheet.write(told, made, digest_thread(source), reader)


def write_refused(source: str, count: int, stories: Sequence[Story], reader: Reader) -> Written:
    """The letter about `count` acts of one source that were refused or came too late: nothing moved."""
    one, many = "{count} act was refused", "{count} acts were refused"
    told = reader.tongue.say_many(one, many, count)
    places = list(dict.fromkeys(reader.names.place(story.named.event.where) for story in stories))
    where = ", ".join(places[:_PLACES]) + (" …" if len(places) > _PLACES else "")
    made = Sheet(
        headline=reader.say(later("{told}, and nothing was done: {where}."), told=told, where=where),
        entries=tuple(_entry(story, reader) for story in stories),
        left=_left(count - len(stories), reader),
        advice=reader.say(later("If somebody keeps trying what they may not: ask them, or end their sessions.")),
        buttons=sheet.buttons(reader, offer_of(stories)),
        proof=_last_rows(stories),
    )
    return sheet.write(f"{told}: {where}", made, digest_thread(source), reader)


def write_together(stories: Sequence[Story], reader: Reader, *, urgent: bool = False) -> Written:
    """The letter about what one person did on one device within a minute."""
    first, last = (reader.time(pick(story.named.event.at for story in stories)) for pick in (min, max))
    named = stories[0].named
    gaps = {
        "who": wording.who_briefly(named, reader),
        "place": reader.names.place(named.event.where),
        "first": first,
        "last": last,
    }
    made = Sheet(
        headline=reader.say(_IN_A_MINUTE if first == last else _BETWEEN, count=len(stories), **gaps),
        urgent=urgent,
        warning=next(filter(None, (_beware(story, reader) for story in stories)), ""),
        facts=tuple(_facts(stories[-1], reader)[1:3]),
        entries=tuple(_entry(story, reader, ended=True) for story in stories),
        advice=wording.advice(stories[-1], reader),
        buttons=sheet.buttons(reader, offer_of(stories), row=stories[-1].last.row),
        proof=tuple(proof for story in stories for proof in sheet.proof_of(*story.rows)),
    )
    told = wording.subject(several.title(stories, reader), stories[-1].named, reader)
    return sheet.write(told, made, stories[0].thread, reader)


def _last_rows(stories: Sequence[Story]) -> tuple[sheet.Proof, ...]:
    return tuple(sheet.Proof(story.last.row, story.last.hash) for story in stories if story.last.hash)


def _entry(story: Story, reader: Reader, *, ended: bool = False) -> Entry:
    """One line; with `ended`, of a letter that says who and where itself, and both rows of it."""
    event, rows = story.named.event, story.rows if ended else (story.last,)
    told = wording.title(story, reader)
    small = [sheet.row_named(row.row, reader) for row in rows]
    small += [_command(event.command_id, reader)] if event.command_id else []
    return Entry(
        f"{event.at.astimezone(reader.zone):%H:%M:%S}",
        told if ended else f"{told} — {wording.who_briefly(story.named, reader)}",
        " · ".join(small),
        story.last.row,
        reader.links.row(story.last.row) if reader.links is not None else None,
    )


def _left(left: int, reader: Reader) -> str:
    if not left:
        return ""
    return reader.tongue.say_many(
        "And {count} more; it is in the history.", "And {count} more; each is in the history.", left
    )


def _beware(story: Story, reader: Reader) -> str:
    told, event = story.last, story.named.event
    if told.event.what == event.what:
        return ""
    known = acts.ACTS.get(told.event.what.removeprefix("device:"))
    other = reader.say(known.wish) if known is not None else clean(told.event.what)
    room = reader.names.room(told.source)
    return reader.say(later("Beware: the room {room} reports another action: {other}."), room=room, other=other)


def _facts(story: Story, reader: Reader) -> list[Fact]:
    named, event, say = story.named, story.named.event, reader.say
    lines = [Fact(say(later("When")), reader.exactly(event.at)), Fact(say(later("Who")), wording.who(named, reader))]
    if address := wording.address(named, reader):
        lines.append(Fact(say(later("From")), address))
    if outcome := wording.outcome(story, reader):
        lines.append(Fact(say(later("Outcome")), outcome))
    lines += [Fact(name, told) for name, told in details.told(story.last, reader)]
    if abs((named.received_at - event.at).total_seconds()) > _RECORDED_LATE_SECONDS:
        lines.append(Fact(say(later("Recorded")), reader.exactly(named.received_at)))
    return lines


def _command(command: str, reader: Reader) -> str:
    return reader.say(later("Command {id}"), id=clean(command, 64))
