"""What the doctor sees of time zones: whose table of them is in use, and how old it is."""

import datetime as dt
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.examining.finding import Finding, well, wrong
from deploy.running.installation import Installation

PATH = "PYTHONTZPATH"
"""Empty, so that Python asks the package alone; it would ask the system's table first, however old that is."""
_READERS = ("homesystem-gateway.service", "homesystem-alerts.service")
_SYSTEM = Path("/usr/share/zoneinfo/tzdata.zi")
_VERSION = re.compile(r"(?:# version )?((\d{4})[a-z]*)\b")
_OLD_YEARS = 2
_UPDATE = "sudo homesystem upgrade"


def zones(here: Installation, now: dt.datetime, system: Path = _SYSTEM) -> Iterator[Finding]:
    """Whose, and of when; wrong where governments have had two years to change their clocks since."""
    version = _packaged()
    readers = [unit for unit in here.units if unit.name in _READERS and unit.installed]
    astray = [unit.name for unit in readers if f"{PATH}=" not in unit.environment.split()]
    if version is None or astray:
        whose = " and ".join(astray) or "whatever runs here"
        text = f"{whose}: the system's table, {_of_system(system)}, comes before the one brought along"
        yield wrong("zones", text, _UPDATE if version is None else "install the units: docs/setup.md")
        return
    found = _VERSION.match(version)
    age = now.year - int(found[2]) if found is not None else 0
    text = f"table {version} of the tzdata package"
    if age >= _OLD_YEARS:
        yield wrong("zones", f"{text} is {age} years old; clocks may follow other rules by now", _UPDATE)
    else:
        yield well("zones", f"{text}, of {'this' if age <= 0 else 'last'} year")


def _packaged() -> str | None:
    try:
        return str(importlib.import_module("tzdata").IANA_VERSION)
    except ModuleNotFoundError:
        return None


def _of_system(system: Path) -> str:
    try:
        found = _VERSION.match(system.read_text(errors="replace")[:100])
    except OSError:
        found = None
    return found[1] if found is not None else "whose age cannot be told"
