"""How this home is run on this machine, by systemd or in a terminal: so that advice is what one can type here."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from deploy.folder.home import ROOT, Home

_UNITS = ROOT / "deploy" / "systemd"
_WRAPPERS = (Path("/usr/local/bin/homesystem"), Path("/usr/bin/homesystem"))
"""The command where it comes from a checkout, and where from a Debian package."""
_FIELDS = ("Id", "LoadState", "UnitFileState", "ActiveState", "Result", "Environment")
_BY_TIMER = tuple(sorted(path.stem + ".service" for path in _UNITS.glob("*.timer") if "@" not in path.name))
"""What a timer starts: neither enabled nor active most of the time, so that only its result counts."""

_APART = (
    (r"`homesystem (?=backup|restore)", "`docker compose run --rm backup homesystem "),
    (r"homesystem-renew\.timer runs", "the container hub runs"),
    (r"journalctl -u homesystem-([a-z]+)", r"docker compose logs \1"),
)
"""Advice for a home under systemd, and what it is where each part runs in a container."""

Show = Callable[[Iterable[str]], str]
"""What `systemctl show` says of these units; empty where there is no systemd."""


class Unit(NamedTuple):
    """One unit as systemd has it."""

    name: str
    load: str
    enabled: str
    active: str
    result: str
    environment: str

    @property
    def installed(self) -> bool:
        """Whether systemd has read its file."""
        return self.load == "loaded"

    @property
    def starts(self) -> bool:
        """Whether it starts with the machine."""
        return self.enabled.startswith("enabled")


class Installation(NamedTuple):
    """The units of this home, none where it runs in a terminal, and the command as one types it here."""

    units: tuple[Unit, ...]
    command: str
    apart: bool = False
    """Whether each part runs in a container."""

    @property
    def managed(self) -> bool:
        """Whether systemd runs this home."""
        return bool(self.units)

    def start(self, service: str) -> str:
        """What to do for a part that does not run."""
        if self.apart:
            return f"docker compose restart {service}"
        return f"sudo systemctl restart homesystem-{service}" if self.managed else "start it: `homesystem up`"

    def log(self, service: str) -> str:
        """Where its last words are."""
        if self.apart:
            return f"docker compose logs {service}"
        return f"journalctl -u homesystem-{service}" if self.managed else f"see {service}.log in the home's log"

    def mend(self, service: str) -> str:
        """To be tried first, and where to look if it was in vain."""
        return f"{self.start(service)}; {self.log(service)}"

    def typed(self, advice: str) -> str:
        """Advice that names our command, with what makes it work here."""
        if self.apart:
            for of_systemd, here in _APART:
                advice = re.sub(of_systemd, here, advice)
        return re.sub(r"`homesystem (?=[a-z])", f"`{self.command} ", advice)


def look(home: Home, show: Show | None = None) -> Installation:
    """What systemd has of this home's units, and how `homesystem` is called."""
    found = _parsed((show or _systemctl)(wanted(home)))
    here = any(f"HOMESYSTEM_VAR={home.var}" in unit.environment.split() for unit in found)
    return Installation(tuple(found) if here else (), _command(home, managed=here), apart=home.contained)


def wanted(home: Home) -> list[str]:
    """The units that a hub has: all that are to be enabled, what timers start, and its own rooms' agents."""
    static = [path for path in sorted(_UNITS.iterdir()) if "@" not in path.name and path.is_file()]
    names = [path.name for path in static if "[Install]" in path.read_text()]
    rooms = sorted(path.stem for path in (home.var / "agents").glob("*.toml"))
    return [*names, *_BY_TIMER, *(f"homesystem-agent@{room}.service" for room in rooms)]


def is_oneshot(unit: Unit) -> bool:
    """Whether only its last result counts."""
    return unit.name in _BY_TIMER


def _parsed(shown: str) -> list[Unit]:
    units = []
    for block in shown.split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in fields:
            units.append(Unit(*(fields.get(name, "") for name in _FIELDS)))
    return units


def _systemctl(names: Iterable[str]) -> str:
    if not Path("/run/systemd/system").is_dir():
        return ""
    try:
        command = ["systemctl", "show", f"--property={','.join(_FIELDS)}", *names]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _command(home: Home, *, managed: bool) -> str:
    if managed and any(path.exists() for path in _WRAPPERS):
        return "sudo homesystem"
    if home.contained:
        return "docker compose exec hub homesystem"
    own = f"{Path(sys.executable).parent / 'homesystem'}"
    place = "" if home.var == ROOT / "var" else f"HOMESYSTEM_VAR={home.var} "
    return f"sudo -u {home.var.owner()} {place}{own}" if managed else f"{place}{own}"
