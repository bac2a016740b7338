"""Whose what is in a home whose services have users of their own, as root sets it; tried as root, with numbers."""

import os
import stat
from pathlib import Path

import pytest

from deploy.folder import owning, parts
from deploy.folder.owning import Owner
from shared.running.config import ConfigError

HOME = Owner(61000, 61000)
USERS = {part: Owner(61001 + number, 61001 + number) for number, part in enumerate(parts.KEYS)}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")


@pytest.fixture
def var(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    os.chown(made, *HOME)
    return made


def about(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)


@as_root
def test_folders_hand_their_group_on_and_only_where_it_writes_may_a_service_write(var: Path) -> None:
    owning.own(var, USERS)
    assert about(var) == (*HOME, 0o700)
    assert about(var / "services") == (*HOME, 0o700)
    for part, user in USERS.items():
        assert about(var / "services" / part) == (HOME.user, user.group, 0o2750)
        assert about(var / "services" / part / parts.state(part)) == (HOME.user, user.group, 0o2770)
    for service in parts.SERVICES:
        assert about(var / "log" / service) == (HOME.user, USERS[service].group, 0o2770)
    assert list(owning.strange(var, USERS)) == []


@as_root
def test_what_came_back_from_a_backup_is_given_to_whom_it_is_of(var: Path) -> None:
    place = var / "services" / "auth"
    for name, mode in (("pki/auth.key", 0o600), ("data/auth.sqlite3", 0o640), ("auth.toml", 0o666)):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
        (place / name).chmod(mode)
    (place / "data" / "made.sqlite3").touch()
    os.chown(place / "data" / "made.sqlite3", USERS["auth"].user, 0)
    owning.own(var, USERS)
    group = USERS["auth"].group
    assert about(place / "pki") == (HOME.user, group, 0o2750)
    assert about(place / "pki" / "auth.key") == (HOME.user, group, 0o640)
    assert about(place / "auth.toml") == (HOME.user, group, 0o640)
    assert about(place / "data" / "auth.sqlite3") == (HOME.user, group, 0o660)
    assert about(place / "data" / "made.sqlite3") == (USERS["auth"].user, group, 0o660), "its maker keeps it"
    assert list(owning.strange(var, USERS)) == []


@as_root
def test_no_link_of_a_services_makes_root_give_it_anything(var: Path, tmp_path: Path) -> None:
    owning.own(var, USERS)
    secret, folder = tmp_path / "secret", tmp_path / "folder"
    secret.write_text("root's")
    secret.chmod(0o600)
    folder.mkdir(mode=0o700)
    data = var / "services" / "gateway" / "data"
    (data / "soft").symlink_to(secret)
    os.link(secret, data / "hard")
    (data / "in").symlink_to(folder)
    os.mkfifo(data / "fifo")
    before = about(secret), about(folder)
    owning.own(var, USERS)
    assert (about(secret), about(folder)) == before


@as_root
def test_a_link_in_the_place_of_a_folder_is_refused(var: Path, tmp_path: Path) -> None:
    owning.own(var, USERS)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (var / "services" / "auth" / "data").rmdir()
    (var / "services" / "auth" / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError, match="data"):
        owning.own(var, USERS)
    assert about(tmp_path / "elsewhere") == (0, 0, 0o700)


@as_root
@pytest.mark.parametrize("name", ["pki/auth.key", "data/auth.sqlite3", "data"])
def test_what_is_open_to_others_or_anothers_is_found(var: Path, name: str) -> None:
    place = var / "services" / "auth"
    for file in ("pki/auth.key", "data/auth.sqlite3"):
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).touch()
    owning.own(var, USERS)
    (place / name).chmod(0o777)
    assert list(owning.strange(var, USERS)) == [place / name]
    owning.own(var, USERS)
    os.chown(place / name, HOME.user, USERS["gateway"].group)
    assert list(owning.strange(var, USERS)) == [place / name]


def test_a_user_that_is_missing_is_told_with_what_makes_it() -> None:
    with pytest.raises(ConfigError, match=r"homesystem-nobody-has-this.*install"):
        owning.known({"auth": "homesystem-nobody-has-this"})
