"""What the doctor sees of systemd: each unit of the home is there, starts with the machine, and runs."""

from collections.abc import Iterator

from deploy.examining.finding import Finding, skipped, well, wrong
from deploy.running import installation
from deploy.running.installation import Installation, Unit

_INSTALL = "install the units: docs/setup.md"


def units(here: Installation) -> Iterator[Finding]:
    """Every unit, or that none is here."""
    if here.apart:
        yield skipped("units", "each part runs in a container; `docker compose ps` says how it is")
        return
    if not here.managed:
        yield skipped("units", "systemd does not run this home; `homesystem up` runs it in a terminal")
        return
    faults = [fault for unit in here.units for fault in _faults(unit)]
    yield from faults
    if not faults:
        yield well("units", f"{len(here.units)} units are installed, start with the machine, and run")


def _faults(unit: Unit) -> Iterator[Finding]:
    if not unit.installed:
        yield wrong("units", f"{unit.name} is not installed ({unit.load})", _INSTALL)
        return
    log = f"journalctl -u {unit.name}"
    if installation.is_oneshot(unit):
        if unit.result != "success":
            command = unit.name.removeprefix("homesystem-").removesuffix(".service")
            yield wrong(
                "units", f"{unit.name} failed the last time ({unit.result})", f"{log}; then `homesystem {command}`"
            )
        return
    if not unit.starts:
        text = f"{unit.name} is {unit.enabled or 'not enabled'}: it does not start with the machine"
        yield wrong("units", text, f"sudo systemctl enable --now {unit.name}")
    if unit.active != "active":
        reason = f" ({unit.result})" if unit.result not in ("", "success") else ""
        yield wrong("units", f"{unit.name} is {unit.active}{reason}", f"sudo systemctl restart {unit.name}; {log}")
