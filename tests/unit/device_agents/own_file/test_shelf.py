"""The room's file on its card: whole at every step, whatever kills the process, and back by itself where it fails."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device_agents.own_file.shelf import KEPT, Shelf, Trial
from shared.words.room_file import FileAnswer

OLD, NEW = b'room = "hall"\n# old\n', b'room = "hall"\n# new\n'


class Killed(BaseException):
    """What kill -9 looks like from inside."""


class Card:
    """A room's folder, and as many processes as it takes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "agents" / "hall.toml"
        self.path.parent.mkdir()
        self.path.write_bytes(OLD)
        self.path.chmod(0o640)
        self.now = datetime(2026, 11, 29, 12, tzinfo=UTC)

    def shelf(self, kill_at: str | None = None) -> Shelf:
        def checkpoint(name: str) -> None:
            if name == kill_at:
                raise Killed

        self.now += timedelta(seconds=1)
        return Shelf(self.path, wall=lambda: self.now, checkpoint=checkpoint)

    @property
    def answer(self) -> FileAnswer | None:
        noted = self.shelf().noted()
        return noted.answer if noted is not None else None


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


def begun(card: Card) -> Trial:
    assert card.shelf().take("s1", OLD, NEW)
    trial = card.shelf().begin()
    assert trial is not None
    return trial


def test_a_new_file_is_tried_and_stays(card: Card) -> None:
    assert begun(card).id == "s1"
    card.shelf().settle()
    assert card.path.read_bytes() == NEW
    assert card.path.stat().st_mode & 0o777 == 0o640
    assert card.answer is not None
    assert (card.answer.id, card.answer.outcome) == ("s1", "taken")
    assert card.shelf().begin() is None
    assert card.path.read_bytes() == NEW
    (former,) = card.shelf().folder.glob("*Z-*.toml")
    assert former.read_bytes() == OLD


def test_a_process_that_never_ended_its_trial_is_followed_by_the_former_file(card: Card) -> None:
    begun(card)
    assert card.shelf().begin() is None
    assert card.path.read_bytes() == OLD
    assert card.answer is not None
    assert card.answer.outcome == "put-back"
    assert {kept.read_bytes() for kept in card.shelf().folder.glob("*Z-*.toml")} == {OLD, NEW}


def test_a_file_that_was_changed_by_hand_meanwhile_is_not_overwritten(card: Card) -> None:
    card.path.write_bytes(b"by hand\n")
    assert not card.shelf().take("s1", OLD, NEW)
    assert card.path.read_bytes() == b"by hand\n"
    assert card.shelf().trial() is None


def test_a_hand_that_comes_in_between_has_the_last_word(card: Card) -> None:
    begun(card)
    card.path.write_bytes(b"by hand\n")
    card.shelf().go_back("It did not come back.")
    assert card.path.read_bytes() == b"by hand\n"
    assert card.shelf().take("s2", b"by hand\n", NEW)
    card.path.write_bytes(b"by hand again\n")
    assert card.shelf().begin() is None
    assert card.path.read_bytes() == b"by hand again\n"
    assert card.answer is not None
    assert (card.answer.id, card.answer.outcome) == ("s2", "refused")


@pytest.mark.parametrize("step", ["former kept", "marked", "swapped"])
def test_killed_while_it_takes_one_the_room_has_one_file_or_the_other_whole(card: Card, step: str) -> None:
    with pytest.raises(Killed):
        card.shelf(step).take("s1", OLD, NEW)
    trial = card.shelf().begin()
    if step == "swapped":
        assert trial is not None
        assert card.path.read_bytes() == NEW
    else:
        # The settings are still at the broker, and come again.
        assert trial is None
        assert card.path.read_bytes() == OLD
        assert card.answer is None
        assert card.shelf().take("s1", OLD, NEW)
        assert card.shelf().begin() is not None
    card.shelf().settle()
    assert card.path.read_bytes() == NEW
    assert card.shelf().begin() is None


def test_killed_as_the_trial_begins_it_is_over(card: Card) -> None:
    assert card.shelf().take("s1", OLD, NEW)
    with pytest.raises(Killed):
        card.shelf("begun").begin()
    assert card.shelf().begin() is None
    assert card.path.read_bytes() == OLD


def test_killed_while_it_settles_the_new_file_stays(card: Card) -> None:
    begun(card)
    with pytest.raises(Killed):
        card.shelf("taken noted").settle()
    assert card.shelf().begin() is None
    assert card.path.read_bytes() == NEW
    assert card.answer is not None
    assert card.answer.outcome == "taken"


@pytest.mark.parametrize("step", ["put back noted", "put back"])
def test_killed_while_it_goes_back_the_next_start_ends_it(card: Card, step: str) -> None:
    begun(card)
    with pytest.raises(Killed):
        card.shelf(step).go_back("It did not come back.")
    assert card.shelf().begin() is None
    assert card.path.read_bytes() == OLD
    assert card.answer is not None
    assert (card.answer.id, card.answer.outcome) == ("s1", "put-back")
    assert card.shelf().trial() is None
    assert not list(card.path.parent.glob("*.new"))


def test_history_is_bounded_and_never_loses_what_a_trial_goes_back_to(card: Card) -> None:
    now = OLD
    for number in range(KEPT + 5):
        then = f"# {number}\n".encode()
        assert card.shelf().take(f"s{number}", now, then)
        assert card.shelf().begin() is not None
        card.shelf().settle()
        now = then
    assert len(list(card.shelf().folder.glob("*Z-*.toml"))) == KEPT
    assert card.shelf().take("last", now, NEW)
    assert card.shelf().begin() is not None
    card.shelf().go_back("It did not come back.")
    assert card.path.read_bytes() == now


def test_without_the_former_file_the_new_one_stays(card: Card) -> None:
    begun(card)
    for kept in card.shelf().folder.glob("*Z-*.toml"):
        kept.unlink()
    card.shelf().go_back("It did not come back.")
    assert card.path.read_bytes() == NEW
    assert card.answer is not None
    assert card.answer.outcome == "taken"
