"""`homesystem authority`: what it says, and that nobody is cut off who was not named."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.__main__ import app
from deploy.enrolling import enrol
from deploy.folder.home import Home
from deploy.pki import reading
from shared.words.problem import HomeError
from tests.begun import begin_accounts, home_that_never_ran


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = home_that_never_ran(tmp_path / "home", monkeypatch)
    begin_accounts(made)
    asyncio.run(enrol.add_room(made, "attic", tmp_path / "attic"))
    asyncio.run(enrol.add_client(made, "phone", [("attic", "lamp")], tmp_path / "phone"))
    return made


def said(*words: str) -> str:
    done = CliRunner().invoke(app, ["authority", *words])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def believed(home: Home) -> int:
    return len(reading.certificates(home.pki / "device-ca.crt"))


def test_alone_it_prints_what_browsers_import(home: Home) -> None:
    assert said() == (home.pki / "web-ca.crt").read_text()


def test_without_a_rotation_the_ends_are_listed(home: Home) -> None:
    told = said("list")
    assert "no other follows it" in told
    assert "Web authority: until" in told
    with pytest.raises(HomeError, match="there is nothing to end"):
        said("rotate", "--finish")


def test_whoever_is_behind_is_listed_with_what_to_do_and_cut_off_by_name_alone(home: Home, tmp_path: Path) -> None:
    told = said("rotate")
    assert "Another device authority signs from now on." in told
    for line in ("Room attic has not been heard of", "or: homesystem room renew attic"):
        assert line in told
        assert line in said("list")
    assert "Client phone is given another certificate by hand" in told
    assert "signs already" in said("rotate")
    assert believed(home) == 2

    for named in ((), ("--without", "attic"), ("--without", "phone"), ("--without", "hall")):
        with pytest.raises(HomeError, match=r"would be cut off.*--finish --without attic --without phone"):
            said("rotate", "--finish", *named)
    assert believed(home) == 2

    asyncio.run(enrol.renew(home, "phone", "client", tmp_path / "phone-2"))
    assert "phone" not in said("list")
    told = said("rotate", "--finish", "--without", "attic")
    assert "its key is destroyed" in told
    assert "Room attic is cut off; under its name it comes back by: homesystem room renew attic" in told
    assert believed(home) == 1
    assert "no other follows it" in said("list")


def test_the_daily_renewal_ends_it_once_everybody_has_followed(home: Home, tmp_path: Path) -> None:
    def renew() -> str:
        done = CliRunner().invoke(app, ["renew"])
        assert done.exception is None
        return done.stdout

    assert "has ended" not in renew()
    said("rotate")
    asyncio.run(enrol.renew(home, "phone", "client", tmp_path / "phone-2"))
    assert "has ended" not in renew()
    assert believed(home) == 2
    asyncio.run(enrol.renew(home, "attic", "room", tmp_path / "attic-2"))
    assert "Everybody has followed: the former device authority has ended" in renew()
    assert believed(home) == 1
    assert "has ended" not in renew()
