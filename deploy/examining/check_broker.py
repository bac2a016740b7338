"""What the doctor sees of the broker itself: version and build, and whether the one that runs is the installed one."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.examining.finding import Finding, examine, well, wrong
from deploy.folder import plugin
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from deploy.running import up
from deploy.running.installation import Installation

LEAST = (2, 0, 11)
_INSTALL = "sudo apt install mosquitto"
_TLS = re.compile(rb"libssl|OpenSSL")


def build(home: Home, here: Installation) -> Iterator[Finding]:
    """Mosquitto is new enough and made with what we need; the one that runs is the one that is installed."""
    yield from examine("broker", lambda: _installed(up.mosquitto()))
    if (pid := brokers.process(home)) is not None:
        yield from examine("broker", lambda: _running(pid, here))


def _installed(program: str) -> Iterator[Finding]:
    said = subprocess.run([program, "-h"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    version = read_version(said.stdout)
    if version is None:
        yield wrong("broker", f"{program} does not say its version: {(said.stderr or said.stdout)[:200]!r}", _INSTALL)
        return
    shown = ".".join(map(str, version))
    if version < LEAST:
        least = ".".join(map(str, LEAST))
        yield wrong("broker", f"Mosquitto {shown} is too old; {least} or newer is needed", _INSTALL)
    elif _TLS.search(Path(program).resolve().read_bytes()) is None:
        yield wrong("broker", f"Mosquitto {shown} in {program} was built without TLS", _INSTALL)
    else:
        yield well("broker", f"Mosquitto {shown}, with TLS, and dynamic security in {plugin.find()}")


def _running(pid: int, here: Installation) -> Iterator[Finding]:
    """An update of the package leaves the old program running until somebody restarts it."""
    program = Path(f"/proc/{pid}/exe").readlink()
    if str(program).endswith(" (deleted)"):
        yield wrong("broker", "an older Mosquitto than the installed one still runs", here.start("broker"))


def read_version(said: str) -> tuple[int, ...] | None:
    """From `mosquitto -h`: `mosquitto version 2.0.11`."""
    match = re.search(r"version (\d+)\.(\d+)\.(\d+)", said)
    return tuple(map(int, match.groups())) if match else None
