"""A home whose services had one user gets a folder for each, whatever interrupts that."""

import contextlib
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from alert_service import config as alerts
from alert_service.readings import config as readings
from auth_service import config as auth
from deploy.folder import home as homes
from deploy.folder import parting, parts
from deploy.folder.home import Home, Settings
from gateway import config as gateway
from shared.keeping.database import file_of
from shared.running.config import ConfigError
from tests import killed

KEYS = [stem for stems in parts.KEYS.values() for stem in stems]
DATABASES = ("auth", "auth-spool", "alerts", "readings", "gateway-spool", "hall-ledger")


def old(var: Path) -> Home:
    """As a version before this one left it, edited by its owner, with a room of the hub's own."""
    home = Home(var, Settings(name="hub.lan"))
    for name in ("pki", "secrets", "data", "mosquitto", "log", "agents"):
        (var / name).mkdir(parents=True)
    (var / "home.toml").write_text('name = "hub.lan"\n')
    for stem in (*KEYS, "admin"):
        (var / "pki" / f"{stem}.key").write_text(f"key of {stem}")
        (var / "pki" / f"{stem}.crt").write_text(f"certificate of {stem}")
    for name in (*homes.SECRETS, "smtp-password", "phone-url"):
        (var / "secrets" / name).write_text(f"{name}\n")
        (var / "secrets" / name).chmod(0o600)
    for service in homes.SERVICES:
        homes.render(home, service, var / f"{service}.toml")
        for log in (f"{service}.log", f"{service}-security.log", f"{service}-security.log.2026-01-02"):
            (var / "log" / log).write_text(log)
    with (var / "alerts.toml").open("a") as file:  # which names phone-url, as an example
        file.write("\n# the owner's own line\n")
    (var / "log" / "agent-hall.log").write_text("a room's")
    for name in DATABASES:
        with contextlib.closing(sqlite3.connect(var / "data" / f"{name}.sqlite3")) as database:
            database.execute("CREATE TABLE one (name TEXT)")
            database.execute("INSERT INTO one VALUES (?)", (name,))
            database.commit()
    (var / "data" / "auth.sqlite3-wal").write_bytes(b"what a crash left")
    (var / "data" / "alerts.sqlite3.torn-20260101T000000Z").write_bytes(b"torn")
    (var / "data" / "doctor.json").write_text("{}")
    for name in ("dynamic-security.json", "mosquitto.db", "mosquitto.pid"):
        (var / "mosquitto" / name).write_text(name)
    (var / "data" / "gateway-templates").mkdir()
    (var / "data" / "gateway-templates" / "compiled").write_text("made anew")
    (var / "packages").mkdir()
    (var / "packages" / "one.deb").write_text("a package")
    (var / "mosquitto.conf").write_text("of the older version")
    (var / "agents" / "hall.toml").write_text("a room")
    return home


def tree(var: Path) -> dict[str, bytes]:
    return {str(path.relative_to(var)): path.read_bytes() for path in sorted(var.rglob("*")) if path.is_file()}


