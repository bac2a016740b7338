"""The picture of the home: what was not heard live is never shown as if it were."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.picture import views
from gateway.picture.changes import Born, DescriptionChanged, LockdownChanged, OrderChanged, StateChanged, StatusChanged
from gateway.picture.home import Home
from shared.words.internal import LockdownState, RegisteredDevice, RegisteredRoom, Registry
from shared.words.messages import ROOM_SILENCE_SECONDS, Availability, By, Description, DeviceDescription, State
from shared.words.names import Action, Kind

NOW = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
LAMP = DeviceDescription(
    id="lamp",
    name="Lamp",
    kind=Kind.SWITCH,
    critical=False,
    confirm=False,
    actions=(Action.ON, Action.OFF),
    safe_actions=(Action.OFF,),
)
DOOR = DeviceDescription(
    id="front-door",
    name="Front door",
    kind=Kind.LOCK,
    critical=True,
    confirm=True,
    actions=(Action.LOCK, Action.UNLOCK),
    safe_actions=(Action.LOCK,),
)
HALL = Description(room="hall", name="Hall", agent_version="1", devices=(LAMP, DOOR))


def registered(
    device: DeviceDescription, *, critical: bool | None = None, confirm: bool | None = None
) -> RegisteredDevice:
    return RegisteredDevice(
        id=device.id,
        name=device.name,
        kind=device.kind,
        critical=device.critical if critical is None else critical,
        confirm=device.confirm if confirm is None else confirm,
    )


REGISTRY = Registry(rooms=(RegisteredRoom(id="hall", name="Hall", devices=(registered(LAMP), registered(DOOR))),))


def said(status: str, session: str = "s1") -> Availability:
    return Availability(status="online" if status == "online" else "offline", at=NOW, session=session)


def lit(value: str = "on") -> State:
    return State(value=value, since=NOW, by=By(source="command"))


def known_home() -> Home:
    home = Home()
    home.set_registry(REGISTRY)
    home.hear_description("hall", HALL)
    return home


def online_home() -> Home:
    home = known_home()
    home.hear_state("hall", "lamp", lit())
    home.hear_availability("hall", said("online"), retained=False, now=0.0)
    return home


def test_a_retained_online_proves_nothing() -> None:
    home = known_home()
    home.hear_state("hall", "lamp", lit())
    assert home.hear_availability("hall", said("online"), retained=True, now=0.0) == []
    assert home.status("hall") == "unknown"
    view = home.view("hall", "lamp")
    assert view is not None
    assert view.state is None
    assert not view.available


def test_a_live_heartbeat_shows_the_retained_states() -> None:
    home = known_home()
    assert home.hear_state("hall", "lamp", lit()) == []
    changes = home.hear_availability("hall", said("online"), retained=False, now=0.0)
    assert changes == [Born("hall"), StatusChanged("hall", "online"), StateChanged("hall", "lamp", lit())]
    assert home.state("hall", "lamp") == lit()


def test_a_second_heartbeat_changes_nothing() -> None:
    home = online_home()
    assert home.hear_availability("hall", said("online"), retained=False, now=30.0) == []


def test_silence_makes_a_room_unknown() -> None:
    home = online_home()
    assert home.tick(ROOM_SILENCE_SECONDS) == []
    assert home.tick(ROOM_SILENCE_SECONDS + 0.1) == [StatusChanged("hall", "unknown")]
    assert home.state("hall", "lamp") is None


def test_a_lost_link_makes_everything_unknown_until_heard_anew() -> None:
    home = online_home()
    assert home.link_down() == [StatusChanged("hall", "unknown")]
    home.hear_availability("hall", said("online"), retained=False, now=1.0)
    assert home.state("hall", "lamp") is None, "a state of the former connection"


def test_a_will_of_an_earlier_life_is_ignored() -> None:
    home = online_home()
    home.hear_availability("hall", said("online", "s2"), retained=False, now=1.0)
    assert home.hear_availability("hall", said("offline", "s1"), retained=False, now=2.0) == []
    assert home.status("hall") == "online"
    assert home.hear_availability("hall", said("offline", "s2"), retained=False, now=3.0) == [
        StatusChanged("hall", "offline")
    ]


def test_a_new_session_is_a_birth() -> None:
    home = online_home()
    assert home.hear_availability("hall", said("online", "s2"), retained=False, now=1.0) == [Born("hall")]


def test_a_retained_goodbye_counts() -> None:
    home = known_home()
    home.hear_availability("hall", said("offline"), retained=True, now=0.0)
    assert home.status("hall") == "offline"


def test_the_stricter_word_stands() -> None:
    home = Home()
    loose = RegisteredDevice(id="lamp", name="Lamp", kind=Kind.SWITCH, critical=True, confirm=True)
    home.set_registry(Registry(rooms=(RegisteredRoom(id="hall", name="Hall", devices=(loose,)),)))
    home.hear_description("hall", HALL)
    lamp = home.device("hall", "lamp")
    assert lamp is not None
    assert (lamp.critical, lamp.confirm) == (True, True)
    tight = registered(DOOR, critical=False, confirm=False)
    home.set_registry(Registry(rooms=(RegisteredRoom(id="hall", name="Hall", devices=(tight,)),)))
    door = home.device("hall", "front-door")
    assert door is not None
    assert (door.critical, door.confirm) == (True, True)


@pytest.mark.parametrize(("critical", "confirm"), [(True, True), (True, False), (False, True)])
def test_a_room_may_not_call_safe_what_is_proven_or_confirmed(*, critical: bool, confirm: bool) -> None:
    """Its description asks for neither; that loosens, and waits for the master user, so the registry's word stands."""
    home = Home()
    lamp = registered(LAMP, critical=critical, confirm=confirm)
    home.set_registry(Registry(rooms=(RegisteredRoom(id="hall", name="Hall", devices=(lamp,)),)))
    sly = msgspec.structs.replace(LAMP, safe_actions=(Action.ON, Action.OFF))
    home.hear_description("hall", msgspec.structs.replace(HALL, devices=(sly,)))
    found = home.device("hall", "lamp")
    assert found is not None
    assert found.safe_actions == (Action.OFF,)


