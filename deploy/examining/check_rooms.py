"""What the doctor hears of rooms: which are there. One that is not may be off on purpose, so that it is no fault."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from deploy.examining import check_enrolments
from deploy.examining.finding import Finding, noted, skipped, well
from deploy.folder import turns
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from deploy.running.installation import Installation
from shared.running.config import ConfigError
from shared.words import messages, topics
from shared.words.messages import Availability, State
from shared.words.problem import HomeError
from shared.words.topics import TopicKind

M = TypeVar("M", Availability, State)


def rooms(home: Home, here: Installation, now: dt.datetime) -> Iterator[Finding]:
    """Every room that is enrolled, by what the broker retains of it."""
    try:
        enrolled = check_enrolments.enrolled_rooms(home)
        with turns.turn(home.var, "homesystem doctor"), brokers.as_admin(home) as control:
            told = control.retained([topics.ALL_AVAILABILITY, topics.ALL_STATES])
    except (HomeError, ConfigError):
        yield skipped("rooms", "not looked at: what is told above of accounts or broker has to be mended first")
        return
    yield from judged(enrolled, told, now, lambda room: _look(home, here, room))


def judged(
    enrolled: Iterable[str], told: Mapping[str, bytes], now: dt.datetime, look: Callable[[str], str]
) -> Iterator[Finding]:
    """The same of messages by their topics; `look` says where one looks for a room that is to be on."""
    known = sorted(enrolled)
    status = {room: _said(Availability, told.get(topics.availability(room))) for room in known}
    away = [room for room, said in status.items() if said is None or said.status == "offline"]
    yield well("rooms", f"{len(known) - len(away)} of {len(known)} rooms are online" if known else "none is enrolled")
    last = _last_words(told, now) if away else {}
    for room in away:
        # A heartbeat that is over leaves the broker; a will stays, and bears the time at which its room connected.
        text = "does not say that it is there" if status[room] is None else "is offline"
        if room in last:
            text += f"; it was there on {last[room]:%Y-%m-%d at %H:%M} UTC, perhaps later"
        yield noted("rooms", f"room {room} {text}. If it is to be on: {look(room)}")


def _last_words(told: Mapping[str, bytes], now: dt.datetime) -> dict[str, dt.datetime]:
    """When each room last said something, as far as that is kept, by its own clock; nothing that is yet to come."""
    last: dict[str, dt.datetime] = {}
    for topic, payload in told.items():
        parsed = topics.parse(topic)
        moment = None
        if parsed is None or parsed.room is None:
            continue
        if parsed.kind is TopicKind.STATE and (state := _said(State, payload)) is not None:
            moment = state.since
        elif parsed.kind is TopicKind.AVAILABILITY and (there := _said(Availability, payload)) is not None:
            moment = there.at
        if moment is not None and moment <= now:
            last[parsed.room] = max(moment, last.get(parsed.room, moment))
    return last


def _said(kind: type[M], payload: bytes | None) -> M | None:
    """None also for what cannot be understood, by which nobody is there."""
    try:
        return None if payload is None else messages.decode(kind, payload)
    except HomeError:
        return None


def _look(home: Home, here: Installation, room: str) -> str:
    if not here.managed and (home.var / "agents" / f"{room}.toml").exists():
        return here.log(f"agent-{room}")
    return f"its power, its network, then journalctl -u homesystem-agent@{room} where it runs"
