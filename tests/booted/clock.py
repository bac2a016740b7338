"""A machine's calendar moved on under its running services: libfaketime in their units, monotonic time left alone.

systemd itself keeps the true time, so its timers do not move; what a timer would start is started by hand.
"""

from collections.abc import Iterable

from tests.booted.machine import Machine

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
_FOLDER = "/etc/house-clock"
ENVIRONMENT = {
    "LD_PRELOAD": LIBRARY,
    "FAKETIME_TIMESTAMP_FILE": f"{_FOLDER}/now",
    "FAKETIME_CACHE_DURATION": "1",
    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    "FAKETIME_DISABLE_SHM": "1",
}


class Clock:
    """The calendar of one machine's units."""

    def __init__(self, machine: Machine, units: Iterable[str]) -> None:
        """Give `units` a clock of their own. They take it at their next start."""
        self._machine = machine
        self.set(0)
        words = " ".join(f"{name}={value}" for name, value in ENVIRONMENT.items())
        for unit in units:
            folder = f"/etc/systemd/system/{unit}.d"
            machine.run(
                f"mkdir -p '{folder}' && printf '[Service]\\nEnvironment={words}\\n' > '{folder}/house-clock.conf'"
            )
        machine.run("systemctl daemon-reload")

    def set(self, days: int) -> None:
        """So many days after the true time, from now on."""
        # Whole at once: who reads half a line would stand in another year.
        self._machine.run(
            f"mkdir -p {_FOLDER} && echo '+{days}d' > {_FOLDER}/next && chmod 644 {_FOLDER}/next"
            f" && mv {_FOLDER}/next {_FOLDER}/now"
        )

    @staticmethod
    def under(command: str) -> str:
        """`command` with the moved clock."""
        return f"env {' '.join(f'{name}={value}' for name, value in ENVIRONMENT.items())} {command}"