def test_a_room_may_not_call_unlocking_safe() -> None:
    home = Home()
    sly = DeviceDescription(
        id="front-door",
        name="Front door",
        kind=Kind.LOCK,
        critical=True,
        confirm=True,
        actions=(Action.LOCK, Action.UNLOCK),
        safe_actions=(Action.LOCK, Action.UNLOCK),
    )
    home.set_registry(REGISTRY)
    home.hear_description("hall", Description(room="hall", name="Hall", agent_version="1", devices=(sly,)))
    door = home.device("hall", "front-door")
    assert door is not None
    assert door.safe_actions == (Action.LOCK,)


def test_a_lock_out_is_the_master_users_or_the_rooms_and_the_rooms_stands() -> None:
    home = known_home()
    plain = home.view("hall", "lamp")
    assert plain is not None
    assert (plain.locked_out, plain.lockout_by) == (False, None)
    master = msgspec.structs.replace(registered(LAMP), locked_out=True)
    entry = RegisteredRoom(id="hall", name="Hall", devices=(master, registered(DOOR)))
    assert home.set_registry(Registry(rooms=(entry,))) == [DescriptionChanged("hall")]
    locked = home.view("hall", "lamp")
    assert locked is not None
    assert (locked.locked_out, locked.lockout_by) == (True, "master")
    described = msgspec.structs.replace(LAMP, lockout=True)
    home.hear_description("hall", msgspec.structs.replace(HALL, devices=(described, DOOR)))
    both = home.view("hall", "lamp")
    assert both is not None
    assert (both.locked_out, both.lockout_by, both.lockout) == (True, "room", True)


def test_a_view_carries_every_limit_and_hint_of_the_description_and_leaves_out_what_is_not_there() -> None:
    home = known_home()
    own = {"id", "name", "kind", "critical", "confirm", "confirm_by", "actions", "safe_actions"}
    assert set(DeviceDescription.__struct_fields__) - own == set(views.HINTS)
    view = msgspec.to_builtins(home.view("hall", "lamp"))
    assert set(view) == own | {"room", "available", "status", "state", "icon"}
    rich = msgspec.structs.replace(
        LAMP, max_on=600.0, min_off=180.0, interlock="climate", boot="off", values=("on", "off"), pulse_ms=500
    )
    home.hear_description("hall", msgspec.structs.replace(HALL, devices=(rich, DOOR)))
    view = msgspec.to_builtins(home.view("hall", "lamp"))
    hints = ("max_on", "min_off", "interlock", "boot", "values", "pulse_ms")
    assert {name: view[name] for name in hints} == {
        "max_on": 600.0,
        "min_off": 180.0,
        "interlock": "climate",
        "boot": "off",
        "values": ("on", "off"),
        "pulse_ms": 500,
    }


def test_actions_that_the_kind_does_not_know_are_not_offered() -> None:
    home = Home()
    odd = DeviceDescription(
        id="lamp",
        name="Lamp",
        kind=Kind.SWITCH,
        critical=False,
        confirm=False,
        actions=(Action.ON, Action.UNLOCK),
        safe_actions=(),
    )
    home.set_registry(REGISTRY)
    home.hear_description("hall", Description(room="hall", name="Hall", agent_version="1", devices=(odd,)))
    lamp = home.device("hall", "lamp")
    assert lamp is not None
    assert lamp.actions == (Action.ON,)
    assert home.device("hall", "front-door") is None, "its room offers it no more"


