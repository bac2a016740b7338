"""A backup is settled before it lies in its place, by what the home that is there knows, or by whom one names."""

import asyncio
import datetime as dt
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from auth_service import config as auth_config
from auth_service.hub.restored import read
from deploy.archives import backup, present, revocations
from deploy.folder import home as homes
from deploy.folder import parts as apart
from deploy.folder.home import Home
from deploy.pki.authorities import Authorities
from deploy.pki.leaf import DEVICE_CA
from deploy.running import demo
from deploy.safekeeping import keeping, restore, settling
from deploy.safekeeping.settling import Settled
from shared.keeping.database import file_of
from shared.words.problem import HomeError

NOW = dt.datetime.now(dt.UTC)
ROOMS = ["garage", "hall", "kitchen"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home of three rooms, and its backup."""
    folder = tmp_path_factory.mktemp("settling")
    asyncio.run(demo.create(folder / "home"))
    backup.write(folder / "home", folder / "b.tar.gz", NOW)
    restored(folder, none)
    shutil.copytree(folder / "home", folder / "brought", symlinks=True)
    return folder


@pytest.fixture
def home(made: Path) -> Home:
    """That home, as it was brought back before anything happened to it."""
    shutil.rmtree(made / "home")
    shutil.copytree(made / "brought", made / "home", symlinks=True)
    return homes.find(made / "home")


def none(_standing: Collection[str]) -> Collection[str]:
    return ()


def restored(folder: Path, ask: settling.Ask, *, look: bool = False, archive: Path | None = None) -> Settled:
    """The backup is brought back over what is there, which is looked at or not."""
    var = folder / "home"

    def settle(work: dict[str, Path], label: backup.Label) -> Settled:
        return settling.settle(work, var, label, present.look(var, NOW) if look else None, ask, NOW)

    put_aside, said = restore.put_back(archive or folder / "b.tar.gz", var, NOW, settle)
    for aside in put_aside:
        shutil.rmtree(aside)
    return said


def refused(folder: Path) -> set[str]:
    """Of the rooms, those on the revocation list and without rights; both, or neither."""
    var = folder / "home"
    listed = {one.serial_number for one in x509.load_pem_x509_crl((var / "pki" / "crl.pem").read_bytes())}
    document = msgspec.json.decode((var / "mosquitto" / "dynamic-security.json").read_bytes())
    found = set()
    for room in ROOMS:
        certificate = x509.load_pem_x509_certificate((var / "pki" / f"{room}.crt").read_bytes())
        (client,) = [one for one in document["clients"] if one["username"] == room]
        is_out = not client["roles"] and bool(client.get("disabled"))
        assert is_out == (certificate.serial_number in listed), room
        found |= {room} if is_out else set()
    return found


def test_who_is_named_is_on_the_list_and_has_no_rights(made: Path, home: Home) -> None:
    asked: list[Collection[str]] = []

    def ask(standing: Collection[str]) -> Collection[str]:
        asked.append(standing)
        return ["kitchen"]

    assert restored(made, ask) == Settled(("kitchen",), locked_down=False)
    assert (asked, refused(made)) == ([ROOMS], {"kitchen"})


def test_the_home_that_is_there_knows_who_was_revoked_and_nobody_is_asked(made: Path, home: Home) -> None:
    home.authority().revoke("garage")

    def ask(standing: Collection[str]) -> Collection[str]:
        assert not standing
        return ["hall"]  # and somebody names one more

    assert restored(made, ask, look=True).revoked == ("garage", "hall")
    assert refused(made) == {"garage", "hall"}
    assert restored(made, none, look=True).revoked == ("garage", "hall"), "also by the next one"


def test_another_home_in_its_place_knows_nothing_of_it(made: Path, home: Home, tmp_path: Path) -> None:
    asyncio.run(demo.create(tmp_path / "home"))
    for name in (f"{DEVICE_CA}.crt", f"{DEVICE_CA}.key", "issued.json"):
        shutil.copy(tmp_path / "home" / "signer" / "vault" / name, home.vault / name)
    home.authority().revoke("hall")
    assert restored(made, lambda standing: [name for name in standing if name == "kitchen"], look=True).revoked == (
        "kitchen",
    )
    assert refused(made) == {"kitchen"}


def test_what_two_within_one_second_put_aside_lies_side_by_side(made: Path, home: Home) -> None:
    asides = [restore.put_back(made / "b.tar.gz", made / "home", NOW, lambda *_: None)[0] for _ in range(3)]
    assert len({path for (path,) in asides}) == 3
    for (path,) in asides:
        assert (path / "home.toml").exists()
        shutil.rmtree(path)


def test_an_index_that_cannot_be_read_is_none(made: Path, home: Home) -> None:
    (home.vault / "issued.json").write_text("torn")
    assert present.look(made / "home", NOW) is None
    with pytest.raises(
        HomeError, match=r"Who was revoked cannot be read: \S*/issued\.json: cannot be read .* from a backup"
    ):
        revocations.gather(made / "home", NOW)
    (home.vault / "issued.json").unlink()
    assert present.look(made / "home", NOW) is None
    (home.vault / f"{DEVICE_CA}.crt").unlink()
    (made / "home" / "pki" / f"{DEVICE_CA}.crt").unlink()
    with pytest.raises(HomeError, match=rf"{DEVICE_CA}\.crt: No such file"):
        revocations.gather(made / "home", NOW)


def test_accounts_that_do_not_answer_are_given_up_by_who_asks_them(made: Path, home: Home) -> None:
    """Root of a backup's unit may not end another user's process."""
    path = apart.config(made / "home", "auth")
    path.unlink()
    os.mkfifo(path)
    look = "import sys; from deploy.archives import present; present.ASKED_SECONDS = 1; sys.exit(present.main())"
    assert subprocess.run([sys.executable, "-c", look, made / "home"], check=False).returncode == -signal.SIGALRM


def test_accounts_that_cannot_be_read_leave_what_the_index_tells(made: Path, home: Home) -> None:
    home.authority().revoke("kitchen")
    (made / "home" / "data" / "auth.sqlite3").write_bytes(b"torn")
    assert restored(made, none, look=True).revoked == ("kitchen",)


def test_a_name_that_the_backup_does_not_know_may_be_a_typing_error_and_is_told(
    made: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    said = restored(made, lambda _standing: ["cellar", "hall"])
    assert (said.revoked, said.unknown) == (("cellar", "hall"), ("cellar",))
    keeping._tell(said)
    assert "The backup knows no cellar: no harm where that was enrolled since." in capsys.readouterr().out
    keeping._tell(Settled(("hall",), locked_down=False))
    assert "knows no" not in capsys.readouterr().out


def test_a_name_that_was_given_out_since_is_never_given_out_again(made: Path, home: Home) -> None:
    assert restored(made, lambda _standing: ["cellar"]).revoked == ("cellar",)
    authorities = Authorities(home.vault, demo=True, now=NOW)
    assert [line.name for line in authorities.issued() if line.gone] == ["cellar"]
    rows, _ = asyncio.run(read(f"sqlite+aiosqlite:///{home.var}/data/auth.sqlite3"))
    assert [row.name for row in rows if row.revoked_at is not None] == ["cellar"]
    document = msgspec.json.decode((home.mosquitto / "dynamic-security.json").read_bytes())
    assert [one["disabled"] for one in document["clients"] if one["username"] == "cellar"] == [True]


@pytest.mark.parametrize("name", ["gateway", "Kitchen", "../etc", ""])
def test_what_is_no_name_of_a_room_is_no_answer_and_nothing_is_changed(made: Path, home: Home, name: str) -> None:
    (made / "home" / "mark").write_text("of now")
    with pytest.raises(HomeError, match="no name of a room"):
        restored(made, lambda _standing: [name])
    assert (made / "home" / "mark").exists()
    assert [path.name for path in made.iterdir() if path.name.startswith(".")] == []


def test_a_home_whose_accounts_are_torn_comes_back_locked_down(made: Path, home: Home) -> None:
    """As `repair` does it: they may have been torn by whoever it was locked down for."""
    (made / "home" / "data" / "auth.sqlite3").write_bytes(b"torn")
    assert restored(made, none, look=True).locked_down
    assert asyncio.run(read(f"sqlite+aiosqlite:///{home.var}/data/auth.sqlite3"))[1]
    assert restored(made, none, look=True).locked_down, "and stays so by the next one"
    assert not restored(made, none).locked_down, "where nobody knows of one there is none"


def test_keys_that_lie_where_older_versions_had_them_come_back_and_are_heeded(
    made: Path, home: Home, tmp_path: Path
) -> None:
    home.vault.rename(home.pki / "ca")
    for name in ("device-ca.crt", "web-ca.crt"):  # beside the others alone, as they were
        (home.pki / "ca" / name).unlink()
    backup.write(home.var, tmp_path / "b.tar.gz", NOW)
    Authorities(home.pki / "ca", demo=True, now=NOW).revoke("hall")
    said = restored(made, none, look=True, archive=tmp_path / "b.tar.gz")
    assert (said.revoked, refused(made)) == (("hall",), {"hall"})


def test_accounts_on_a_server_are_left_alone(made: Path, home: Home, tmp_path: Path) -> None:
    config = home.config("auth")
    url = 'database = "postgresql+asyncpg://nobody@127.0.0.1:1/none"'
    config.write_text(re.sub(r'(?m)^database = ".*"', url, config.read_text()))
    backup.write(home.var, tmp_path / "b.tar.gz", NOW)
    asked: list[Collection[str]] = []

    def ask(standing: Collection[str]) -> Collection[str]:
        asked.append(standing)
        return ["kitchen"]

    said = restored(made, ask, archive=tmp_path / "b.tar.gz")
    assert (asked, said) == ([ROOMS], Settled(("kitchen",), locked_down=False, elsewhere=True))
    assert refused(made) == {"kitchen"}


@pytest.mark.parametrize("name", ["spool", "database", "pepper_file"])
@pytest.mark.parametrize("elsewhere", ["{outside}", "{home}/data/../../outside"])
def test_a_configuration_that_names_files_elsewhere_is_not_followed(
    made: Path, home: Home, tmp_path: Path, name: str, elsewhere: str
) -> None:
    outside = made / "outside"
    outside.write_text("not the home's")
    named = elsewhere.format(outside=outside, home=home.var)
    config = home.config("auth")
    kept, prefix = config.read_text(), "sqlite+aiosqlite:///" if name == "database" else ""
    changed = re.sub(rf'(?m)^{name} = ".*"', f'{name} = "{prefix}{named}"', kept)
    assert changed != kept
    config.write_text(changed)
    backup.write(home.var, tmp_path / "b.tar.gz", NOW)

    with pytest.raises(HomeError, match="no file of the home"):
        restored(made, none, archive=tmp_path / "b.tar.gz")
    assert outside.read_text() == "not the home's"


def test_a_backup_from_before_services_had_users_is_taken_apart_on_a_hub_where_they_have(made: Path) -> None:
    var = made / "home"
    (var / "services").mkdir()
    try:
        restored(made, none)
        home = homes.find(var)
        place = var / "services" / "auth"
        assert home.config("auth") == place / "auth.toml"
        assert file_of(auth_config.read(home.config("auth")).database) == place / "data" / "auth.sqlite3"
        assert (place / "pki" / "auth.key").read_bytes() == (var / "pki" / "auth.key").read_bytes()
        assert not (var / "auth.toml").exists()
    finally:
        shutil.rmtree(var)
        restored(made, none)
