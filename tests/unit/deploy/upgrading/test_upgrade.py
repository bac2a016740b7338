"""A newer version under a home: kept where it is well, and gone back from where it is not."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.upgrading import __main__ as upgrade
from deploy.upgrading import health
from tests.upgraded_world import PROGRAMS, World, check_former, check_newer, run


def test_a_newer_version_that_is_well_stays_and_is_told(make: Callable[..., World]) -> None:
    world = make()
    assert run(world) == 0
    check_newer(world)
    assert "--from 1 --to 2 --why" in world.read("told")
    assert json.loads((world.place.state / "last.json").read_text())["why"] == ""


@pytest.mark.parametrize(("flaw", "reason"), [("faulty", "no lamp"), ("breaks", "postinst says no")])
def test_one_that_is_not_well_goes_back_with_the_home_as_it_was(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str], flaw: str, reason: str
) -> None:
    world = make(flaw)
    assert run(world) == 1
    check_former(world)
    assert reason in capsys.readouterr().err
    assert reason in world.read("told")
    assert world.read("home/log/auth.log") == "old"


def test_what_was_wrong_before_is_no_reason_to_go_back(make: Callable[..., World]) -> None:
    world = make()
    (world.folder / "wrong").write_text('{"mail": "mail: away"}')
    assert run(world) == 0
    check_newer(world)


def test_where_going_back_does_not_help_it_is_not_called_well(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    world = make("faulty")
    settle = '    echo "$1" >"$W/home/form"\n'
    for name in PROGRAMS:  # while it is installed, the mail server goes away as well
        program = world.folder / "bin" / name
        away = settle + '    printf \'{"mail": "mail: away"}\' >"$W/wrong"\n'
        program.write_text(program.read_text().replace(settle, away))
    assert run(world) == 1
    check_former(world)
    said = capsys.readouterr().err
    assert "and with 1 again: mail: away" in said
    assert "sudo homesystem doctor" in said
    assert "as it was before, and runs" not in said


def test_what_cannot_be_finished_says_so_and_is_by_the_next_try(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    world = make("faulty")
    (world.folder / "stuck").touch()
    dpkg = world.folder / "bin" / "dpkg"
    whole = dpkg.read_text()
    dpkg.write_text(
        whole.replace("    -i) ", "    -i) [ ! -e \"$W/stuck\" ] || { echo 'dpkg is stuck' >&2; exit 2; }\n        ")
    )
    assert run(world) == 1
    assert "dpkg is stuck" in (said := capsys.readouterr().err)
    assert "It is not finished" in said
    assert world.place.closed.exists()
    (world.folder / "stuck").unlink()
    assert run(world, None) == 1
    check_former(world)


def test_a_rooms_agent_that_does_not_reach_its_hub_any_more_goes_back(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make("lost")
    monkeypatch.setattr(health, "_ONLINE_SECONDS", 0)
    assert upgrade.main(world.place._replace(kind="room"), world.folder / "2.deb") == 1
    check_former(world)
    assert "does not reach the hub: homesystem-agent@hall.service: Broker cannot be reached" in capsys.readouterr().err
    assert world.read("told") == "", "a room has no record of its own"


@pytest.mark.parametrize("away", ["postgresql+asyncpg://db/auth", "sqlite+aiosqlite:////elsewhere", "a link"])
def test_a_database_that_no_copy_has_is_asked_for_a_dump_of_first(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str], away: str
) -> None:
    world = make()
    home = world.folder / "home"
    if away == "a link":
        (home / "auth.sqlite3").symlink_to(world.folder / "moved")
        away = f"sqlite+aiosqlite:///{home}/auth.sqlite3"
    (home / "auth.toml").write_text(f'database = "{away}"\n')
    (home / "alerts.toml").write_text(f'database = "sqlite+aiosqlite:///{home}/alerts.sqlite3"\n')
    assert run(world) == 1
    assert "the database of auth.toml is in no copy" in capsys.readouterr().err
    check_former(world)
    assert upgrade.main(world.place, world.folder / "2.deb", dumped=True) == 0
    check_newer(world)


def test_what_a_timer_had_started_is_not_missed(make: Callable[..., World]) -> None:
    world = make()
    with (world.folder / "running").open("a") as running:
        running.write("homesystem-doctor.service\n")
    assert run(world) == 0
    check_newer(world)


def test_without_a_file_apt_is_asked(make: Callable[..., World], capsys: pytest.CaptureFixture[str]) -> None:
    world = make()
    (world.folder / "candidate").write_text("1")
    assert run(world, None) == 0
    assert "is the newest that apt knows of here" in capsys.readouterr().out
    check_former(world)
    (world.folder / "candidate").write_text("2")
    assert run(world, None) == 0
    check_newer(world)


@pytest.mark.parametrize(
    ("flaw", "version", "word"),
    [("removes", "2", "would remove precious"), ("", "0", "older than 1"), ("", "", "is not there")],
)
def test_what_cannot_be_is_refused_while_all_runs(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str], flaw: str, version: str, word: str
) -> None:
    world = make(*filter(None, [flaw]))
    if version:
        (world.folder / "other.deb").write_text(version)
    assert run(world, "other.deb") == 1
    assert word in capsys.readouterr().err
    check_former(world)
    assert not any(call.startswith(("systemctl stop", "systemctl start")) for call in world.read("calls").splitlines())


@pytest.mark.parametrize(
    ("provides", "code"), [("libp (= 2), precious (= 2-1)", 0), ("precious", 0), ("precious-data, not-precious", 1)]
)
def test_a_package_that_another_takes_the_place_of_may_go(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str], provides: str, code: int
) -> None:
    """Libraries have other names in the next Debian, which its Python brings along."""
    world = make("removes")
    (world.folder / "provides").write_text(provides)
    assert run(world) == code
    if code:
        assert "would remove precious" in capsys.readouterr().err
        check_former(world)
    else:
        check_newer(world)


def test_a_disk_without_room_is_told_before_anything_stands_still(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make()
    about = os.statvfs("/")
    few = os.statvfs_result((*about[:4], 0, *about[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _: few)
    assert run(world) == 1
    assert "MB free" in capsys.readouterr().err
    check_former(world)


def test_a_home_on_a_disk_of_its_own_that_is_full_is_told_before_anything_stands_still(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make()
    usage, stat = shutil.disk_usage, Path.stat

    def apart(path: Path, **more: bool) -> os.stat_result:
        found = stat(path, **more)
        return os.stat_result((*found[:2], 10**6, *found[3:10])) if path == world.place.home else found

    monkeypatch.setattr(Path, "stat", apart)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: usage(path)._replace(free=0) if path == world.place.home else usage(path)
    )
    assert run(world) == 1
    assert f"MB free in {world.place.home} " in capsys.readouterr().err
    check_former(world)
