"""Writes letters: text and HTML from one pair of templates each. Owns Jinja2, which is loaded with the first letter."""

import functools
from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alert_service.chain.sources import is_trusted
from alert_service.telling import wording
from alert_service.telling.rules import digest_thread
from alert_service.telling.story import Story

if TYPE_CHECKING:
    from jinja2 import Environment

_RECORDED_LATE_SECONDS = 60.0
_DETAILS = 12


DAILY_THREAD = "daily"
"""The daily letters stand together."""


class Written(NamedTuple):
    """A finished letter; `thread` is alike for letters about the same device, person or source."""

    subject: str
    text: str
    html: str
    thread: str
    urgent: bool = False


def write(story: Story, zone: tzinfo, history: str | None, *, urgent: bool = False) -> Written:
    """The letter about one command or one event. `history` is the address of the history's page."""
    named = story.named
    event = named.event
    told = headline(story)
    seen: dict[str, object] = {
        "headline": told,
        "advice": wording.advice(event.what, named.source),
        "lines": _lines(story, zone),
        "proof": story.rows,
        "history": _link(history, story),
        "urgent": urgent,
    }
    return Written(wording.subject(told, named, zone), *_render("letter", seen), story.thread, urgent)


def write_digest(source: str, count: int, stories: Sequence[Story], zone: tzinfo, history: str | None) -> Written:
    """The letter that gathers `count` letters of one source; `stories` are those it lists."""
    lines = [
        {
            "when": f"{story.named.event.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}",
            "headline": headline(story),
            "who": wording.who(story.named),
            "row": story.last.row,
            "hash": story.last.hash,
            "link": _link(history, story),
        }
        for story in stories
    ]
    name = wording.clean(source, wording.NAME_CHARACTERS)
    times = [story.named.event.at.astimezone(zone) for story in stories]
    seen: dict[str, object] = {
        "source": name,
        "count": count,
        "lines": lines,
        "left": count - len(lines),
        "since": f"{min(times):%Y-%m-%d %H:%M %Z}" if times else "",
        "until": f"{max(times):%Y-%m-%d %H:%M %Z}" if times else "",
        "history": history,
    }
    return Written(f"{count} alerts from {name}", *_render("digest", seen), digest_thread(source))


def headline(story: Story) -> str:
    """What happened, in a few words."""
    event = story.named.event
    return wording.headline(event.what, event.where, story.known, story.named.source, named=_named(story))


def _named(story: Story) -> str:
    """What the event calls the account that it is about; a room may call nobody anything."""
    return story.named.event.detail.get("user", "") if is_trusted(story.named.source) else ""


def _link(history: str | None, story: Story) -> str | None:
    """The address of the event itself: the history opens at its row."""
    return None if history is None else f"{history}?row={story.last.row}#row-{story.last.row}"


def write_daily(subject: str, seen: dict[str, object]) -> Written:
    """The daily letter; what it says is put together in daily.py."""
    return Written(subject, *_render("daily", seen), DAILY_THREAD)


def _lines(story: Story, zone: tzinfo) -> list[tuple[str, str]]:
    named, event = story.named, story.named.event
    lines = [
        ("What", " — ".join(filter(None, (wording.clean(event.what), wording.about(event.where, _named(story)))))),
        ("When", wording.times(event.at, zone)),
        ("Who", wording.who(named)),
        ("From", wording.address(named)),
    ]
    if wording.has_outcome(event.what):
        lines.append(("Outcome", wording.outcome_sentence(story.known, event.what)))
    told = story.last
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
