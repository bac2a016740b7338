"""Machines on which somebody pastes the line of `homesystem room add` or `client add`, each with a few programs alone.

The Pi's `sudo` asks nobody, and its `homesystem` joins into a folder, since the machine that runs the tests is no Pi.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.folder.home import ROOT

_TOOLS = ("sh", "mktemp", "rm", "sha256sum", "id", "cat", "grep", "tr", "openssl", "env")
_CLIENTS_TOOLS = ("sh", "mktemp", "rm", "cat", "tr", "sed", "awk", "ls", "mkdir", "chmod", "mv", "openssl", "curl")
_TOKEN = re.compile(r"printf %s ([0-9a-f]{32}) ")


class Pi:
    """One such machine, which fetches with `fetcher`, curl or wget."""

    def __init__(self, folder: Path, fetcher: str = "curl") -> None:
        self.out = folder / "room"
        self._seen = folder / "seen"
        self._bin = folder / "bin"
        self._bin.mkdir(parents=True)
        for name in (*_TOOLS, fetcher):
            (self._bin / name).symlink_to(_found(name))
        _put(self._bin / "sudo", 'exec "$@"')
        join = f'cd {ROOT} && exec {sys.executable} -m device_agents.joining "$@" --out {self.out}'
        listed = f"cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>{self._seen}"
        _put(self._bin / "homesystem", f'shift 2\n[ "$1" != --help ] || exit 0\n{listed}\n{join}')

    @property
    def listed(self) -> str:
        """What every process of the machine was called with, while it joined."""
        return self._seen.read_text()

    def paste(self, line: str) -> "subprocess.CompletedProcess[str]":
        """At a prompt: a shell that reads it, and is not called with it."""
        return _pasted("sh", line, {"PATH": str(self._bin)}, None)


class Desktop:
    """Somebody's own machine, with a shell, curl and openssl, where lines are pasted in its folder `home`.

    Its programs note what every process is called with, and may each be the last: see `paste`.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self._seen, self._count, self._bin = folder / "seen", folder / "count", folder / "bin"
        self._bin.mkdir()
        for name in _CLIENTS_TOOLS:
            (self._bin / name).symlink_to(_found(name))
        counted = f'read -r n <{self._count}; n=$((n + 1)); echo $n >{self._count}; [ $n != "$LAST" ] || kill -9 0'
        listed = f"cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>{self._seen}"
        for name in ("mkdir", "chmod", "mv", "openssl", "curl"):
            (self._bin / name).unlink()
            watched = f"{counted}\n{listed}\n" if name == "curl" else f"{counted}\n"
            _put(self._bin / name, f'{watched}exec {_found(name)} "$@"')

    @property
    def listed(self) -> str:
        """What every process of the machine was called with, while curl was about to be."""
        return self._seen.read_text()

    def paste(self, line: str, *, shell: str = "sh", last: int = 0) -> "subprocess.CompletedProcess[str]":
        """At a prompt; `last`: kill -9 for all of it before the program of that number, of those that change things."""
        self._count.write_text("0\n")
        environment = {"PATH": str(self._bin), "HOME": str(self.home), "LAST": str(last)}
        return _pasted(_found(shell), line, environment, self.home)


def _pasted(
    shell: str, line: str, environment: dict[str, str], folder: Path | None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [shell],
        input=line + "\n",
        env=environment | {"LC_ALL": "C"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        start_new_session=True,
    )


def _found(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, f"{name} is not installed"
    return found


def _put(path: Path, lines: str) -> None:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)


def token_of(line: str) -> str:
    """The secret of a line."""
    found = _TOKEN.search(line)
    assert found is not None, line
    return found[1]
