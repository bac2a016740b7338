"""A machine on which somebody pastes the line of `homesystem room add`: a folder with a fresh Debian's few programs.

Its `sudo` asks nobody, and its `homesystem` joins into a folder, since the machine that runs the tests is no Pi.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.folder.home import ROOT

_TOOLS = ("sh", "mktemp", "rm", "sha256sum", "id", "cat", "grep", "tr", "openssl", "env")
_TOKEN = re.compile(r"printf %s ([0-9a-f]{32}) ")


class Pi:
    """One such machine, which fetches with `fetcher`, curl or wget."""

    def __init__(self, folder: Path, fetcher: str = "curl") -> None:
        self.out = folder / "room"
        self._seen = folder / "seen"
        self._bin = folder / "bin"
        self._bin.mkdir(parents=True)
        for name in (*_TOOLS, fetcher):
            found = shutil.which(name)
            assert found is not None, f"{name} is not installed"
            (self._bin / name).symlink_to(found)
        self._put("sudo", 'exec "$@"')
        join = f'cd {ROOT} && exec {sys.executable} -m device_agents.joining "$@" --out {self.out}'
        listed = f"cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >>{self._seen}"
        self._put("homesystem", f'shift 2\n[ "$1" != --help ] || exit 0\n{listed}\n{join}')

    @property
    def listed(self) -> str:
        """What every process of the machine was called with, while it joined."""
        return self._seen.read_text()

    def paste(self, line: str) -> "subprocess.CompletedProcess[str]":
        """At a prompt: a shell that reads it, and is not called with it."""
        return subprocess.run(
            ["sh"],
            input=line + "\n",
            env={"PATH": str(self._bin), "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def _put(self, name: str, lines: str) -> None:
        path = self._bin / name
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)


def token_of(line: str) -> str:
    """The secret of a line."""
    found = _TOKEN.search(line)
    assert found is not None, line
    return found[1]
