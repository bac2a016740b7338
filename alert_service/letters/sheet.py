"""The frame of every letter: one sheet, as text for a terminal and as HTML for a phone, light and dark.

Owns Jinja2, which is loaded with the first letter. What a letter says is put together by who writes it.
"""

import functools
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from alert_service.chain.chain import Row
from alert_service.telling.cleaning import SUBJECT_CHARACTERS, clean
from alert_service.telling.offers import Offer
from alert_service.telling.reader import Reader
from shared.words.languages import later

if TYPE_CHECKING:
    from jinja2 import Environment

_COLUMNS = 72
"""A terminal's 80 with room for the marks of an answer."""
_NOTHING = Offer()


class Fact(NamedTuple):
    """One line of the list beneath the sentence."""

    name: str
    value: str


class Entry(NamedTuple):
    """One of several that a letter tells. `small` is told beneath; `row` is where it stands in the record, or 0."""

    when: str
    told: str
    small: str = ""
    row: int = 0
    link: str | None = None


class Button(NamedTuple):
    """A link into a signed-in page; `grave` stands out."""

    name: str
    address: str
    grave: bool = False


class Proof(NamedTuple):
    """A row of the record and its hash; `source` is who recorded it, where that belongs to the proof."""

    row: int
    hash: str
    source: str = ""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What a letter says, in the reader's language: `headline` first, all else only where there is some.

    `warning` is what must not be missed; `notes` stand small at the foot, above the proof.
    """

    headline: str
    urgent: bool = False
    paragraphs: tuple[str, ...] = ()
    warning: str = ""
    facts: tuple[Fact, ...] = ()
    entries: tuple[Entry, ...] = ()
    left: str = ""
    advice: str = ""
    buttons: tuple[Button, ...] = ()
    notes: tuple[str, ...] = ()
    proof: tuple[Proof, ...] = ()
    keep: str = later("Keep this letter: it shows that the record was not rewritten later.")


class Written(NamedTuple):
    """A finished letter; `thread` is alike for letters about the same device, person or source."""

    subject: str
    text: str
    html: str
    thread: str
    urgent: bool = False


def write(subject: str, sheet: Sheet, thread: str, reader: Reader) -> Written:
    """The letter of a sheet."""
    seen: dict[str, object] = {
        "sheet": sheet,
        "rows": [(row_named(one.row, reader), one) for one in sheet.proof],
        "language": reader.tongue.language,
        "keep": reader.say(sheet.keep) if sheet.proof else "",
        "width": max((len(name) for name, _ in sheet.facts), default=0) + 2,
    }
    environment = _environment()
    return Written(
        subject=clean(subject, SUBJECT_CHARACTERS),
        text=environment.get_template("letter.txt.j2").render(seen),
        html=environment.get_template("letter.html.j2").render(seen),
        thread=thread,
        urgent=sheet.urgent,
    )


def proof_of(*rows: Row) -> tuple[Proof, ...]:
    """The proof of these rows, as far as they are still there."""
    return tuple(Proof(row.row, row.hash, row.source) for row in rows if row.hash)


def row_named(row: int, reader: Reader) -> str:
    """A row of the record, as the proof at the foot names it."""
    return reader.say(later("row {row}"), row=row)


def buttons(reader: Reader, offer: Offer = _NOTHING, *, row: int | None = None) -> tuple[Button, ...]:
    """What a reader may want to do now, as far as it is offered; no lockdown of a home that is locked down."""
    links = reader.links
    if links is None:
        return ()
    made = []
    if offer.refuse is not None:
        made.append(Button(reader.say(later("Refuse it")), links.device(offer.refuse), grave=True))
    if offer.lock and not reader.locked_down:
        made.append(Button(reader.say(later("Lock the home down")), links.lockdown, grave=True))
    if offer.sessions:
        made.append(Button(reader.say(later("Sessions")), links.sessions))
    history = links.history if row is None else links.row(row)
    return (*made, Button(reader.say(later("History")), history))


def _wrapped(text: str, indent: int = 0, first: int | None = None) -> str:
    """Within the columns, addresses whole; `first` is where the first line begins already."""
    hanging = " " * indent
    if first is None:
        return textwrap.fill(
            text,
            _COLUMNS,
            initial_indent=hanging,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
    filled = textwrap.fill(
        text,
        _COLUMNS,
        initial_indent=" " * first,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled[first:]


@functools.cache
def _environment() -> "Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrapped"] = _wrapped
    return environment
