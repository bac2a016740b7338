"""What systemd runs of Home System on this machine: stopped, started again, and asked how it is."""

import threading
import time
from collections.abc import Callable, Iterable

from deploy.upgrading.place import Place, UpgradeError, run

_AGENT = "homesystem-agent@"
_LOOK_SECONDS = 0.5


def running(place: Place) -> tuple[str, ...]:
    """The units that run, or are about to; none where systemd does not run."""
    if not place.systemd.exists():
        return ()
    listed = run(["systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating", "homesystem*"])
    return tuple(line.split()[0] for line in listed.splitlines() if line.strip())


def lasting(place: Place) -> tuple[str, ...]:
    """Those of them that go on until somebody stops them: what a timer starts ends by itself, and is not missed."""
    return tuple(unit for unit in running(place) if _property(unit, "Type") != "oneshot")


def stop(place: Place) -> None:
    """Stop everything of it. Raises UpgradeError."""
    for kind in (".timer", ".target", ".service"):  # so that none of it starts another
        if units := [unit for unit in running(place) if unit.endswith(kind)]:
            run(["systemctl", "stop", *units])


def start(units: Iterable[str]) -> None:
    """Start what ran before; one that cannot be started is found where it is looked at. Raises UpgradeError."""
    if wanted := list(units):
        run(["systemctl", "daemon-reload"])
        run(["systemctl", "start", "--no-block", *wanted])


def away(units: Iterable[str], seconds: float) -> list[str]:
    """Of the rooms' agents and services that ran, those that do not run within that time, with systemd's word."""
    awaited = [unit for unit in units if unit.endswith(".service")]
    return _until_none(
        lambda: [f"{unit} is {state}" for unit in awaited if (state := _state(unit)) != "active"], seconds
    )


def offline(units: Iterable[str], seconds: float) -> list[str]:
    """Of the agents among them, those that do not reach the hub within that time, with their own word."""
    agents = [unit for unit in units if unit.startswith(_AGENT)]
    return _until_none(lambda: [f"{unit}: {said}" for unit in agents if (said := _word(unit)) != "Online"], seconds)


def _until_none(look: Callable[[], list[str]], seconds: float) -> list[str]:
    pause, end = threading.Event(), time.monotonic() + seconds
    while found := look():
        if time.monotonic() > end:
            return found
        pause.wait(_LOOK_SECONDS)
    return []


def _state(unit: str) -> str:
    return _property(unit, "ActiveState") or "not there"


def _word(unit: str) -> str:
    """What an agent says of itself: `Online` once the broker has taken all that it said at its birth."""
    return _property(unit, "StatusText") or _state(unit)


def _property(unit: str, name: str) -> str:
    words = ["systemctl", "show", f"--property={name}", "--value", unit]
    try:
        return run(words).strip()
    except UpgradeError:  # systemd is starting itself anew, or has no such unit
        return ""
