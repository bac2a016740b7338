"""A hub from git: the newer commit is tried, and the former comes back with its environment and without a network."""

import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.upgrading import __main__ as upgrade
from deploy.upgrading.place import Place
from tests import upgraded_world

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
_INSTALL = """#!/bin/sh
set -eu
code=$(cd "$(dirname "$0")/.." && pwd)
echo "$1 $(cat "$code/version")" >>"$code/../installs"
cp "$code/version" "$code/.venv/installed"
[ ! -e "$code/broken" ] || { echo "the installer says no" >&2; exit 1; }
cat "$code/version" >"$code/../home/form"
"""
_PYTHON = """#!/bin/sh
case $* in *examining.fit*) cat "$(dirname "$0")/../../wrong" ;; *) echo "$*" >>"$(dirname "$0")/../../../told" ;; esac
"""


def git(folder: Path, *words: str) -> str:
    own = ["-c", "user.name=A", "-c", "user.email=a@home.arpa", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *own, "-C", folder, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(origin: Path, **files: str) -> str:
    for name, text in files.items():
        (origin / name).write_text(text)
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message", "next")
    return git(origin, "rev-parse", "HEAD")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Version 1, cloned and installed, and the services of a world beside it."""
    world = upgraded_world.made(tmp_path / "world")
    monkeypatch.setenv("PATH", upgraded_world.path(world))
    origin, code = tmp_path / "origin", world.folder / "checkout"
    (origin / "deploy").mkdir(parents=True)
    git(origin, "init", "--quiet")
    (origin / ".gitignore").write_text(".venv\n")
    (origin / "deploy/install.sh").write_text(_INSTALL)
    (origin / "deploy/install.sh").chmod(0o755)
    commit(origin, version="1", wrong="{}")
    git(tmp_path, "clone", "--quiet", str(origin), str(code))
    (code / ".venv/bin").mkdir(parents=True)
    (code / ".venv/bin/python").write_text(_PYTHON)
    (code / ".venv/bin/python").chmod(0o755)
    (code / ".venv/installed").write_text("1")
    return world.place._replace(package="", code=code)


def stands(place: Place) -> tuple[str, str, str]:
    """Of which version code, environment and home are."""
    names = (place.code / "version", place.code / ".venv/installed", place.home / "form")
    return tuple(path.read_text().strip() for path in names)  # type: ignore[return-value]  # three


def left(place: Place) -> set[str]:
    return {path.name for path in place.state.iterdir()} - {"lock", "last.json"}


def test_a_newer_commit_that_is_well_stays(place: Place, tmp_path: Path) -> None:
    newer = commit(tmp_path / "origin", version="2")
    assert upgrade.main(place) == 0
    assert stands(place) == ("2", "2", "2")
    assert git(place.code, "rev-parse", "HEAD") == newer
    assert git(place.code, "status", "--porcelain") == ""
    assert not left(place)
    assert (place.code.parent / "installs").read_text() == "hub 2\n"
    assert upgrade.main(place) == 0, "there is nothing newer then"


@pytest.mark.parametrize(
    ("files", "reason"),
    [({"wrong": '{"command": "no lamp"}'}, "no lamp"), ({"broken": ""}, "the installer says no")],
)
def test_one_that_is_not_goes_back_with_its_environment(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], reason: str
) -> None:
    former = git(place.code, "rev-parse", "HEAD")
    commit(tmp_path / "origin", version="2", **files)
    assert upgrade.main(place) == 1
    assert reason in capsys.readouterr().err
    assert stands(place) == ("1", "1", "1")
    assert git(place.code, "rev-parse", "HEAD") == former
    assert not left(place)
    assert reason in (place.code.parent / "told").read_text()


@pytest.mark.parametrize("trouble", ["changed", "own", "file"])
def test_a_checkout_of_ones_own_making_is_left_alone(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], trouble: str
) -> None:
    commit(tmp_path / "origin", version="2")
    if trouble == "changed":
        (place.code / "version").write_text("mine")
    elif trouble == "own":
        commit(place.code, mine="mine")
    assert upgrade.main(place, *([Path("x.deb")] if trouble == "file" else [])) == 1
    word = {"changed": "was changed here (version)", "own": "has commits of its own", "file": "came from git"}[trouble]
    assert word in capsys.readouterr().err
    assert not (place.code.parent / "installs").exists()
