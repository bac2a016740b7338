"""Rooms that come, go and fall silent."""

from alert_service.readings.quantities import GAP, Said
from alert_service.readings.rooms import MOST_OF_A_ROOM, Device, Rooms
from alert_service.readings.timeline import Row
from shared.words.messages import ROOM_SILENCE_SECONDS
from shared.words.names import Kind
from tests.unit.alert_service.readings.parts import START, described, offline, online, state

LAMP = Device("hall", "lamp", Kind.SWITCH)
NOW = START * 1000
ON, OFF = Said(1.0), Said(0.0)


class House:
    """Rooms, heard at `now` milliseconds."""

    def __init__(self, known: dict[Device, Row] | None = None, known_until: int = NOW - 60_000) -> None:
        self.rooms = Rooms(known or {}, known_until=known_until)
        self.now = NOW

    def describe(self) -> None:
        self.rooms.describe("hall", described(lamp=Kind.SWITCH, bell=Kind.BUTTON), self.now)

    def say(self, value: str, since: float = START, *, retained: bool = False) -> None:
        self.rooms.hear("hall", "lamp", state(value, since), retained=retained, now=self.now, steady=self.now / 1000)

    def come(self, session: str = "s1") -> None:
        self.rooms.hear_of("hall", online(session), now=self.now, steady=self.now / 1000)

    def go(self, session: str = "s1") -> None:
        self.rooms.hear_of("hall", offline(session), now=self.now, steady=self.now / 1000)

    def rows(self) -> list[Row]:
        timeline = self.rooms.timelines.get(LAMP)
        return [] if timeline is None else timeline.take()


def test_retained_words_count_in_whatever_order_they_come() -> None:
    for order in (("say", "be", "describe"), ("describe", "say", "be"), ("be", "describe", "say")):
        house = House()
        for step in order:
            match step:
                case "say":
                    house.say("on", START - 30, retained=True)
                case "be":
                    house.come()
                case _:
                    house.describe()
        assert house.rows() == [Row(NOW - 30_000, ON)], order


def test_a_retained_state_of_a_room_that_is_not_there_says_nothing() -> None:
    house = House()
    house.describe()
    house.go()
    house.say("on", START - 30, retained=True)
    assert house.rows() == []


def test_a_room_that_was_away_leaves_a_gap_and_no_flat_line() -> None:
    house = House()
    house.describe()
    house.come()
    house.say("on")
    house.now += 10_000
    house.go()
    house.now += 10_000
    house.come()
    assert house.rows() == [Row(NOW, ON), Row(NOW + 10_000, GAP), Row(NOW + 20_000, ON)]


def test_a_will_of_another_birth_is_nobodys_end() -> None:
    house = House()
    house.describe()
    house.come("s2")
    house.say("on")
    house.go("s1")
    assert house.rows() == [Row(NOW, ON)]


def test_a_room_that_falls_silent_was_away_since_it_was_last_heard() -> None:
    house = House()
    house.describe()
    house.come()
    house.say("on")
    house.rooms.look(house.now / 1000 + ROOM_SILENCE_SECONDS)
    assert house.rows() == [Row(NOW, ON)]
    house.rooms.look(house.now / 1000 + ROOM_SILENCE_SECONDS + 1)
    assert house.rows() == [Row(NOW + 1, GAP)]


def test_our_own_absence_is_no_gap_where_the_room_says_that_it_went_on() -> None:
    house = House({LAMP: Row(NOW - 600_000, ON)}, known_until=NOW - 300_000)
    house.describe()
    house.come()
    house.say("on", START - 600, retained=True)
    house.rooms.settle()
    assert house.rows() == []


def test_our_own_absence_is_a_gap_where_the_room_does_not_come_back() -> None:
    house = House({LAMP: Row(NOW - 600_000, ON)}, known_until=NOW - 300_000)
    house.rooms.settle()
    assert house.rows() == [Row(NOW - 300_000, GAP)]


def test_our_link_that_breaks_for_a_moment_leaves_nothing() -> None:
    house = House()
    house.describe()
    house.come()
    house.say("on")
    house.rooms.link_down(house.now + 1000)
    house.now += 5000
    house.describe()
    house.come()
    house.say("on", retained=True)
    house.rooms.settle()
    assert house.rows() == [Row(NOW, ON)]


def test_what_changed_before_the_sums_begin_is_set_to_where_they_begin() -> None:
    house = House(known_until=NOW - 1000)
    house.describe()
    house.come()
    house.say("on", START - 30, retained=True)
    assert house.rows() == [Row(NOW - 1000, ON)]


def test_another_kind_under_the_same_name_is_another_device() -> None:
    house = House()
    house.describe()
    house.come()
    house.say("on")
    house.now += 1000
    house.say("locked", START + 1)
    house.rooms.describe("hall", described(lamp=Kind.LOCK), house.now)
    assert [row.said for row in house.rows()] == [ON, GAP]
    assert house.rooms.timelines[Device("hall", "lamp", Kind.LOCK)].take() == [Row(NOW + 1000, OFF)]


def test_a_room_that_was_revoked_ends_there() -> None:
    house = House()
    house.describe()
    house.come()
    house.say("on")
    house.now += 1000
    house.rooms.describe("hall", None, house.now)
    assert house.rows() == [Row(NOW, ON), Row(NOW + 1000, GAP)]


def test_buttons_contacts_and_made_up_devices_fill_nothing() -> None:
    house = House()
    house.describe()
    house.come()
    for number in range(10 * MOST_OF_A_ROOM):
        house.rooms.hear("hall", f"x{number}", state("on"), retained=False, now=NOW, steady=0.0)
    house.rooms.hear("hall", "bell", state(None), retained=False, now=NOW, steady=0.0)
    assert house.rooms.timelines == {}


def test_what_the_owner_does_not_want_is_not_recorded() -> None:
    house = House()
    house.rooms = Rooms({}, known_until=0, is_wanted=lambda place: place != "hall/lamp")
    house.describe()
    house.come()
    house.say("on")
    assert house.rooms.timelines == {}


def test_a_clock_that_runs_ahead_leaves_a_gap() -> None:
    house = House()
    house.describe()
    house.come()
    house.say("on")
    house.rooms.pass_over(NOW + 1000, NOW + 10**10)
    assert house.rows() == [Row(NOW, ON), Row(NOW + 1000, GAP), Row(NOW + 10**10, ON)]


def test_a_clock_that_was_set_back_begins_anew_there() -> None:
    house = House()
    house.describe()
    house.come()
    house.say("on")
    house.rows()
    house.rooms.turn_back(NOW - 10**9)
    assert house.rows()[-1].said == ON
    assert house.rooms.timelines[LAMP].last is not None
