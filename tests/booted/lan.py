"""The home's network: a bridge in a network namespace of its own, one more namespace for each machine on it.

The namespaces are named after the process that made them, so several runs live side by side, and what a killed run
left behind is taken away by the next one.
"""

import contextlib
import ctypes
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_NAMES = Path("/run/netns")
_PREFIX = "house-"
NETWORK = "10.77.0"
ROUTER = f"{NETWORK}.1"
"""The third place: mail server, repository, the way to the packages, and whoever signs in."""


class Lan:
    """One home's network; `with` takes it away again."""

    def __init__(self, suite: str) -> None:
        self._prefix = f"{_PREFIX}{os.getpid()}-{suite}-"
        self._places: list[str] = []
        self.outside = os.open("/proc/self/ns/net", os.O_RDONLY)
        """Where this process was at first."""

    def __enter__(self) -> "Lan":
        _sweep()
        self._add("lan")
        _ip("-n", self.namespace("lan"), "link", "add", "br0", "type", "bridge")
        _ip("-n", self.namespace("lan"), "link", "set", "br0", "up")
        _ip("-n", self.namespace("lan"), "addr", "add", f"{ROUTER}/24", "dev", "br0")
        return self

    def __exit__(self, *_: object) -> None:
        for place in self._places:
            subprocess.run(["ip", "netns", "del", self.namespace(place)], check=False, capture_output=True)
        os.close(self.outside)

    def namespace(self, place: str) -> str:
        """The namespace of a machine, or of the bridge (`lan`)."""
        return self._prefix + place

    def plug(self, place: str, address: str) -> None:
        """A socket in the wall for a machine of that address."""
        self._add(place)
        lan, machine, number = self.namespace("lan"), self.namespace(place), address.rpartition(".")[2]
        _ip("-n", machine, "link", "add", "eth0", "type", "veth", "peer", "name", f"v{number}", "netns", lan)
        _ip("-n", machine, "addr", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", machine, "link", "set", "eth0", "up")
        _ip("-n", machine, "route", "add", "default", "via", ROUTER)
        _ip("-n", lan, "link", "set", f"v{number}", "master", "br0")
        _ip("-n", lan, "link", "set", f"v{number}", "up")

    def readdress(self, place: str, former: str, address: str) -> None:
        """A machine's address from now on; the former one is nobody's at once, without a word to who talks to it."""
        machine = self.namespace(place)
        # In this order: the kernel takes a second address of the same network away with the first.
        _ip("-n", machine, "addr", "del", f"{former}/24", "dev", "eth0")
        _ip("-n", machine, "addr", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", machine, "route", "add", "default", "via", ROUTER)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """This thread, and the threads and programs that it starts, on the bridge."""
        there = os.open(_NAMES / self.namespace("lan"), os.O_RDONLY)
        try:
            enter(there)
            yield
        finally:
            enter(self.outside)
            os.close(there)

    def _add(self, place: str) -> None:
        _ip("netns", "add", self.namespace(place))
        self._places.append(place)
        _ip("-n", self.namespace(place), "link", "set", "lo", "up")


def enter(namespace: int) -> None:
    """Move the calling thread into a network namespace, given as a file descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _sweep() -> None:
    """Take away the namespaces of runs that are dead."""
    for path in _NAMES.glob(f"{_PREFIX}*"):
        match = re.match(rf"{_PREFIX}(\d+)-", path.name)
        if match and not Path(f"/proc/{match[1]}").exists():
            subprocess.run(["ip", "netns", "del", path.name], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
