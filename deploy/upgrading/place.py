"""Where an upgrade works, and how it has other programs do something."""

import contextlib
import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A machine's folders. `kind`: hub or room; `package`: whose code it has, empty where it comes from a checkout."""

    kind: str
    package: str
    code: Path
    home: Path = Path("/var/lib/homesystem")
    state: Path = Path("/var/lib/homesystem-upgrade")
    units: Path = Path("/etc/systemd/system")
    systemd: Path = Path("/run/systemd/system")
    """There where systemd runs."""
    dpkg_lock: Path = Path("/var/lib/dpkg/lock-frontend")

    @property
    def name(self) -> str:
        """What is upgraded, in a word."""
        return self.package or "Home System"

    @property
    def origin(self) -> str:
        """Who is asked for what is newer."""
        return "apt" if self.package else "its origin"

    @property
    def otherwise(self) -> str:
        """Behind the word that there is nothing newer: what else one may do."""
        return "; a newer file: homesystem upgrade FILE" if self.package else ""

    @property
    def closed(self) -> Path:
        """While this file is there, the gateway changes nothing for anybody, and nor does `homesystem`."""
        return self.home.with_name(f"{self.home.name}.closed")

    @property
    def parts(self) -> dict[str, Path]:
        """The folders of which the home consists here: its own, and the signer's."""
        found = {"home": self.home, "signer": self.home.with_name(f"{self.home.name}-signer")}
        return {name: folder for name, folder in found.items() if folder.is_dir()}

    @property
    def has_home(self) -> bool:
        """Whether anything was set up here that newer code could be tried on."""
        if self.kind == "hub":
            return (self.home / "home.toml").exists()
        return any((self.home / "agents").glob("*.toml"))


class UpgradeError(Exception):
    """Why it does not go on; the text tells the person what to do next."""


def say(line: str) -> None:
    """To whoever typed it, or to the journal; a terminal that went away is no reason to stop."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def run(words: Sequence[str | Path], **more: Any) -> str:
    """Have a program do something; what it printed. Raises UpgradeError with its last words where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            [str(word) for word in words],
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,  # a terminal that goes away takes nothing of it along
            **more,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpgradeError(f"{words[0]}: {error}") from error
    if done.returncode != 0:
        raise UpgradeError(f"{Path(words[0]).name}: {last_words(done.stderr or done.stdout)}")
    return str(done.stdout)


def shown(words: Sequence[str | Path], **more: Any) -> None:
    """The same, with what it says shown as it says it. Raises UpgradeError with its last words."""
    heard: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own words
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **more,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            say(f"  {line.rstrip()}")
            heard.append(line)
    if running.returncode != 0:
        raise UpgradeError(f"{Path(words[0]).name}: {last_words(''.join(heard))}")


def last_words(said: str, lines: int = 4) -> str:
    """The end of what a program said: why it failed stands there."""
    return " / ".join(line.strip() for line in said.strip().splitlines()[-lines:]) or "it said nothing"


def as_owner(folder: Path) -> dict[str, Any]:
    """What has a program run as the owner of a folder, for root: what lies there may be a link to anywhere."""
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return {"cwd": "/"}
    groups = os.getgrouplist(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
    return {"cwd": "/", "user": owner.st_uid, "group": owner.st_gid, "extra_groups": groups}
