"""A stream's queue: in order, bounded, and at its end at once."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest
from multidict import MultiDict

from gateway.api.events import interest
from gateway.door.sessions import Sessions
from gateway.picture.changes import Born, DescriptionChanged, LockdownChanged, StateChanged, StatusChanged
from gateway.picture.home import Home
from gateway.streams.client import QUEUED, TOGETHER, Client
from gateway.streams.event import Event, Interest, as_json, event_of, frame, shared_frame, written
from gateway.streams.events import MOST_STREAMS, Hub
from shared.words.internal import Grant, LockdownState, RegisteredRoom, Registry
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.gateway.pages.house import config
from tests.unit.gateway.parts import HALL_ENTRY, NOW, FakeAuth, online, session, state

ALL_DAY = Grant(room="hall", device="lamp")


class FakeTransport:
    def __init__(self) -> None:
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


def client(transport: FakeTransport | None = None) -> Client:
    return Client(session(Role.MEMBER), cast("asyncio.Transport | None", transport), Interest())


def event(number: int) -> Event:
    return Event("state", "hall", f"d{number}", "{}")


async def test_events_come_in_their_order() -> None:
    one = client()
    for number in range(3):
        one.offer(event(number))
    assert await one.next() == [event(0), event(1), event(2)]


async def test_what_waits_goes_together_but_not_all_of_it_at_once() -> None:
    one = client()
    for number in range(TOGETHER + 1):
        one.offer(event(number))
    assert len(await one.next()) == TOGETHER
    assert await one.next() == [event(TOGETHER)]


def test_an_event_on_the_wire() -> None:
    assert frame("state", '{"a":1}') == shared_frame("state", '{"a":1}') == b'event: state\r\ndata: {"a":1}\r\n\r\n'
    assert b"\n" not in as_json({"name": "two\nlines\r"}).encode()


async def test_whoever_waits_is_woken() -> None:
    one = client()
    waiting = asyncio.create_task(one.next())
    await asyncio.sleep(0)
    one.offer(event(1))
    assert await waiting == [event(1)]


async def test_an_ended_stream_sends_nothing_more() -> None:
    one = client()
    one.offer(event(1))
    waiting = client()
    ending = asyncio.create_task(waiting.next())
    await asyncio.sleep(0)
    waiting.end()
    one.end()
    one.offer(event(2))
    assert await one.next() == []
    assert await ending == []


async def test_a_client_that_does_not_keep_up_is_cut() -> None:
    transport = FakeTransport()
    one = client(transport)
    for number in range(QUEUED):
        one.offer(event(number))
    assert not transport.aborted
    one.offer(event(0))
    assert transport.aborted
    assert await one.next() == []


def test_one_stream_too_many_ends_the_users_oldest_and_nobody_elses() -> None:
    sessions = Sessions(cast("Any", FakeAuth()), link_up=lambda: True)
    hub = Hub(Home(), sessions, config().zone)
    other = Client(session(Role.MASTER), None, Interest())
    hub._join(other)
    # Another session of the same user counts with the first.
    theirs = [Client(session(Role.MEMBER, number=number % 2), None, Interest()) for number in range(MOST_STREAMS + 2)]
    for one in theirs:
        hub._join(one)
    assert [one.ended for one in theirs] == [True, True] + [False] * MOST_STREAMS
    assert not other.ended


def test_the_streams_of_whose_rights_changed_end_and_nobody_elses() -> None:
    hub = Hub(Home(), Sessions(cast("Any", FakeAuth()), link_up=lambda: True), config().zone)
    guest, member = (Client(session(role), None, Interest()) for role in (Role.GUEST, Role.MEMBER))
    for one in (guest, member):
        hub._join(one)
    hub.begin_anew((guest.user_id,))
    assert (guest.ended, member.ended) == (True, False)


def test_each_change_has_its_event() -> None:
    assert event_of(StatusChanged("hall", "offline")) == Event(
        "availability", "hall", None, '{"room":"hall","status":"offline"}'
    )
    told = event_of(StateChanged("hall", "lamp", state("on")))
    assert told is not None
    assert told.body is not None
    assert told.body.startswith('{"room":"hall","device":"lamp","state":{"value":"on"')
    assert event_of(DescriptionChanged("hall")) == Event("description", "hall", None, None)
    assert event_of(Born("hall")) is None


async def test_news_of_the_record_go_to_who_follows_it_and_may() -> None:
    sessions = Sessions(cast("Any", FakeAuth()), link_up=lambda: True)
    hub = Hub(Home(), sessions, config().zone)
    master, member, guest = (Client(session(role), None, Interest(record=True)) for role in Role)
    elsewhere = Client(session(Role.MASTER), None, Interest())
    waiting = asyncio.create_task(hub.followed())
    for one in (guest, elsewhere):
        hub._join(one)
    await asyncio.sleep(0)
    assert not waiting.done()
    for one in (master, member):
        hub._join(one)
    await waiting
    hub.tell_recorded(7, 3)
    assert [list(one.queue) for one in (master, member, guest, elsewhere)] == [
        [Event("audit", None, None, '{"row":7,"happening":3}')],
        [Event("audit", None, None, '{"row":7,"happening":3}')],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ({}, Interest()),
        ({"audit": ""}, Interest(record=True)),
        ({"rooms": "hall"}, Interest(rooms=frozenset({"hall"}))),
        ({"rooms": "hall,back-yard", "audit": ""}, Interest(rooms=frozenset({"hall", "back-yard"}), record=True)),
        ({"rooms": ""}, Interest(rooms=frozenset())),
        ({"rooms": "", "sums": ""}, Interest(rooms=frozenset(), sums=True)),
        ({"sums": "true", "audit": "false"}, Interest(sums=True)),  # as clients made from openapi.json write it
        ({"sums": "False", "audit": "True"}, Interest(record=True)),  # and Python's requests
    ],
)
def test_a_stream_is_narrowed_by_its_address(query: Mapping[str, str], asked: Interest) -> None:
    assert interest(query) == asked


@pytest.mark.parametrize(
    "query",
    [
        {"room": "hall"},
        {"rooms": "hall,"},
        {"rooms": "Hall"},
        {"rooms": "hall/lamp"},
        {"rooms": "*"},
        {"sums": "no"},
        {"audit": "0"},
        MultiDict([("rooms", "hall"), ("rooms", "garage")]),
    ],
)
def test_what_would_only_seem_to_narrow_a_stream_is_refused(query: Mapping[str, str]) -> None:
    with pytest.raises(HomeError) as refused:
        interest(query)
    assert refused.value.slug == "bad-request"


def test_a_narrowed_stream_hears_of_its_rooms_and_of_the_home_and_of_nothing_else() -> None:
    sessions = Sessions(cast("Any", FakeAuth()), link_up=lambda: True)
    hub = Hub(Home(), sessions, config().zone)
    narrow = Client(session(Role.MASTER), None, Interest(rooms=frozenset({"hall"})))
    nowhere = Client(session(Role.MASTER), None, Interest(rooms=frozenset(), record=True))
    for one in (narrow, nowhere):
        hub._join(one)
    locked = LockdownChanged(LockdownState(active=True, at=NOW))
    hub.tell(
        [StatusChanged("hall", "offline"), StatusChanged("garage", "offline"), DescriptionChanged("garage"), locked]
    )
    hub.tell_command(command_id="1", room="garage", device="door", outcome="executed", reason=None)
    hub.tell_command(command_id="2", room="hall", device="lamp", outcome="executed", reason=None)
    hub.tell_recorded(7, 3)
    assert [(one.name, one.room) for one in narrow.queue] == [
        ("availability", "hall"),
        ("lockdown", None),
        ("command", "hall"),
    ]
    assert [(one.name, one.room) for one in nowhere.queue] == [("lockdown", None), ("audit", None)]


def two_rooms() -> Home:
    home = Home()
    attic = RegisteredRoom(id="attic", name="Attic", devices=HALL_ENTRY.devices)
    home.set_registry(Registry(rooms=(attic, HALL_ENTRY)))
    for room in ("attic", "hall"):
        home.hear_availability(room, online(), retained=False, now=0.0)
        home.hear_state(room, "lamp", state("on"))
    return home


def test_a_snapshot_of_one_room_holds_that_room_and_a_snapshot_of_sums_no_device() -> None:
    home = two_rooms()
    hub = Hub(home, Sessions(cast("Any", FakeAuth()), link_up=lambda: True), config().zone)
    one = [written(told) for told in hub._snapshot(Interest(rooms=frozenset({"hall", "nowhere"})))]
    assert {event.room for event in one} == {None, "hall"}
    assert [event.name for event in one] == ["lockdown", "description", "availability", *["state"] * 5]
    glance = [written(told) for told in hub._snapshot(Interest(rooms=frozenset(), sums=True))]
    assert [(event.name, event.room) for event in glance] == [
        ("lockdown", None),
        ("order", None),
        ("sum", "attic"),
        ("sum", "hall"),
    ]


def test_a_snapshot_is_of_the_moment_in_which_it_was_taken() -> None:
    home = two_rooms()
    hub = Hub(home, Sessions(cast("Any", FakeAuth()), link_up=lambda: True), config().zone)
    taken = hub._snapshot(Interest(rooms=frozenset({"hall"})))
    home.hear_state("hall", "lamp", state("off"))
    lamp = next(event for event in map(written, taken) if event.device == "lamp")
    assert '"value":"on"' in (lamp.body or "")


async def test_sums_are_told_when_they_change_to_who_looks_at_them() -> None:
    home = two_rooms()
    hub = Hub(home, Sessions(cast("Any", FakeAuth()), link_up=lambda: True), config().zone)
    looks_at_all = Client(session(Role.MASTER), None, Interest(rooms=frozenset(), sums=True))
    looks_at_one = Client(session(Role.MASTER), None, Interest(rooms=frozenset({"hall"})))
    for one in (looks_at_all, looks_at_one):
        hub._join(one)
    hub.tell(home.hear_state("hall", "lamp", state("off")))
    async with asyncio.timeout(DEADLINE):
        assert [(event.name, event.room) for event in await looks_at_all.next()] == [("sum", "hall")]
    hub._tell_sum("hall")  # a reading changed, and nothing that is counted
    assert not looks_at_all.queue
    assert [event.name for event in looks_at_one.queue] == ["state"]


async def test_a_sum_is_told_to_who_came_while_the_room_said_something_else() -> None:
    home = two_rooms()
    hub = Hub(home, Sessions(cast("Any", FakeAuth()), link_up=lambda: True), config().zone)
    early, late = (Client(session(Role.MASTER), None, Interest(rooms=frozenset(), sums=True)) for _ in range(2))
    hub._join(early)
    home.hear_state("hall", "door-contact", state("closed"))
    hub._tell_sum("hall")
    home.hear_state("hall", "door-contact", state("open"))
    hub._join(late)  # whose snapshot has an open door
    home.hear_state("hall", "door-contact", state("closed"))
    hub._tell_sum("hall")
    assert [event.room for event in late.queue] == ["hall"]
    home.forget_room("hall")
    home.set_registry(Registry(rooms=()))
    hub._tell_sum("hall")
    hub._tell_sum("attic")
    assert ['"devices":0' in (event.body or "") for event in late.queue] == [False, True, True]


async def test_a_sum_says_what_was_compared_and_not_what_is_when_it_is_sent() -> None:
    home = two_rooms()
    hub = Hub(home, Sessions(cast("Any", FakeAuth()), link_up=lambda: True), config().zone)
    info = session(Role.MASTER)
    one = Client(info, None, Interest(rooms=frozenset(), sums=True))
    hub._join(one)
    home.hear_state("hall", "door-contact", state("closed"))
    hub._tell_sum("hall")
    home.hear_state("hall", "door-contact", state("open"))  # while the stream waits for its session
    assert b"ajar" not in b"".join(hub._frame(event, one, info) for event in await one.next())


async def test_sums_tell_a_guest_nothing_of_what_they_may_not_see_not_even_that_it_happened() -> None:
    home = two_rooms()
    hub = Hub(home, Sessions(cast("Any", FakeAuth()), link_up=lambda: True), config().zone)
    guest = session(Role.GUEST, ALL_DAY)
    one = Client(guest, None, Interest(rooms=frozenset(), sums=True))
    hub._join(one)

    def hears() -> list[bool]:
        hub._tell_sum("hall")
        written = [bool(hub._frame(event, one, guest)) for event in one.queue]
        one.queue.clear()
        return written

    assert hears() == [True]
    home.hear_state("hall", "front-door", state("unlocked"))
    assert hears() == [False]
    home.hear_state("hall", "lamp", state("off"))
    assert hears() == [True]


def test_a_sum_of_all_does_not_go_to_who_is_a_guest_by_now() -> None:
    home = two_rooms()
    hub = Hub(home, Sessions(cast("Any", FakeAuth()), link_up=lambda: True), config().zone)
    one = Client(session(Role.MEMBER), None, Interest(rooms=frozenset(), sums=True))
    hub._join(one)
    hub._tell_sum("hall")
    (event,) = one.queue
    assert b'"devices":5' in hub._frame(event, one, session(Role.MEMBER))
    assert b'"devices":1' in hub._frame(event, one, session(Role.GUEST, ALL_DAY))
