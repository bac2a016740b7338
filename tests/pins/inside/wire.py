"""A 1-Wire bus in memory with DS18B20 on it, as a test drives it: what is plugged in, measured, and wrong."""

from collections.abc import Collection, Mapping
from pathlib import Path

from tests.house import until
from tests.pins.inside.loading import load

DEVICES = Path("/sys/bus/w1/devices")
ADDRESSES = tuple(f"28-00004d454d{16 + number:02x}" for number in range(8))
SEARCH_SECONDS, FORGOTTEN_AFTER = 1, 5
"""The kernel searches every ten seconds, and drops a folder after ten searches, unless it is told these."""
_PARAMETERS = Path("/sys/module/w1_memory/parameters")


def begin() -> None:
    """The bus, with nobody on it."""
    load("wire", f"timeout={SEARCH_SECONDS}", f"slave_ttl={FORGOTTEN_AFTER}")
    load("w1-therm")
    load("w1-memory")


def drive(
    present: Collection[int],
    *,
    celsius: Mapping[int, float] | None = None,
    torn: Collection[int] = (),
    faint: Collection[int] = (),
    shorted: bool = False,
) -> None:
    """How the wire is from now on. Sensors are 0 to 7, and at 20 °C where nothing is said."""
    every = range(len(ADDRESSES))
    _set("raw", [round(16 * (celsius or {}).get(number, 20.0)) for number in every])
    _set("torn", [int(number in torn) for number in every])
    _set("faint", [int(number in faint) for number in every])
    _set("present", [int(number in present) for number in every])
    _set("shorted", [int(shorted)])


def known(present: Collection[int]) -> None:
    """Wait until the kernel's search shows these, and no others."""
    wanted = {ADDRESSES[number] for number in present}
    until(lambda: {path.name for path in DEVICES.glob("28-*")} == wanted, f"folders of {sorted(wanted)}")


def _set(parameter: str, values: list[int]) -> None:
    (_PARAMETERS / parameter).write_text(",".join(map(str, values)))
