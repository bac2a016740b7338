"""Whoever joins at any moment and hears every change since knows what one who joins now would be told."""

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.picture.changes import Change, DescriptionChanged, StateChanged, StatusChanged
from gateway.picture.home import Home
from shared.words.internal import RegisteredRoom
from shared.words.messages import State
from tests.unit.gateway.picture.test_home import DOOR, HALL, LAMP, REGISTRY, lit, registered, said

ROOMS = {
    "none": (),
    "the lamp's": (RegisteredRoom(id="hall", name="Hall", devices=(registered(LAMP),)),),
    "whole": REGISTRY.rooms,
}
OFFERS = {"lamp": (LAMP,), "door": (DOOR,), "both": (LAMP, DOOR)}


class Follower:
    """One who follows, as a page or a program does it: by what a snapshot said, and by what was told since."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.status = {room: home.status(room) for room in home.names()}
        self.states = {room: dict(home.states(room)) for room in home.names()}

    def hear(self, change: Change) -> None:
        match change:
            case DescriptionChanged(room):
                self._see(room)
            case StatusChanged(room, status) if room in self.status:
                self.status[room] = status
                self.states[room] = dict.fromkeys(self.states[room])
            case StateChanged(room, device, state) if device in self.states.get(room, {}):
                self.states[room][device] = state

    def _see(self, room: str) -> None:
        """A description is written as it is sent; of a room that is gone it has no devices."""
        if (found := self._home.room(room)) is None:
            self.status.pop(room, None)
            self.states.pop(room, None)
            return
        known = self.states.get(room, {})
        self.status.setdefault(room, "unknown")
        self.states[room] = {device.id: known.get(device.id) for device in found.devices}


class Following(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.home = Home()
        self.now = 0.0
        self.followers = [Follower(self.home)]

    def tell(self, changes: list[Change]) -> None:
        for change in changes:
            for one in self.followers:
                one.hear(change)

    @rule()
    def joins(self) -> None:
        self.followers = [*self.followers[-4:], Follower(self.home)]

    @rule(rooms=st.sampled_from(sorted(ROOMS)))
    def registry(self, rooms: str) -> None:
        self.tell(self.home.set_registry(msgspec.structs.replace(REGISTRY, rooms=ROOMS[rooms])))

    @rule(room=st.sampled_from([*ROOMS["whole"], *ROOMS["the lamp's"]]))
    def one_room(self, room: RegisteredRoom) -> None:
        self.tell(self.home.set_room(room))

    @rule(offers=st.sampled_from(sorted(OFFERS)))
    def description(self, offers: str) -> None:
        self.tell(self.home.hear_description("hall", msgspec.structs.replace(HALL, devices=OFFERS[offers])))

    @rule()
    def revoked(self) -> None:
        self.tell(self.home.forget_room("hall"))

    @rule(device=st.sampled_from(["lamp", "front-door"]), state=st.sampled_from([lit("on"), lit("off"), None]))
    def state(self, device: str, state: State | None) -> None:
        told = self.home.hear_state("hall", device, state) if state else self.home.forget_state("hall", device)
        self.tell(told)

    @rule(session=st.sampled_from(["s1", "s2"]), retained=st.booleans(), status=st.sampled_from(["online", "offline"]))
    def availability(self, session: str, retained: bool, status: str) -> None:
        said_so = said(status, session)
        self.tell(self.home.hear_availability("hall", said_so, retained=retained, now=self.now))

    @rule(seconds=st.floats(0, 100))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.tell(self.home.tick(self.now))

    @rule()
    def link_lost(self) -> None:
        self.tell(self.home.link_down())

    @invariant()
    def all_know_the_same(self) -> None:
        fresh = Follower(self.home)
        for one in self.followers:
            assert (one.status, one.states) == (fresh.status, fresh.states)


TestFollowing = Following.TestCase