def test_a_described_device_that_nobody_registered_is_not_there() -> None:
    home = Home()
    home.hear_description("hall", HALL)
    home.hear_availability("hall", said("online"), retained=False, now=0.0)
    assert home.device("hall", "lamp") is None
    assert home.rooms() == ()
    assert home.unregistered() == ("hall",)
    home.set_room(REGISTRY.rooms[0])
    assert home.unregistered() == ()
    assert home.device("hall", "lamp") is not None


def test_a_revoked_room_is_gone() -> None:
    home = online_home()
    assert home.forget_room("hall") == [StatusChanged("hall", "unknown"), DescriptionChanged("hall"), OrderChanged()]
    assert home.rooms() == ()
    assert home.device("hall", "lamp") is None


def test_a_cleared_state_is_no_state() -> None:
    home = online_home()
    assert home.forget_state("hall", "lamp") == [StateChanged("hall", "lamp", None)]
    assert home.state("hall", "lamp") is None


def test_a_room_that_talks_without_end_fills_no_memory() -> None:
    home = online_home()
    for number in range(1000):
        home.hear_state("hall", f"d{number}", lit())
    assert len(home._rooms["hall"].states) == 128
    assert home.hear_state("hall", "lamp", lit("off")) == [StateChanged("hall", "lamp", lit("off"))]


def test_an_unchanged_registry_changes_nothing() -> None:
    home = online_home()
    assert home.set_registry(REGISTRY) == []
    assert home.set_room(REGISTRY.rooms[0]) == []
    assert home.hear_description("hall", HALL) == []


@given(st.text(max_size=10), st.text(max_size=10))
def test_asking_for_anything_never_fails(room: str, device: str) -> None:
    home = known_home()
    assert home.device(room, device) is None or (room, device) in {("hall", "lamp"), ("hall", "front-door")}
    home.view(room, device)
    home.status(room)


class AnyOrder(RuleBasedStateMachine):
    """Whatever comes in whatever order: a state is shown only after a live heartbeat on this connection."""

    def __init__(self) -> None:
        super().__init__()
        self.home = known_home()
        self.now = 0.0
        self.live_at: float | None = None
        self.session: str | None = None

    @rule(seconds=st.floats(0, 100))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.home.tick(self.now)

    @rule(session=st.sampled_from(["s1", "s2"]), retained=st.booleans())
    def heartbeat(self, session: str, retained: bool) -> None:
        self.home.hear_availability("hall", said("online", session), retained=retained, now=self.now)
        if not retained:
            self.live_at, self.session = self.now, session

    @rule(session=st.sampled_from(["s1", "s2"]), retained=st.booleans())
    def farewell(self, session: str, retained: bool) -> None:
        self.home.hear_availability("hall", said("offline", session), retained=retained, now=self.now)
        if self.session in (None, session):
            self.live_at = None

    @rule(value=st.sampled_from(["on", "off"]))
    def state(self, value: str) -> None:
        self.home.hear_state("hall", "lamp", lit(value))

    @rule()
    def link_lost(self) -> None:
        self.home.link_down()
        self.live_at = self.session = None

    @invariant()
    def online_only_when_heard_live(self) -> None:
        fresh = self.live_at is not None and self.now - self.live_at <= ROOM_SILENCE_SECONDS
        assert (self.home.status("hall") == "online") == fresh
        view = self.home.view("hall", "lamp")
        assert view is not None
        assert view.state is None or fresh


TestAnyOrder = AnyOrder.TestCase


# --- lockdown ------------------------------------------------------------------------------------------------


def test_a_lockdown_is_told_once_and_ends_by_a_later_word() -> None:
    home = Home()
    assert not home.lockdown.active
    began = LockdownState(active=True, at=NOW)
    assert home.set_lockdown(began) == [LockdownChanged(began)]
    assert home.set_lockdown(began) == []
    assert home.set_registry(Registry(rooms=())) == [], "an answer of a home that never was locked down is an older one"
    ended = LockdownState(active=False, at=NOW + timedelta(seconds=1))
    assert home.set_registry(Registry(rooms=(), lockdown=ended)) == [LockdownChanged(ended)]
    assert home.set_lockdown(began) == []
    assert home.lockdown == ended


_MOMENTS = st.integers(0, 20)


@given(st.lists(_MOMENTS, max_size=30))
def test_whatever_the_order_of_the_words_the_latest_stands(moments: list[int]) -> None:
    """Each change has a moment of its own; even ones begin a lockdown. Words repeat, get lost and pass one another."""
    home = Home()
    for moment in moments:
        home.set_lockdown(LockdownState(active=moment % 2 == 0, at=NOW + timedelta(seconds=moment)))
    if moments:
        assert home.lockdown == LockdownState(active=max(moments) % 2 == 0, at=NOW + timedelta(seconds=max(moments)))


def test_losing_the_broker_ends_no_lockdown() -> None:
    home = Home()
    home.set_lockdown(LockdownState(active=True, at=NOW))
    home.link_down()
    assert home.lockdown.active
