"""Whatever tells a person to type a command names one that there is."""

import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from deploy.__main__ import app
from deploy.folder.home import ROOT
from tests.manual import BY_THE_WRAPPER

PACKAGES = ("shared", "deploy", "auth_service", "alert_service", "gateway", "device_agents")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
ADVICE = re.compile(r"`homesystem ((?:[a-z{][a-z.{}-]*)(?: [a-z{][a-z.{}]*)?)[^`]*`")
UNITS = re.compile(r"systemctl (?:re)?(?:start|enable --now|load) (homesystem[a-z@.-]*)")


@functools.cache
def commands() -> set[str]:
    """As one types them: `renew`, `room add`. Typer makes them anew for whoever asks; there is no other by then."""
    found = {"upgrade"}  # which homesystem.sh does
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]  # the root is a group
        below = getattr(command, "commands", None)
        found |= {f"{name} {part}" for part in below} | {name} if below else {name}
    return found | {" ".join(re.findall(r"(?<!\S)[a-z]+(?!\S)", written)) for written, _ in BY_THE_WRAPPER}


def named(path: Path) -> set[str]:
    return {match[1] for match in ADVICE.finditer(path.read_text())}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(path: Path) -> None:
    there = commands()
    for words in named(path):
        for role in ("room", "client") if "{" in words else ("",):
            typed = re.sub(r"\{[a-z.]*\}", role, words, count=1).strip()
            first = typed.split()[0]
            assert typed in there or first in there - {"room", "client", "user"}, f"{path}: {typed}"


def test_the_test_itself_sees_advice() -> None:
    assert sum(len(named(path)) for path in SOURCES) > 10
    assert {"renew", "room add", "user list", "doctor"} <= commands()


def test_every_unit_that_is_named_exists() -> None:
    units = {path.name for path in (ROOT / "deploy" / "systemd").iterdir()}
    for path in (ROOT / "deploy").rglob("*.py"):
        for match in UNITS.finditer(path.read_text()):
            name = match[1].rstrip(".")
            assert not name.strip("-") or name.endswith("-") or {name, f"{name}.service"} & units, f"{path}: {name}"


def test_usage_is_told_as_it_is_typed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy", "room", "plce"],
        env={**os.environ, "HOMESYSTEM_VAR": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Usage: homesystem room" in done.stderr
    assert "Try 'homesystem room --help'" in done.stderr