def said(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as database:
        return str(database.execute("SELECT name FROM one").fetchone()[0])


def test_every_service_finds_in_its_folder_what_it_had_and_nothing_of_the_others(tmp_path: Path) -> None:
    home = old(tmp_path)
    assert parting.part(tmp_path)
    place = tmp_path / "services"
    of_auth, of_alerts = auth.read(home.config("auth")), alerts.read(home.config("alerts"))
    of_readings, web = readings.read(home.config("readings")), gateway.load_config(home.config("gateway"))
    found = {file_of(one.database) for one in (of_auth, of_alerts, of_readings)} | {of_auth.spool, web.spool}
    names = ("auth/data/auth", "alerts/data/alerts", "readings/data/readings", "auth/data/auth-spool")
    assert found == {place / f"{name}.sqlite3" for name in (*names, "gateway/data/gateway-spool")}
    assert [said(place / f"{name}.sqlite3") for name in names] == ["auth", "alerts", "readings", "auth-spool"]
    assert (place / "auth/data/auth.sqlite3-wal").read_bytes() == b"what a crash left"
    assert (place / "alerts/data/alerts.sqlite3.torn-20260101T000000Z").exists()
    assert (place / "gateway/data/doctor.json").exists()
    assert (place / "gateway/packages/one.deb").exists()
    assert (place / "alerts/secrets/phone-url").read_text() == "phone-url\n"
    assert of_auth.log == tmp_path / "log" / "auth"
    assert of_auth.listen.tls.key == place / "auth/pki/auth-server.key"
    assert str(place / "gateway/secrets/cookie-key") in home.config("gateway").read_text()
    assert "# the owner's own line" in home.config("alerts").read_text()
    assert (place / "broker/mosquitto/dynamic-security.json").exists()
    private = {path.name: path.parts[len(place.parts)] for path in place.rglob("*.key")}
    assert private == {f"{stem}.key": part for part, stems in parts.KEYS.items() for stem in stems}


def test_what_lay_before_is_gone_and_what_is_the_hubs_or_a_rooms_stays(tmp_path: Path) -> None:
    old(tmp_path)
    parting.part(tmp_path)
    left = {path for path in tree(tmp_path) if not path.startswith(("services/", "pki/", "log/"))}
    assert left == {
        "home.toml",
        "agents/hall.toml",
        "data/hall-ledger.sqlite3",
        *(f"secrets/{name}" for name in (*homes.SECRETS, "smtp-password")),
    }
    logs = sorted(path.name for path in (tmp_path / "log").iterdir() if path.is_file() and not path.is_symlink())
    assert logs == ["agent-hall.log"]
    assert (tmp_path / "log" / "auth-security.log").read_text() == "auth-security.log", "fail2ban reads on"
    assert (tmp_path / "log" / "auth" / "auth-security.log.2026-01-02").exists()


def test_done_once_more_it_changes_nothing(tmp_path: Path) -> None:
    old(tmp_path)
    parting.part(tmp_path)
    before = tree(tmp_path)
    assert not parting.part(tmp_path)
    assert tree(tmp_path) == before
    assert not parting.is_due(tmp_path)


def test_killed_before_one_of_its_writes_the_next_try_comes_to_the_same_end(tmp_path: Path) -> None:
    old(tmp_path / "old")
    text = {path: path.read_text() for path in (tmp_path / "old").glob("*.toml")}
    var = tmp_path / "home"

    def begin() -> None:
        shutil.rmtree(var, ignore_errors=True)
        shutil.copytree(tmp_path / "old", var)
        for path, content in text.items():
            (var / path.name).write_text(content.replace(str(tmp_path / "old"), str(var)))

    begin()
    code, writes = killed.at_write(lambda: parting.part(var), var, 0)
    assert (code, writes > 50) == (0, True)
    wanted = tree(var)
    for die_at in killed.moments(writes, 16):
        begin()
        assert killed.at_write(lambda: parting.part(var), var, die_at)[0] == -9
        if parting.is_due(var):  # what ran before would run still, with all that it had
            assert all((var / "data" / f"{name}.sqlite3").exists() for name in DATABASES), die_at
            assert all((var / f"{service}.toml").exists() for service in homes.SERVICES), die_at
        parting.part(var)
        assert tree(var) == wanted, die_at


def test_a_backup_is_taken_apart_where_it_lies_for_where_it_will_lie(tmp_path: Path) -> None:
    old(tmp_path / "home")
    (tmp_path / "home").rename(tmp_path / "work")
    assert parting.part(tmp_path / "home", tmp_path / "work")
    text = (tmp_path / "work/services/auth/auth.toml").read_text()
    assert f"{tmp_path}/home/services/auth/data/auth.sqlite3" in text
    assert f"{tmp_path}/work" not in text
    assert said(tmp_path / "work/services/auth/data/auth.sqlite3") == "auth"


def test_folders_that_root_made_for_a_home_to_come_are_no_hindrance(tmp_path: Path) -> None:
    old(tmp_path)
    for part in parts.KEYS:
        (tmp_path / "services" / part / parts.state(part)).mkdir(parents=True)
    assert parting.is_due(tmp_path)
    assert parting.part(tmp_path)


def test_a_home_in_containers_and_a_folder_without_one_stay_as_they_are(tmp_path: Path) -> None:
    assert not parting.part(tmp_path)
    old(tmp_path / "home")
    (tmp_path / "home" / "parts").mkdir()
    before = tree(tmp_path)
    assert not parting.part(tmp_path / "home")
    assert tree(tmp_path) == before


def test_a_configuration_that_cannot_be_read_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    old(tmp_path)
    (tmp_path / "gateway.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"gateway\.toml"):
        parting.part(tmp_path)
    assert parting.is_due(tmp_path)
    assert said(tmp_path / "data" / "auth.sqlite3") == "auth"


def test_databases_on_a_disk_of_their_own_are_named_and_nothing_is_changed(tmp_path: Path) -> None:
    """Copied, they would leave the disk that somebody gave them, and maybe fill the other."""
    old(tmp_path / "home")
    data = tmp_path / "home" / "data"
    data.rename(tmp_path / "elsewhere")
    data.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(data)], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        shutil.copytree(tmp_path / "elsewhere", data, dirs_exist_ok=True)
        with pytest.raises(ConfigError, match=r"home/data lies on another disk.*one disk.*install"):
            parting.part(tmp_path / "home")
        assert parting.is_due(tmp_path / "home")
        assert said(data / "auth.sqlite3") == "auth"
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)
