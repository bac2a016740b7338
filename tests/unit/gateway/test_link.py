"""What the broker says, and that it says nothing any more, reaches every part that lives by it."""

import asyncio
from typing import Any, cast

import pytest

from gateway.acting.room_files import RoomFiles
from gateway.door.sessions import Sessions
from gateway.inside.auth_client import AuthClient
from gateway.link import Link
from gateway.picture.home import Home
from shared.broker.bus import Delivery
from shared.words import messages, topics
from shared.words.messages import Acknowledgement, Availability, Lockdown, Revoked
from shared.words.names import Outcome, Role
from shared.words.problem import HomeError
from tests.unit.gateway.parts import NOW, FakeAuth, session

INFO = session(Role.MEMBER)


class Parts:
    """Whom the link tells: they keep what they are told. Sessions are real."""

    def __init__(self) -> None:
        self.auth = FakeAuth()
        self.auth.sessions["t"] = INFO
        self.connected = True
        self.sessions = Sessions(cast("AuthClient", self.auth), link_up=lambda: self.connected, clock=lambda: 100.0)
        self.lost: list[str] = []
        self.rooms_lost: list[str] = []
        self.acknowledged: list[str] = []
        self.ended: list[str] = []
        self.anew: list[str] = []
        self.home = Home()
        self.link = Link(self.home, RoomFiles())
        told = cast("Any", self)
        self.link.listen(bus=told, commands=told, sessions=self.sessions, hub=told, registrar=told, courier=told)

    def lose_all(self, reason: str) -> None:
        self.lost.append(reason)

    def lose_room(self, room: str) -> None:
        self.rooms_lost.append(room)

    def hear(self, room: str, device: str, said: Acknowledgement) -> None:
        self.acknowledged.append(said.id)

    def end_sessions(self, sessions: tuple[str, ...]) -> None:
        self.ended += sessions

    def begin_anew(self, users: tuple[str, ...]) -> None:
        self.anew += users

    def tell(self, changes: object) -> None:
        pass

    def outdated(self) -> None:
        pass

    def link_up(self) -> None:
        pass

    def beat(self) -> None:
        pass

    def say(self, topic: str, message: messages.Message, *, retained: bool = False) -> None:
        self.link.hear(Delivery(topic, messages.encode(message), retained=retained, connection=None, mid=1))


@pytest.fixture
def parts() -> Parts:
    return Parts()


async def test_a_session_that_ended_while_the_link_was_down_is_believed_no_moment_longer(parts: Parts) -> None:
    assert await parts.sessions.verify("t") == INFO
    parts.connected = False
    parts.link.down()
    del parts.auth.sessions["t"]  # nobody can tell us so
    parts.connected = True
    await parts.link.up()
    with pytest.raises(HomeError, match="sign-in-required"):
        await parts.sessions.verify("t")
    assert parts.lost == ["link-lost"]


async def test_a_session_that_is_told_to_have_ended_is_forgotten_and_its_streams_with_it(parts: Parts) -> None:
    await parts.sessions.verify("t")
    parts.say(topics.REVOKED, Revoked(sessions=(INFO.id,)))
    assert parts.ended == [INFO.id]
    with pytest.raises(HomeError, match="sign-in-required"):
        await parts.sessions.verify("t")


async def test_a_lockdown_leaves_no_session_of_before_believed(parts: Parts) -> None:
    """It ends them all, in more words than one message has."""
    await parts.sessions.verify("t")
    del parts.auth.sessions["t"]
    parts.say(topics.LOCKDOWN, Lockdown(active=True, at=NOW), retained=True)
    assert parts.home.lockdown.active
    with pytest.raises(HomeError, match="sign-in-required"):
        await parts.sessions.verify("t")


async def test_what_was_sent_to_a_room_that_was_born_or_went_is_lost(parts: Parts) -> None:
    for status, session_id in (("online", "s1"), ("online", "s2"), ("offline", "s2")):
        there = Availability(status=status, at=NOW, session=session_id)  # type: ignore[arg-type]  # one of both
        parts.say(topics.availability("hall"), there)
    await asyncio.sleep(0)
    assert len(parts.rooms_lost) >= 3
    assert set(parts.rooms_lost) == {"hall"}


async def test_a_retained_acknowledgement_answers_nothing(parts: Parts) -> None:
    said = Acknowledgement(id="c1", outcome=Outcome.EXECUTED, at=NOW)
    parts.say(topics.acknowledgement("hall", "lamp"), said, retained=True)
    assert parts.acknowledged == []
    parts.say(topics.acknowledgement("hall", "lamp"), said)
    assert parts.acknowledged == ["c1"]


async def test_whose_rights_changed_is_asked_about_again_and_their_streams_begin_anew(parts: Parts) -> None:
    await parts.sessions.verify("t")
    parts.say(topics.REVOKED, Revoked(sessions=(), users=(INFO.user.id,)))
    assert (parts.ended, parts.anew) == ([], [INFO.user.id])
    assert parts.sessions.fresh_word("t") is None
