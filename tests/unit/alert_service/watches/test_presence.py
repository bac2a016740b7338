"""Rooms that are away: told once, never because of ourselves, and never by a dead room's last word."""

from hypothesis import given
from hypothesis import strategies as st

from alert_service.watches.presence import LATE_SECONDS, Back, Gone, Presence
from shared.words.messages import ROOM_SILENCE_SECONDS, Availability, Description, DeviceDescription, utc
from shared.words.names import Kind

AFTER = 60.0


def availability(status: str = "online", session: str = "s1") -> Availability:
    return Availability(status="online" if status == "online" else "offline", at=utc(0), session=session)


def description(*, critical: bool = True) -> Description:
    door = DeviceDescription(
        id="door", name="Door", kind=Kind.LOCK, critical=critical, confirm=False, actions=(), safe_actions=()
    )
    return Description(room="hall", name="Hall", agent_version="1", devices=(door,))


class House:
    """A presence with its link up, looked at every second."""

    def __init__(self, *told: str, critical: bool = True) -> None:
        self.presence = Presence(AFTER, told)
        self.now = 1000.0
        self.presence.link_up(self.now)
        self.presence.describe("hall", description(critical=critical))

    def say(self, status: str = "online", session: str = "s1", *, retained: bool = False) -> Gone | Back | None:
        return self.presence.hear("hall", availability(status, session), retained=retained, now=self.now)

    def wait(self, seconds: float, *, heartbeats: bool = False) -> list[Gone]:
        found = []
        for second in range(int(seconds)):
            self.now += 1
            if heartbeats and second % 30 == 0:
                assert self.say() is None
            found += self.presence.look(self.now)
        return found


def test_a_room_whose_will_came_is_told_once_after_its_time() -> None:
    house = House()
    house.say()
    house.say("offline")
    assert house.wait(AFTER - 1) == []
    (gone,) = house.wait(2)
    assert (gone.room, gone.name, gone.seconds) == ("hall", "Hall", AFTER)
    house.say("offline")
    assert house.wait(3600) == []


def test_a_room_that_falls_silent_without_a_will_is_told_after_its_heartbeats_ran_out() -> None:
    house = House()
    house.say()
    assert house.wait(ROOM_SILENCE_SECONDS - 1) == []
    assert len(house.wait(2)) == 1


def test_a_room_that_comes_back_is_told_once_and_may_go_again() -> None:
    house = House()
    house.say("offline")
    house.wait(100)
    assert house.say() == Back("hall", "Hall")
    assert house.say() is None
    assert len(house.wait(200)) == 1


def test_that_a_room_went_for_seconds_is_told_of_every_room_that_described_itself() -> None:
    presence = Presence(0, every=True)
    presence.link_up(1000.0)
    presence.describe("hall", description(critical=False))
    for room, told in (("hall", Gone("hall", "Hall", 0)), ("nobody", None)):
        assert presence.hear(room, availability(), retained=False, now=1000.0) is None
        assert presence.hear(room, availability("offline"), retained=False, now=1000.5) == told, "at once"
    assert presence.look(1001.0) == []
    assert presence.hear("hall", availability(session="s2"), retained=False, now=1004.0) == Back("hall", "Hall")
    assert [gone for second in range(1005, 1080) for gone in presence.look(second) if gone.room == "hall"] == [
        Gone("hall", "Hall", ROOM_SILENCE_SECONDS)
    ], "silent, it is away as soon as its heartbeats ran out"


def test_what_the_broker_kept_of_an_absence_is_told_at_the_next_look() -> None:
    presence = Presence(0, every=True)
    presence.link_up(1000.0)
    assert presence.hear("hall", availability("offline"), retained=True, now=1000.5) is None
    presence.describe("hall", description(critical=False))
    (gone,) = presence.look(1001.0)
    assert (gone.room, gone.seconds) == ("hall", 0.5)


def test_a_restart_of_the_room_is_no_news() -> None:
    house = House()
    house.say()
    house.say("offline")
    assert house.wait(20) == []
    assert house.say(session="s2") is None
    house.say("offline", "s1")  # the will of its former life, which the broker only fires now
    assert house.wait(70, heartbeats=False) == []


def test_a_dead_rooms_retained_online_proves_nothing() -> None:
    house = House()
    assert house.say(retained=True) is None
    assert len(house.wait(ROOM_SILENCE_SECONDS)) == 1
    assert house.say(retained=True) is None


def test_a_room_without_a_critical_device_may_go_as_it_likes() -> None:
    house = House(critical=False)
    house.say("offline")
    assert house.wait(1000) == []


def test_a_revoked_room_is_forgotten() -> None:
    house = House()
    house.say("offline")
    house.presence.describe("hall", None)
    assert house.wait(1000) == []


def test_a_restart_of_ours_repeats_nothing_and_still_tells_that_it_is_back() -> None:
    house = House("hall")
    house.say("offline", retained=True)
    assert house.wait(1000) == []
    assert house.say() == Back("hall", "Hall")


def test_while_our_own_link_is_down_nobody_is_away_and_afterwards_all_have_their_time_again() -> None:
    house = House()
    house.say()
    house.presence.link_down()
    assert house.wait(1000) == []
    house.presence.link_up(house.now)
    house.say(retained=True)
    assert house.wait(ROOM_SILENCE_SECONDS - 1) == []
    house.say()
    assert house.wait(3600, heartbeats=True) == []


def test_after_we_were_held_up_ourselves_all_have_their_time_again() -> None:
    house = House()
    house.say()
    house.now += ROOM_SILENCE_SECONDS + LATE_SECONDS
    assert house.presence.look(house.now) == []
    assert house.wait(ROOM_SILENCE_SECONDS - 1) == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["online", "offline", "retained online", "retained offline", "up", "down", "nothing"]),
        st.integers(0, 120),
    ),
    max_size=30,
)


@given(STEPS)
def test_going_and_coming_back_always_take_turns(steps: list[tuple[str, int]]) -> None:
    house = House()
    told: list[Gone | Back] = []
    for step, seconds in steps:
        if step == "up":
            house.presence.link_up(house.now)
        elif step == "down":
            house.presence.link_down()
        elif step != "nothing":
            back = house.say(step.rpartition(" ")[2], retained="retained" in step)
            told += [back] if back is not None else []
        told += house.wait(seconds)
    assert all(isinstance(one, Gone if index % 2 == 0 else Back) for index, one in enumerate(told))
