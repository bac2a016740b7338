"""A home's folder: what is made, what is kept, and what is said when it cannot be used."""

import configparser
import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from deploy.folder import home as homes
from deploy.running import up
from gateway.config import LimitsConfig
from shared.running.config import ConfigError


def make(var: Path) -> homes.Home:
    home = homes.create(var, homes.Settings(demo=True))
    homes.seal(home)
    return home


def test_a_second_start_changes_neither_secrets_nor_certificates_nor_settings(tmp_path: Path) -> None:
    home = make(tmp_path)
    (tmp_path / "gateway.toml").write_text("# edited\n")
    kept = [
        "secrets/cookie-key",
        "pki/gateway.crt",
        "pki/web-ca.crt",
        "mosquitto/dynamic-security.json",
        "gateway.toml",
    ]
    before = [(tmp_path / name).read_bytes() for name in kept]
    homes.lay_out(homes.find(tmp_path))
    assert [(tmp_path / name).read_bytes() for name in kept] == before
    assert home.settings == homes.find(tmp_path).settings


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    make(tmp_path)
    for name in homes.SECRETS:
        assert stat.S_IMODE((tmp_path / "secrets" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_where_there_is_no_home_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="homesystem init"):
        homes.find(tmp_path)


def test_a_second_home_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(ConfigError, match="a home here already"):
        make(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a folder away")
def test_another_users_home_is_not_touched(tmp_path: Path) -> None:
    make(tmp_path)
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(ConfigError, match="belongs to another user"):
        homes.find(tmp_path)


def test_ports_move_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path)
    monkeypatch.setenv("HOMESYSTEM_MQTT_PORT", "18883")
    assert homes.find(tmp_path).settings.mqtt_port == 18883
    monkeypatch.setenv("HOMESYSTEM_MQTT_PORT", "none")
    with pytest.raises(ConfigError, match="HOMESYSTEM_MQTT_PORT"):
        homes.find(tmp_path)


def test_the_brokers_configuration_has_every_value_filled_in(tmp_path: Path) -> None:
    text = homes.broker_config(homes.Home(tmp_path, homes.Settings(mqtt_port=18883)))
    assert "${" not in text
    assert "listener 18883 127.0.0.1" in text
    assert "require_certificate true" in text


@pytest.mark.parametrize(
    ("host", "listeners", "https"),
    [
        ("127.0.0.1", ["8883 127.0.0.1"], "127.0.0.1"),
        ("0.0.0.0", ["8883 0.0.0.0"], "0.0.0.0"),
        ("::", ["8883"], "::"),
        (("192.0.2.7", "::1"), ["8883 127.0.0.1", "8883 192.0.2.7", "8883 ::1"], ["127.0.0.1", "192.0.2.7", "::1"]),
    ],
)
def test_broker_and_gateway_listen_where_the_home_says_and_where_the_hub_reaches_them(
    tmp_path: Path, host: str | tuple[str, ...], listeners: list[str], https: str | list[str]
) -> None:
    home = homes.create(tmp_path, homes.Settings(host=host))
    homes.seal(home)
    assert homes.find(tmp_path).settings.host == host
    text = (tmp_path / "mosquitto.conf").read_text()
    assert [line.removeprefix("listener ") for line in text.splitlines() if line.startswith("listener ")] == listeners
    for each in ("require_certificate true", "crlfile", "allow_anonymous false", "max_connections"):
        assert text.count(f"\n{each}") == len(listeners)
    assert text.count("\nplugin ") == 1
    assert tomllib.loads((tmp_path / "gateway.toml").read_text())["https"]["host"] == https
    for service in ("auth", "alerts"):
        assert tomllib.loads((tmp_path / f"{service}.toml").read_text())["listen"]["host"] == "127.0.0.1"


def test_settings_name_every_limit_as_it_is_without_them(tmp_path: Path) -> None:
    written = tomllib.loads((make(tmp_path).var / "gateway.toml").read_text())["limits"]
    assert written == msgspec.to_builtins(LimitsConfig())


def test_supervisor_starts_everything_again_and_stops_it_together(tmp_path: Path) -> None:
    home = make(tmp_path / "with space")
    parser = configparser.RawConfigParser()
    parser.read_string(up.supervisor_config(home))
    programs = [parser[name] for name in parser.sections() if name.startswith("program:")]
    assert {name for name in parser.sections() if name == "supervisord" or name.startswith("program:")} == {
        "supervisord", "program:broker", "program:mailbox", "program:auth", "program:alerts", "program:gateway",
        "program:renewal", "program:signer", "program:readings",
    }  # fmt: skip
    assert all(program["autorestart"] == "true" and program["priority"] == "1" for program in programs)
    assert "'" in parser["program:gateway"]["command"]
    # It waits in a shell, which must not outlive the home.
    assert parser["program:renewal"]["command"].endswith("-m deploy renew'")
    assert parser["program:renewal"]["stopasgroup"] == parser["program:renewal"]["killasgroup"] == "true"


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    tried = subprocess.run(
        [sys.executable, "-m", "deploy", "user", "list"],
        env=os.environ | {"HOMESYSTEM_VAR": str(tmp_path)},
        cwd=homes.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 78
    assert tried.stderr.startswith(f"homesystem: {tmp_path}: there is no home here; run `homesystem init`")
    assert tried.stderr.count("\n") == 1
