"""By which line a machine became a room: the same one again does nothing, another one begins anew."""

from pathlib import Path

import pytest

from device_agents.joining import pair, room_file, steps
from device_agents.joining.board import Board
from device_agents.joining.hub import Broker, NewRoom
from shared.words.problem import HomeError

BOARD = Board(None, ("no pins",))


class Hub:
    """Notes with which key each token came, and gives what fits no key: the certificates are looked at elsewhere."""

    asked: list[tuple[str, str]]

    def __init__(self, place: str, anchor: Path) -> None:
        pass

    def join(self, *, token: str, room: str, csr: str) -> NewRoom:
        self.asked.append((token, csr))
        return NewRoom(room=room, certificate=csr, authority="authority", broker=Broker(host="hub", port=8883))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    def take(folder: Path, certificate: str, authority: str) -> None:
        pair.write(folder / pair.AUTHORITY, authority)
        pair.write(folder / pair.CERTIFICATE, certificate)

    Hub.asked = []
    monkeypatch.setattr(steps, "Hub", Hub)
    monkeypatch.setattr(pair, "take", take)
    return Hub.asked


def fetch(folder: Path, token: str) -> None:
    steps.fetch(steps.Wish(room="attic", place="hub:8443", anchor=folder, token=token), folder, lambda: BOARD)


def test_the_same_line_goes_on_with_its_key_and_another_begins_anew(
    tmp_path: Path, asked: list[tuple[str, str]]
) -> None:
    folder = tmp_path / "attic"
    fetch(folder, "one")
    (folder / pair.CERTIFICATE).unlink()
    fetch(folder, "one")
    fetch(folder, "one")
    assert [token for token, _ in asked] == ["one", "one"], "it has all by then"
    assert asked[0] == asked[1]
    fetch(folder, "two")
    assert asked[2][0] == "two"
    assert asked[2][1] != asked[1][1], "another key"
    assert (folder / pair.CERTIFICATE).read_text() == asked[2][1]


def test_a_line_that_is_pasted_twice_at_once_makes_one_key(tmp_path: Path) -> None:
    folder = tmp_path / "attic"
    with steps.alone("attic", folder):
        with pytest.raises(HomeError, match="by a line that was pasted before"), steps.alone("attic", folder):
            pass
        with steps.alone("cellar", tmp_path / "cellar"):
            pass
    with steps.alone("attic", folder):
        pass


def test_a_name_that_cannot_be_makes_no_folder(tmp_path: Path, asked: list[tuple[str, str]]) -> None:
    wish = steps.Wish(room="../attic", place="hub:8443", anchor=tmp_path, token="one")
    with pytest.raises(HomeError, match="no name of a room"):
        steps.fetch(wish, tmp_path / "attic", lambda: BOARD)
    assert (list(tmp_path.iterdir()), asked) == ([], [])


def test_only_the_very_line_by_which_it_is_the_room_has_nothing_left_to_do(tmp_path: Path) -> None:
    folder, home = tmp_path / "work" / "attic", tmp_path / "home"
    for name in ("agents/attic.toml", "pki/attic/room.crt", "pki/attic/room.key"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("")
    assert not steps.is_done("attic", folder, home, "one")
    folder.mkdir(parents=True)
    (folder / room_file.NAME).write_text("")
    steps.forget(folder, "one")
    assert steps.is_done("attic", folder, home, "one")
    assert not steps.is_done("attic", folder, home, "two")
    assert not steps.is_done("attic", folder, tmp_path / "emptied", "one")
    assert [path.name for path in folder.parent.iterdir()] == [".attic.joined"]
    assert b"one" not in (folder.parent / ".attic.joined").read_bytes()
    folder.mkdir()
    assert not steps.is_done("attic", folder, home, "one"), "a key lies there yet"
