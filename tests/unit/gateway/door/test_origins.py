"""Own origins: every name that a certificate of the home is for, as long as it is there, and what the owner adds."""

import datetime as dt
from pathlib import Path

import pytest

from deploy.pki.pairs import Pki
from gateway.config import HttpsConfig
from gateway.door.origins import FRESH_SECONDS, Origins
from shared.running.config import ConfigError

LOCAL = ["localhost", "127.0.0.1", "::1"]


def renamed(folder: Path, name: str, *former: str) -> None:
    made = Pki(folder, vault=folder / "ca", demo=False, now=dt.datetime.now(dt.UTC))
    made.ensure_authorities([name, *LOCAL])
    made.ensure_web([name, *LOCAL])
    made.ensure_former(former)


def https(folder: Path, **more: object) -> HttpsConfig:
    return HttpsConfig(certificate=folder / "web.crt", key=folder / "web.key", **more)  # type: ignore[arg-type]


def test_every_name_of_the_certificate_makes_an_origin_with_our_port(tmp_path: Path) -> None:
    renamed(tmp_path, "hub.local")
    origins = Origins(https(tmp_path))
    for host in ("hub.local", "localhost", "127.0.0.1", "[::1]"):
        assert f"https://{host}:8443" in origins
    for other in ("https://hub.local", "http://hub.local:8443", "https://evil.example:8443", "", None):
        assert other not in origins


def test_the_owners_names_are_ours_as_well(tmp_path: Path) -> None:
    renamed(tmp_path, "hub.local")
    origins = Origins(https(tmp_path, names=("home.example.org",), origins=("https://proxy.example.org",), port=443))
    assert "https://home.example.org" in origins
    assert "https://proxy.example.org" in origins
    assert "https://hub.local" in origins


def test_a_new_name_is_ours_at_once_and_the_old_one_until_the_rename_is_done(tmp_path: Path) -> None:
    renamed(tmp_path, "old.local")
    now = 0.0
    origins = Origins(https(tmp_path), monotonic=lambda: now)
    assert "https://new.local:8443" not in origins
    renamed(tmp_path, "new.local", "old.local")
    assert "https://new.local:8443" in origins
    assert "https://old.local:8443" in origins
    renamed(tmp_path, "new.local")
    now += FRESH_SECONDS
    assert "https://old.local:8443" not in origins


def test_without_a_certificate_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"web\.crt"):
        Origins(https(tmp_path))
