"""The doctor holds what lies here against the home's own revocation list, and says what brings each back."""

import asyncio
import datetime as dt
import shutil
from pathlib import Path

import pytest

from deploy.enrolling import enrol
from deploy.examining import check_files
from deploy.examining.finding import Finding
from deploy.folder import home as homes
from deploy.folder.home import Home
from tests.begun import begin_accounts, home_that_never_ran


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Its room `hall` runs on the same machine."""
    made = home_that_never_ran(tmp_path / "home", monkeypatch)
    begin_accounts(made)
    asyncio.run(enrol.add_room(made, "hall", None))
    return made


def told(home: Home) -> dict[str, Finding]:
    """By file."""
    found = check_files.certificates(home, dt.datetime.now(dt.UTC))
    return {one.text.split()[0].removesuffix(","): one for one in found}


def put(made: Path, home: Home) -> None:
    for suffix in ("crt", "key"):
        shutil.copy(made / f"room.{suffix}", home.pki / f"hall.{suffix}")


def test_a_room_that_was_renewed_elsewhere_is_named_with_what_brings_it_back(home: Home, tmp_path: Path) -> None:
    assert told(home)["hall.crt"].fine
    asyncio.run(enrol.renew(home, "hall", "room", tmp_path / "again"))
    found = told(home)
    assert [name for name, one in found.items() if not one.fine] == ["hall.crt"]
    assert found["hall.crt"].text == "hall.crt was revoked: nobody lets room hall in by it"
    assert found["hall.crt"].step.startswith("`homesystem room renew hall --out FOLDER`, then put its room.crt")
    assert f"{home.pki}/hall.crt and hall.key" in found["hall.crt"].step
    assert homes.renew(home) == [], "it may live on another machine by now, where it would lose its place to this one"
    put(tmp_path / "again", home)
    assert told(home)["hall.crt"].fine


def test_a_room_that_was_revoked_for_good_is_as_it_should_be(home: Home) -> None:
    asyncio.run(enrol.revoke(home, "hall", "room"))
    found = told(home)["hall.crt"]
    assert found.fine
    assert "for good" in found.text


def test_a_client_and_a_room_with_a_folder_of_its_own_are_held_against_the_list_as_well(
    home: Home, tmp_path: Path
) -> None:
    asyncio.run(enrol.add_room(home, "attic", home.pki / "attic"))
    authority = home.authority()
    authority.ensure_client("phone", "client")
    assert not [one for one in told(home).values() if not one.fine]
    asyncio.run(enrol.renew(home, "attic", "room", tmp_path / "again"))
    authority.retire("phone")
    found = {name: one.step for name, one in told(home).items() if not one.fine}
    assert found.keys() == {"attic/room.crt", "phone.crt"}
    assert "room renew attic" in found["attic/room.crt"]
    assert found["phone.crt"].startswith("`homesystem client renew phone --out FOLDER`, then put its client.crt")


@pytest.mark.parametrize(("name", "files"), [("auth", {"auth.crt", "auth-server.crt"}), ("broker", {"broker.crt"})])
def test_a_service_of_the_hub_gets_another_by_the_step_that_is_named(home: Home, name: str, files: set[str]) -> None:
    home.authority().revoke(name)
    found = {file: one.step for file, one in told(home).items() if not one.fine}
    assert found == dict.fromkeys(files, "`homesystem renew`")
    assert {f"{made}.crt" for made in homes.renew(home)} == files
    assert not [one for one in told(home).values() if not one.fine]
    assert homes.renew(home) == []


def test_a_list_that_cannot_be_read_is_told_once(home: Home) -> None:
    (home.pki / "crl.pem").write_text("nonsense")
    assert [name for name, one in told(home).items() if not one.fine] == [f"{home.pki}/crl.pem:"]
