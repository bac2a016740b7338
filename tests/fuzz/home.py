"""A home to be fuzzed: the demo without limits, with a room, a trusted client and a second gateway that are ours."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from deploy.allowing import rights
from gateway.config import LimitsConfig
from tests.demo import Demo

ROOM, CLIENT, GATEWAY = "attic", "tablet", "gateway-9"
MAY = ("hall/lamp", "hall/front-door", "kitchen/blind", "kitchen/lamp", "garage/door")


@contextlib.contextmanager
def fuzzed_home(folder: Path) -> Iterator[Demo]:
    """Started twice: once to be made, and once with what is added to it."""
    demo = Demo(folder / "home")
    demo.start()
    try:
        outside = folder / "outside"
        outside.mkdir()
        may = [part for device in MAY for part in ("--may", device)]
        for order in (("room", "add", ROOM), ("client", "add", CLIENT, *may)):
            made = demo.command(*order, "--out", str(outside / order[2]))
            assert made.returncode == 0, made.stdout + made.stderr
        demo.stop()
        demo.lift_limits(*msgspec.structs.asdict(LimitsConfig()))
        _add_gateway(demo)
        demo.start()
        yield demo
    finally:
        with contextlib.suppress(AssertionError):  # stopped, and not started again
            demo.stop()


def _add_gateway(demo: Demo) -> None:
    """Certificate and rights of one more gateway, as a second hub would have them."""
    demo.home.authority().ensure_client(GATEWAY, "service")
    path = demo.var / "mosquitto" / "dynamic-security.json"
    known = json.loads(path.read_text())
    role = rights.hub_role(GATEWAY)
    known["roles"].append(role)
    known["clients"].append(rights.client(GATEWAY))
    path.write_text(json.dumps(known))
