"""Writes the letters about happenings: one that began or is over, its end, or a sum of many."""

from alert_service.chain import chain
from alert_service.letters import sheet
from alert_service.letters.sheet import Entry, Fact, Sheet, Written
from alert_service.telling import tiding_words
from alert_service.telling.cleaning import NAME_CHARACTERS, clean
from alert_service.telling.reader import Reader
from alert_service.telling.rules import digest_thread, thread_of_place
from alert_service.telling.tidings import Letter, Tiding
from shared.words.languages import later

_LATE = 60_000_000
"""Microseconds between a happening and its arrival that are worth a line."""


def write(letter: Letter, source: str, reader: Reader) -> Written:
    """The letter, as it was when it was made; a sum's thread is that of its `source`."""
    told = tiding_words.sentence(letter, reader)
    is_sum = letter.form == "sum"
    home = tiding_words.at_home(letter, reader)
    made = Sheet(
        headline=told,
        urgent=letter.urgent,
        warning=tiding_words.doubt(letter, reader),
        paragraphs=(home,) if home else (),
        facts=() if is_sum else tuple(_facts(letter, letter.tidings[0], reader)),
        entries=tuple(_entry(one, letter, reader) for one in letter.tidings) if is_sum else (),
        left=_left(letter, reader) if is_sum else "",
        buttons=sheet.buttons(reader),
        notes=(reader.say(later("What merely happens stands in the history beside the record, without a proof.")),),
    )
    thread = digest_thread(source) if is_sum else thread_of_place(letter.tidings[0].place)
    return sheet.write(told.rstrip("."), made, thread, reader)


def _facts(letter: Letter, told: Tiding, reader: Reader) -> list[Fact]:
    say = reader.say
    lines = [Fact(say(later("When")), _exactly(told.at, reader))]
    if told.times > 1:
        lines.append(Fact(say(later("Last")), _exactly(told.until, reader)))
    if told.ended_at is not None:
        lines.append(Fact(say(later("Ended")), _exactly(told.ended_at, reader)))
    heard, of = (
        (told.received_at, told.until)
        if told.ended_at is None or told.end_received_at is None
        else (told.end_received_at, told.ended_at)
    )
    if heard - of > _LATE:
        lines.append(Fact(say(later("Heard of")), _exactly(heard, reader)))
    if name := clean(letter.rule, NAME_CHARACTERS):
        lines.append(Fact(say(later("Rule")), name))
    return lines


def _entry(told: Tiding, letter: Letter, reader: Reader) -> Entry:
    return Entry(tiding_words.moment(told.at, letter, reader), tiding_words.entry(told, letter, reader))


def _left(letter: Letter, reader: Reader) -> str:
    left = letter.count - sum(told.times for told in letter.tidings)
    if left <= 0:
        return ""
    return reader.tongue.say_many(
        "And {count} more; it is in the history.", "And {count} more; each is in the history.", left
    )


def _exactly(at: int, reader: Reader) -> str:
    return reader.exactly(chain.from_microseconds(at))
