"""What each part of a home in containers is given of it, and nothing else."""

from pathlib import Path

import pytest

from deploy.folder import home as homes
from deploy.folder import parts, turns
from deploy.folder.home import Home, Settings
from deploy.founding import checks
from shared.trust import authority
from shared.words.problem import HomeError


def made(var: Path) -> Home:
    for part in parts.KEYS:
        (var / "parts" / part).mkdir(parents=True)
    (var / "pki" / "former" / "old.lan").mkdir(parents=True)
    (var / "secrets").mkdir()
    keys = [stem for stems in parts.KEYS.values() for stem in stems]
    for stem in (*keys, "admin", "former/old.lan/web"):
        (var / "pki" / f"{stem}.key").write_text(f"key of {stem}")
        (var / "pki" / f"{stem}.crt").write_text(f"certificate of {stem}")
    (var / "pki" / "crl.pem").write_text("list")
    (var / "pki" / authority.PLAN).parent.mkdir()
    (var / "pki" / authority.PLAN).write_text("what follows")
    for name in (*homes.SECRETS, "smtp-password"):
        (var / "secrets" / name).write_text(name)
    return Home(var, Settings(name="hub.lan"))


def private(var: Path, part: str) -> set[str]:
    folder = parts.folder(var, part)
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in ("", ".key") and path.is_file()
    }


def test_a_part_gets_its_own_keys_and_secrets_and_every_certificate(tmp_path: Path) -> None:
    made(tmp_path)
    parts.hand_out(tmp_path)
    assert private(tmp_path, "broker") == {"pki/broker.key", "pki/broker-watch.key"}
    assert private(tmp_path, "gateway") == {
        "pki/gateway.key",
        "pki/web.key",
        "pki/former/old.lan/web.key",
        "secrets/cookie-key",
    }
    assert private(tmp_path, "auth") == {
        "pki/auth.key",
        "pki/auth-server.key",
        "secrets/password-pepper",
        "secrets/smtp-password",
    }
    assert private(tmp_path, "alerts") == {"pki/alerts.key", "pki/alerts-server.key", "secrets/smtp-password"}
    assert private(tmp_path, "readings") == {"pki/recorder.key", "pki/recorder-server.key"}
    for part in parts.KEYS:
        assert (parts.folder(tmp_path, part) / "pki" / "admin.crt").read_text() == "certificate of admin"
        assert (parts.folder(tmp_path, part) / "pki" / "crl.pem").read_text() == "list"
        assert (parts.folder(tmp_path, part) / "pki" / authority.PLAN).read_text() == "what follows"
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "parts").rglob("*.key")}
    assert modes == {0o600}


def test_what_changes_in_a_turn_is_handed_out_at_its_end_and_what_goes_is_taken_back(tmp_path: Path) -> None:
    made(tmp_path)
    with turns.turn(tmp_path, "a test"):
        (tmp_path / "pki" / "hall.crt").write_text("a room's")
    handed = tmp_path / "parts" / "broker" / "pki" / "hall.crt"
    assert handed.read_text() == "a room's"
    unchanged = (tmp_path / "parts/broker/pki/broker.key").stat().st_ino
    with turns.turn(tmp_path, "a test"):
        (tmp_path / "pki" / "hall.crt").unlink()
    assert not handed.exists()
    assert (tmp_path / "parts/broker/pki/broker.key").stat().st_ino == unchanged


def test_a_home_on_one_machine_has_no_parts(tmp_path: Path) -> None:
    home = Home(tmp_path, Settings(name="hub.lan"))
    parts.hand_out(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not home.apart
    assert home.config("auth") == tmp_path / "auth.toml"
    assert home.called("broker") == "127.0.0.1"
    assert "broker" not in home.hosts


def test_parts_call_one_another_by_name_and_listen_to_one_another(tmp_path: Path) -> None:
    from alert_service import config as alerts
    from auth_service import config as auth
    from gateway import config as gateway

    home = made(tmp_path)
    assert {"broker", "auth", "hub.lan", "127.0.0.1"} <= set(home.hosts)
    for service in homes.SERVICES:
        homes.render(home, service, home.config(service))
    of_auth, of_alerts = auth.read(home.config("auth")), alerts.read(home.config("alerts"))
    own = tmp_path / "parts" / "auth"
    assert home.config("auth") == own / "auth.toml"
    assert (of_auth.listen.host, of_auth.broker.host, of_auth.log) == ("::", "broker", None)
    assert of_auth.database == f"sqlite+aiosqlite:///{own}/data/auth.sqlite3"
    assert of_auth.listen.tls.key == own / "pki" / "auth-server.key"
    assert (of_alerts.auth.host, of_alerts.broker.host) == ("auth", "broker")
    web = gateway.load_config(home.config("gateway"))
    assert (web.auth.host, web.alerts.host, web.readings.host, web.broker.host) == (
        "auth",
        "alerts",
        "readings",
        "broker",
    )
    assert web.spool.parent == home.notes
    assert homes.own_certificate(home) is None


def test_a_server_of_databases_has_one_for_each(tmp_path: Path) -> None:
    address = "postgresql+asyncpg://homesystem@/{name}?host=/run/postgresql"
    home = Home(tmp_path, Settings(name="hub.lan", database=checks.database(address)))
    assert home.database("readings") == "postgresql+asyncpg://homesystem@/readings?host=/run/postgresql"


@pytest.mark.parametrize("address", ["postgresql+asyncpg://host/home", "mysql://host/{name}"])
def test_one_that_cannot_be_used_is_refused_with_what_would_be_right(address: str) -> None:
    with pytest.raises(HomeError, match="write"):
        checks.database(address)
