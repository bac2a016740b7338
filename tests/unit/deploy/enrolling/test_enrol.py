"""What an enrolment writes: into a folder of its own, and never over what lies there."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.allowing import orders
from deploy.enrolling import enrol
from deploy.examining import check_enrolments
from deploy.folder import home as homes
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from shared.words.names import is_reserved
from shared.words.problem import HomeError
from tests.begun import whole_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A whole one that does not run."""
    return whole_home(tmp_path_factory.mktemp("home"))


def add(home: Home, name: str, out: Path) -> None:
    asyncio.run(enrol.add_client(home, name, [], out))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("file", ["ca.crt", "client.crt", "client.key"])
def test_what_lies_in_the_folder_is_not_written_over_and_its_mode_stays(home: Home, tmp_path: Path, file: str) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / file).write_text("of another system")
    with pytest.raises(HomeError, match=rf"already-exists.*holds {file}, which would be lost"):
        add(home, "tablet", tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(file, "of another system")]
    assert mode(tmp_path) == 0o755


def test_a_rooms_file_that_was_edited_is_not_written_over(home: Home, tmp_path: Path) -> None:
    (tmp_path / "room.toml").write_text("# mine")
    with pytest.raises(HomeError, match=r"holds room\.toml"):
        asyncio.run(enrol.add_room(home, "attic", tmp_path))
    assert (tmp_path / "room.toml").read_text() == "# mine"


def test_a_folder_that_is_there_keeps_its_mode_and_a_new_one_is_ours_alone(home: Home, tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    (tmp_path / "notes").write_text("mine")
    (tmp_path / "ca.crt").write_bytes((home.pki / "device-ca.crt").read_bytes())
    add(home, "wall-1", tmp_path)
    assert (mode(tmp_path), mode(tmp_path / "client.key")) == (0o750, 0o600)
    assert (tmp_path / "notes").read_text() == "mine"
    add(home, "wall-2", tmp_path / "new")
    assert mode(tmp_path / "new") == 0o700


def test_a_file_in_the_place_of_a_folder_is_named(home: Home, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(HomeError, match=r"invalid-value.*cannot be written"):
        add(home, "wall-3", tmp_path / "out")


def test_every_file_of_the_hubs_has_a_name_that_is_kept_for_it(home: Home) -> None:
    stems = {path.stem for path in home.pki.iterdir() if path.suffix}
    assert {"web", "web-ca", "device-ca", "crl", "broker", "auth-server", "gateway", "admin"} <= stems
    assert {stem for stem in stems if not is_reserved(stem)} <= enrolled(home)


def test_a_room_that_an_older_version_let_be_called_web_loses_no_file_of_the_hubs_and_is_named(home: Home) -> None:
    add_as_an_older_version(home, "web")
    (home.var / "agents").mkdir(exist_ok=True)
    (home.var / "agents" / "web.toml").write_text("# its own file")
    before = (home.pki / "web.crt").read_bytes()
    homes.renew(home)
    assert (home.pki / "web.crt").read_bytes() == before
    found = [one for one in check_enrolments.enrolments(home) if one.fine is False and "room web" in one.text]
    assert any("like something of the hub's own" in one.text for one in found)
    assert any("`homesystem room revoke web`, then `room add` under another name" in one.step for one in found)
    asyncio.run(enrol.revoke(home, "web", "room"))
    assert (home.pki / "web.crt").read_bytes() == before
    assert not [one for one in check_enrolments.enrolments(home) if one.fine is False and "room web" in one.text]


def enrolled(home: Home) -> set[str]:
    return {row.name for role in ("room", "client") for row in asyncio.run(enrol.identities(home, role))}


def add_as_an_older_version(home: Home, name: str) -> None:
    async def write() -> None:
        async with accounts.opened(auth_config.read(home.config("auth"))) as book:
            from datetime import UTC, datetime

            from auth_service.tables import identities, rooms

            async with book._store.write() as connection:
                values = {"name": name, "role": "room", "enrolled_at": datetime.now(UTC)}
                await connection.execute(identities.insert().values(**values))
                await connection.execute(rooms.insert().values(id=name, name=name))

    asyncio.run(write())


def test_who_was_never_given_rights_is_not_renewed_but_added_to_its_end(home: Home, tmp_path: Path) -> None:
    """Another certificate for it would connect and do nothing, and nothing would say why."""
    add(home, "wall-4", tmp_path / "first")
    before = brokers.read(home)
    lost = [client for client in before["clients"] if client["username"] != "wall-4"]
    write_rights(home, before | {"clients": lost})
    for renewal in (
        enrol.check_standing(home, "wall-4", "client"),
        enrol.renew(home, "wall-4", "client", tmp_path / "second"),
    ):
        with pytest.raises(HomeError, match=r"invalid-value.*homesystem client add wall-4, --may"):
            asyncio.run(renewal)
    add(home, "wall-4", tmp_path / "third")
    asyncio.run(enrol.renew(home, "wall-4", "client", tmp_path / "fourth"))


def test_who_was_being_dropped_when_that_was_interrupted_has_its_name_and_rights(home: Home, tmp_path: Path) -> None:
    add(home, "wall-5", tmp_path / "first")
    before = brokers.read(home)
    write_rights(home, orders.applied(before, orders.disable(orders.written(before, "wall-5"))))
    (told,) = [one for one in check_enrolments.enrolments(home) if one.fine is False and "wall-5" in one.text]
    assert "that was interrupted" in told.text
    assert told.step == "`homesystem client renew wall-5` again"
    with pytest.raises(HomeError, match=r"already-exists.*is in use"):
        add(home, "wall-5", tmp_path / "second")
    asyncio.run(enrol.check_standing(home, "wall-5", "client"))


def test_a_full_disk_keeps_nobody_connected_who_is_revoked(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(home, "wall-6", tmp_path / "first")

    async def unwritten(*_: object) -> None:
        raise HomeError("no-proof", "the spool cannot be written: its disk is full: free space there")

    with monkeypatch.context() as patched:
        patched.setattr(accounts.Accounts, "revoke_identity", unwritten)
        with pytest.raises(HomeError, match=r"NOT REVOKED YET.*its disk is full.*client revoke wall-6` again") as told:
            asyncio.run(enrol.revoke(home, "wall-6", "client"))
    assert told.value.slug == "no-proof"
    assert orders.written(brokers.read(home), "wall-6").out
    serial = x509.load_pem_x509_certificate((tmp_path / "first" / "client.crt").read_bytes()).serial_number
    listed = x509.load_pem_x509_crl((home.pki / "crl.pem").read_bytes())
    assert listed.get_revoked_certificate_by_serial_number(serial) is not None
    asyncio.run(enrol.revoke(home, "wall-6", "client"))
    (row,) = [row for row in asyncio.run(enrol.identities(home, "client")) if row.name == "wall-6"]
    assert row.revoked_at is not None


def write_rights(home: Home, document: dict[str, Any]) -> None:
    (home.mosquitto / "dynamic-security.json").write_text(json.dumps(document))
