"""Which file of several an upgrade takes: the newest that runs on this Debian, on this processor."""

import platform
from collections.abc import Callable

import pytest

from tests.upgraded_world import World, check_former, check_newer, run

_PYTHONS = {"12": "python3.11", "13": "python3.13"}


@pytest.fixture(autouse=True)
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says which Debian this is; 12 at first. Empty: one without a number."""

    def said(release: str) -> None:
        told = {"ID": "debian"} | ({"VERSION_ID": release} if release else {})
        monkeypatch.setattr(platform, "freedesktop_os_release", lambda: told)

    said("12")
    return said


def put(world: World, commit: int, *debians: str) -> list[str]:
    """The files of a commit; their names. What they install is the commit's code."""
    names = [f"{commit}+deb{debian}.deb" for debian in debians]
    for name, debian in zip(names, debians, strict=True):
        told = f"{commit}\nVersion: {commit}+deb{debian}\nDepends: openssl, {_PYTHONS[debian]}, systemd\n"
        (world.folder / name).write_text(told)
    return names


def has(world: World, *pythons: str, known: str = "") -> None:
    """Which interpreters are installed, and which one apt would bring."""
    (world.folder / "pythons").write_text("\n".join(pythons) + "\n")
    (world.folder / "known").write_text(known + "\n")


def check_taken(world: World, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """That file was taken, of several, and is installed."""
    assert f"Of these files it is {world.folder / name}," in capsys.readouterr().out
    check_newer(world)


def test_of_files_that_lie_beside_one_another_the_newest_for_this_machine_is_taken(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    world = make()
    files = {
        "10": "10\nArchitecture: arm64\n",
        "1": "1\n",
        "2": "2\n",
        "0": "0\n",
        "9": "9\nPackage: home-system-agent\n",
    }
    for name, text in files.items():
        (world.folder / f"{name}.deb").write_text(text)
    assert run(world, *(f"{name}.deb" for name in files)) == 0
    assert f"Of these files it is {world.folder / '2.deb'}" in capsys.readouterr().out
    check_newer(world)


def test_files_of_which_none_is_for_this_machine_are_refused(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    world = make()
    for name, told in (("one", "Architecture: arm64"), ("two", "Package: home-system-agent")):
        (world.folder / f"{name}.deb").write_text(f"2\n{told}\n")
    assert run(world, "one.deb", "two.deb") == 1
    said = capsys.readouterr().err
    assert "none of these files is for this machine: one.deb is for arm64; two.deb is home-system-agent." in said
    assert "Needed is home-system for amd64 and Debian 12: home-system_…+deb12_amd64.deb" in said
    check_former(world)


@pytest.mark.parametrize(
    ("where", "why"), [("at once", "not a Debian format archive"), ("in its data", "unexpected end of file or stream")]
)
def test_a_file_that_was_cut_off_or_is_another_kind_of_file_is_named_and_nothing_is_stopped(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str], where: str, why: str
) -> None:
    world = make()
    (world.folder / "1.deb").write_text("1\n")
    (world.folder / "2.deb").write_text(f"2\nTorn: {where}\n")
    assert run(world, "1.deb", "2.deb") == 1
    said = capsys.readouterr().err
    assert said.startswith(f"homesystem: {world.folder / '2.deb'} is no whole package")
    assert "Fetch it anew, and compare its sum" in said
    assert why in said
    assert "systemctl stop" not in (world.folder / "calls").read_text()
    check_former(world)


@pytest.mark.parametrize(
    ("release", "pythons", "taken"),
    [
        ("12", ["python3.11"], "2+deb12.deb"),
        ("13", ["python3.13"], "2+deb13.deb"),
        ("13", ["python3.11", "python3.13"], "2+deb13.deb"),
        ("13", ["python3.11"], "2+deb13.deb"),  # before anything there has asked for the newer one
        ("", ["python3.13"], "2+deb13.deb"),
        ("", ["python3.11"], "2+deb12.deb"),
    ],
)
def test_of_one_commit_the_file_for_this_debian_is_taken(
    make: Callable[..., World],
    on: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    release: str,
    pythons: list[str],
    taken: str,
) -> None:
    world = make()
    on(release)
    has(world, *pythons, known=_PYTHONS.get(release, ""))
    assert run(world, *put(world, 2, "13", "12")) == 0
    check_taken(world, capsys, taken)


def test_a_newer_file_for_the_other_debian_takes_nothing_from_the_one_that_runs_here(
    make: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    world = make()
    has(world, "python3.11")
    files = [*put(world, 1, "12", "13"), *put(world, 2, "12"), *put(world, 3, "13")]
    assert run(world, *files) == 0
    check_taken(world, capsys, "2+deb12.deb")


def test_after_an_upgrade_of_debian_the_package_for_the_former_one_is_taken_while_its_python_is_there(
    make: Callable[..., World], on: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    world = make()
    on("13")
    has(world, "python3.11", known="python3.13")
    assert run(world, *put(world, 2, "12")) == 0
    check_newer(world)
    assert run(world, *put(world, 2, "12")) == 0


def test_one_file_whose_python_apt_would_bring_is_taken(make: Callable[..., World]) -> None:
    world = make()
    has(world, "python3.11", known="python3.13")
    assert run(world, *put(world, 2, "13")) == 0
    check_newer(world)


@pytest.mark.parametrize(("release", "other"), [("12", "13"), ("13", "12")])
def test_one_file_for_another_debian_is_refused_while_all_runs(
    make: Callable[..., World],
    on: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    release: str,
    other: str,
) -> None:
    world = make()
    on(release)
    has(world, _PYTHONS[release])
    assert run(world, *put(world, 2, other)) == 1
    said = capsys.readouterr().err
    assert f"this file is not for this machine: 2+deb{other}.deb needs {_PYTHONS[other]}, which is not here" in said
    assert f"Needed is home-system for amd64 and Debian {release}: home-system_…+deb{release}_amd64.deb" in said
    check_former(world)
    assert "systemctl stop" not in world.read("calls")


def test_where_none_of_several_runs_here_each_is_told(
    make: Callable[..., World], on: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    world = make()
    on("")
    has(world, "python3.14")
    assert run(world, *put(world, 2, "12", "13")) == 1
    said = capsys.readouterr().err
    assert "2+deb12.deb needs python3.11" in said
    assert "2+deb13.deb needs python3.13" in said
    assert "Needed is home-system for amd64: home-system_…_amd64.deb" in said
    check_former(world)
    assert "systemctl stop" not in world.read("calls")
