"""`homesystem user` asks for a password only where nothing else stands in the way, and then keeps what was typed."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from deploy.folder.home import Home
from deploy.household import people, users
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.begun import whole_home

PASSWORD = "velvet otter seldom crosses 4"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A whole one that does not run, with a master user."""
    made = whole_home(tmp_path_factory.mktemp("home"))
    asyncio.run(
        people.add(
            made, email="ada@example.org", name="Ada", password=PASSWORD, role=Role.MASTER, may=[], language=None
        )
    )
    return made


@pytest.fixture
def asked(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was asked at a terminal; each is answered with the password."""
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return PASSWORD

    monkeypatch.setenv("HOMESYSTEM_VAR", str(home.var))
    monkeypatch.setattr("os.isatty", lambda _: True)
    monkeypatch.setattr("getpass.getpass", ask)
    with Path(os.devnull).open(encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        yield prompts


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"email": "grace"}, "invalid-value"),
        ({"email": "ADA@example.org"}, "already-exists"),
        ({"name": "ada"}, "reads alike"),
        ({"name": ""}, "invalid-value"),
        ({"language": "fr"}, "There are letters in"),
        ({"role": Role.GUEST, "may": ["hall/nope/lamp"]}, "write ROOM/DEVICE"),
        ({"role": Role.GUEST, "may": ["nowhere/lamp"]}, "not-found"),
        ({"may": ["hall/lamp"]}, "Grants are for guests|not-found"),
    ],
)
def test_what_is_wrong_is_said_before_a_password_is_asked(
    asked: list[str], wrong: dict[str, object], says: str
) -> None:
    right = {"email": "grace@example.org", "name": "Grace"}
    with pytest.raises(HomeError, match=says):
        users.user_add(**{**right, **wrong})  # type: ignore[arg-type]  # as typed by a person
    assert asked == []


def test_nobody_chooses_a_password_for_a_user_that_there_is_not(asked: list[str]) -> None:
    with pytest.raises(HomeError, match="user list"):
        users.user_reset("nobody@example.org")
    assert asked == []


def test_where_all_is_right_the_password_is_asked_twice_and_the_user_is_there(asked: list[str], home: Home) -> None:
    users.user_add("grace@example.org", name="Grace")
    users.user_reset("grace@example.org")
    assert asked == ["Password: ", "Again: "] * 2
    assert "grace@example.org" in {row.user.email for row in asyncio.run(people.rows(home))}


LONG = "grandmother.upstairs.of.the.house@mailbox.example.org"


@pytest.mark.parametrize("email", ["someone.else.upstairs@mail.example.org", LONG])
def test_an_address_stands_whole_in_the_list_however_narrow_the_terminal(
    asked: list[str], home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], email: str
) -> None:
    users.user_add(email, name=email.partition("@")[0])
    for width in (120, 80, 60):
        capsys.readouterr()
        monkeypatch.setattr(users, "console", Console(width=width, emoji=False))
        users.user_list()
        lines = [line.split("│")[1].strip() for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
        assert email in "".join(lines)
    assert asked
