"""Writes letters: text and HTML from one pair of templates each. Owns Jinja2, which is loaded with the first letter."""

import functools
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from alert_service import wording
from alert_service.chain import Row
from alert_service.rules import is_urgent
from shared.names import Outcome, Severity

if TYPE_CHECKING:
    from jinja2 import Environment

_RECORDED_LATE_SECONDS = 60.0
_DETAILS = 12


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What a letter tells: the gateway's intent, the outcome, or both; `ended` is the outcome as it was settled."""

    ended: Outcome
    intent: Row | None = None
    outcome: Row | None = None

    @property
    def named(self) -> Row:
        """The row that says who and when: the gateway's where there is one."""
        row = self.intent or self.outcome
        assert row is not None, "a letter tells at least one event"
        return row

    @property
    def known(self) -> Outcome:
        """What is known now: an outcome that came after the letter was settled, but before it left, is told."""
        if self.ended is Outcome.UNKNOWN and self.outcome is not None:
            return self.outcome.event.outcome
        return self.ended

    @property
    def headline(self) -> str:
        """What happened, in a few words."""
        event = self.named.event
        return wording.headline(event.what, event.where, self.known)


class Written(NamedTuple):
    """A finished letter."""

    subject: str
    text: str
    html: str


def write(story: Story, zone: tzinfo, history: str | None) -> Written:
    """The letter about one command or one event."""
    named = story.named
    event = named.event
    seen: dict[str, object] = {
        "headline": story.headline,
        "advice": wording.advice(event.what),
        "lines": _lines(story, zone),
        "proof": [row for row in (story.intent, story.outcome) if row is not None],
        "history": history,
        "urgent": event.severity is Severity.SECURITY or is_urgent(event),
    }
    return Written(wording.subject(story.headline, named, zone), *_render("letter", seen))


def write_digest(source: str, count: int, stories: Sequence[Story], zone: tzinfo, history: str | None) -> Written:
    """The letter that gathers `count` letters of one source; `stories` are those it lists."""
    lines = [
        {
            "when": f"{story.named.event.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}",
            "headline": story.headline,
            "who": wording.who(story.named),
            "row": (story.outcome or story.named).row,
            "hash": (story.outcome or story.named).hash,
        }
        for story in stories
    ]
    name = wording.clean(source, wording.NAME_CHARACTERS)
    seen: dict[str, object] = {
        "source": name,
        "count": count,
        "lines": lines,
        "left": count - len(lines),
        "history": history,
    }
    return Written(f"{count} alerts from {name}", *_render("digest", seen))


def write_daily(subject: str, seen: dict[str, object]) -> Written:
    """The daily letter; what it says is put together in daily.py."""
    return Written(subject, *_render("daily", seen))


def _lines(story: Story, zone: tzinfo) -> list[tuple[str, str]]:
    named, event = story.named, story.named.event
    lines = [
        ("What", f"{wording.clean(event.what)} — {wording.place(event.where)}"),
        ("When", wording.times(event.at, zone)),
        ("Who", wording.who(named)),
        ("From", wording.address(named)),
        ("Outcome", wording.outcome_sentence(story.known, event.what)),
    ]
    told = story.outcome or named
    if told.event.what != event.what:
        lines.append(("Beware", f"the room {told.source} reports another action: {wording.clean(told.event.what)}"))
    # Under a name of ours, so that a room cannot write a line "Who" of its own.
    details = list(told.event.detail.items())[:_DETAILS]
    lines += [("Detail", f"{wording.clean(name, 40)} = {wording.clean(value)}") for name, value in details]
    if abs((named.received_at - event.at).total_seconds()) > _RECORDED_LATE_SECONDS:
        lines.append(("Recorded", wording.times(named.received_at, zone)))
    if event.command_id:
        lines.append(("Command", wording.clean(event.command_id, 64)))
    return lines


def _render(name: str, seen: dict[str, object]) -> tuple[str, str]:
    environment = _environment()
    return (
        environment.get_template(f"{name}.txt.j2").render(seen),
        environment.get_template(f"{name}.html.j2").render(seen),
    )


@functools.cache
def _environment() -> "Environment":
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
