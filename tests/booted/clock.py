"""A machine's calendar moved on under its running services: libfaketime in their units, monotonic time left alone.

systemd itself keeps the true time, so its timers do not move; what a timer would start is started by hand.
"""

from tests.booted.machine import Machine

_NOW = "etc/house-clock/now"
_DROP_IN = "etc/systemd/system/homesystem-.service.d/house-clock.conf"
"""Counts for every unit whose name begins so."""
ENVIRONMENT = {
    "FAKETIME_TIMESTAMP_FILE": f"/{_NOW}",
    "FAKETIME_CACHE_DURATION": "1",
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "FAKETIME_DISABLE_SHM": "1",
}


class Clock:
    """The calendar of one machine's services."""

    def __init__(self, machine: Machine) -> None:
        """Give the home's units a calendar, unless they have one. They take it at their next start."""
        self._tree = machine.tree
        (library,) = (self._tree / "usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        variables = ENVIRONMENT | {"LD_PRELOAD": f"/{library.relative_to(self._tree)}"}
        machine.calendar = " ".join(f"{name}={value}" for name, value in variables.items())
        path = self._tree / _DROP_IN
        self.new = not path.exists()
        """Whether they have it only since now."""
        if self.new:
            self.set(0)
            path.parent.mkdir(parents=True)
            path.write_text(f"[Service]\nEnvironment={machine.calendar}\n")
            machine.run("systemctl daemon-reload")

    def set(self, days: int) -> None:
        """So many days after the true time, from now on; also while the machine is off."""
        path = self._tree / _NOW
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(f"+{days}d\n")
        part.replace(path)  # whole at once: who reads half a line would stand in another year
