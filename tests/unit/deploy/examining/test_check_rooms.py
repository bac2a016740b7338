"""Which rooms are there, by what the broker retains of them; one that is not may be off on purpose."""

import datetime as dt

from deploy.examining import check_rooms
from deploy.examining.finding import Finding
from shared.words import messages, topics
from shared.words.messages import Availability, By, State

NOW = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def there(room: str, status: str, at: dt.datetime = NOON) -> tuple[str, bytes]:
    said = Availability(status=status, at=at, session="s")  # type: ignore[arg-type]
    return topics.availability(room), messages.encode(said)


def state(room: str, since: dt.datetime) -> tuple[str, bytes]:
    return topics.state(room, "lamp"), messages.encode(State(value=1, since=since, by=By(source="boot")))


def told(rooms: list[str], *said: tuple[str, bytes]) -> list[Finding]:
    return list(check_rooms.judged(rooms, dict(said), NOW, lambda room: f"look at {room}"))


def test_rooms_that_are_there_are_one_line() -> None:
    (found,) = told(["hall", "kitchen"], there("hall", "online"), there("kitchen", "online"))
    assert (found.state, found.text) == ("well", "2 of 2 rooms are online")
    (found,) = told([])
    assert (found.state, found.text) == ("well", "none is enrolled")


def test_a_room_that_is_off_is_told_and_is_no_fault() -> None:
    online, hall = told(["hall", "kitchen"], there("hall", "offline"), there("kitchen", "online"))
    assert (online.state, online.text) == ("well", "1 of 2 rooms are online")
    assert (hall.state, hall.step, hall.is_noted) == ("skipped", "", True)
    assert hall.text == (
        "room hall is offline; it was there on 2026-03-01 at 12:00 UTC, perhaps later. If it is to be on: look at hall"
    )


def test_the_last_that_was_heard_of_it_counts_and_nothing_that_is_yet_to_come() -> None:
    later = NOON + dt.timedelta(hours=1)
    said = (there("hall", "offline"), state("hall", later), state("kitchen", later + dt.timedelta(hours=1)))
    assert "at 13:00 UTC" in told(["hall"], *said)[1].text
    ahead = (there("hall", "offline"), state("hall", NOW + dt.timedelta(days=300)))
    assert "at 12:00 UTC" in told(["hall"], *ahead)[1].text


def test_a_room_that_never_came_or_cannot_be_understood_is_told_as_that() -> None:
    _, found = told(["attic"])
    assert (found.state, "room attic does not say that it is there" in found.text) == ("skipped", True)
    _, found = told(["attic"], (topics.availability("attic"), b"{"))
    assert "room attic does not say that it is there" in found.text


def test_who_is_not_registered_is_not_spoken_of() -> None:
    (found,) = told(["hall"], there("hall", "online"), there("gone", "offline"))
    assert found.text == "1 of 1 rooms are online"
