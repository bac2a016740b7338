"""10,000 devices in 157 rooms: how soon they are known, what a page of them weighs, what they do to a command.

`python -m tests.bench scale`. The rooms exist at the broker alone (tests/bench/voices.py); three more have real agents.
"""

import asyncio
import contextlib
import http.client
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from auth_service import config as auth_config
from auth_service.hub import accounts
from deploy.allowing import rights
from deploy.folder import home as homes
from deploy.live_broker import broker
from deploy.pki.files import write
from tests.bench import floors, held, reading, resident, sides, voices, volley
from tests.bench.sides import Side
from tests.bench.verdicts import Figure, Target, table

ROOMS = 157
SOME_ROOMS = 16
"""With 64 devices each about a thousand."""
LAMP, SWITCHED = f"{sides.ROOM}/lamp", ("on", "off")
_KNOWN_SECONDS = 60.0
_LOOK_SECONDS = 0.02
_RUNS = 3
_RUN_SECONDS = 2.0
_LOADS = 20
MOST_KB = 60.0
MOST_HELD_MS = 10.0
KNOWN_SECONDS = 5.0


class Known(NamedTuple):
    """After how many seconds everything was known, and how many seconds of CPU the gateway used for it.

    `seconds` is infinite where not all of it was known in the end; `devices` are those that were.
    """

    seconds: float
    cpu: float
    devices: int


class Commands(NamedTuple):
    """The median of the latency at one client (ms) and the rate at eight, a value a run."""

    p50: list[float]
    rate: list[float]


def measure(folder: Path, console: Console) -> Iterator[Table]:
    """Start a home, let its rooms come up, and look."""
    side = Side("here", folder / "home")
    console.print(f"making a home with {ROOMS} rooms more …")
    side.create()
    asyncio.run(admit(side.demo.home, ROOMS))
    with contextlib.ExitStack() as stack:
        stack.enter_context(side.running())
        rates = {10: _commands(side, console, 10)}
        stack.enter_context(_rooms(side, 1, SOME_ROOMS, console))
        _until_known(side, SOME_ROOMS, 0.0, 0.0)
        rates[1_000] = _commands(side, console, 1_000)
        first = _introduced(side, stack, console)
        rates[10_000] = _commands(side, console, 10_000)
        known = [_known_again(side, console) for _ in range(_RUNS)]
        yield _of_commands(rates)
        yield table("10,000 devices", "", [*_of_pages(side, console), *_of_time(first, known)])


async def admit(home: homes.Home, rooms: int) -> None:
    """Enrol so many rooms with certificates and rights for what they will describe, as the demo does with its own.

    The home must not run.
    """
    names = [voices.name(number) for number in range(1, rooms + 1)]
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        for name in names:
            await book.enrol_identity(name, "room")
    authority = home.authority()
    roles = [rights.room_role(name, [device.id for device in voices.devices()]) for name in names]
    for name in names:
        authority.ensure_client(name, "room")
    document = broker.read(home)
    document["roles"] += roles
    document["clients"] += [rights.client(role["rolename"]) for role in roles]
    write(home.mosquitto / "dynamic-security.json", msgspec.json.encode(document), 0o600)


@contextlib.contextmanager
def _rooms(side: Side, first: int, last: int, console: Console) -> Iterator[None]:
    """These rooms are up meanwhile: the broker has all that they say."""
    console.print(f"{last - first + 1} rooms come up …")
    arguments = [str(side.demo.var), str(side.demo.ports["MQTT"]), str(first), str(last)]
    with floors.spawned("tests.bench.voices", *arguments):
        yield


def _introduced(side: Side, stack: contextlib.ExitStack, console: Console) -> Known:
    """The other rooms come up for the first time: from when the broker has all that they say."""
    stack.enter_context(_rooms(side, SOME_ROOMS + 1, ROOMS, console))
    begin, used = time.time(), side.cpu()["gateway"]
    return _until_known(side, ROOMS, begin, used)


def _known_again(side: Side, console: Console) -> Known:
    """The gateway dies and starts: from the birth of its process."""
    console.print("the gateway starts anew …")
    pid = side.demo.reborn("gateway", side.demo.kill("gateway"))
    side.look_again()
    return _until_known(side, ROOMS, resident.born(pid), 0.0)


def _until_known(side: Side, rooms: int, begin: float, used: float) -> Known:
    """Wait until the gateway shows every device of so many rooms as one that is there, with its state.

    One device after the other is asked for, which costs the gateway next to nothing, and all of them once in the end.
    """
    last = [device.id for device, value in voices.devices().items() if value is not None][-1]
    end = time.monotonic() + _KNOWN_SECONDS
    number, devices = 1, 0
    while time.monotonic() < end:
        if number <= rooms and _shows(side, number, last):
            number += 1
        elif number <= rooms:
            time.sleep(_LOOK_SECONDS)
        elif (devices := _shown(side)) == rooms * voices.PER_ROOM:
            return Known(time.time() - begin, side.cpu()["gateway"] - used, devices)
        else:
            time.sleep(_LOOK_SECONDS * voices.PER_ROOM)
    return Known(math.inf, side.cpu()["gateway"] - used, _shown(side))


def _shows(side: Side, number: int, device: str) -> bool:
    path = f"/api/v1/devices/{voices.name(number)}/{device}"
    try:
        return _is_known(side.client.call("GET", path).body)
    except (OSError, http.client.HTTPException):  # it is not up yet
        return False


def _shown(side: Side) -> int:
    devices = side.client.call("GET", "/api/v1/devices").body["devices"]
    return sum(device["room"].startswith("bench-") and _is_known(device) for device in devices)


def _is_known(device: dict[str, Any]) -> bool:
    return bool(device.get("available")) and device.get("state") is not None


def _commands(side: Side, console: Console, devices: int) -> Commands:
    """Commands to a real agent's lamp, with so many devices around."""
    console.print(f"commands beside {devices:,} devices …")
    context = floors.trusting(side.demo.var / "pki" / "web-ca.crt")
    wishes, port = side.wishes(LAMP, SWITCHED), side.demo.ports["HTTPS"]
    one = [volley.fire(port, context, wishes, 1, _RUN_SECONDS) for _ in range(_RUNS)]
    many = [volley.fire(port, context, wishes, 8, _RUN_SECONDS) for _ in range(_RUNS)]
    return Commands([run.figures.quantile(0.5) for run in one], [run.figures.rate for run in many])


def _of_commands(rates: dict[int, Commands]) -> Table:
    figures = []
    few = rates[min(rates)]
    for devices, found in rates.items():
        figures.append(Figure(f"p50, 1 client, {devices:,} devices", "ms", found.p50, few.p50))
        figures.append(Figure(f"rate, 8 clients, {devices:,} devices", "/s", found.rate, few.rate))
    return table("Commands beside many devices", "with 10", figures)


def _of_pages(side: Side, console: Console) -> Iterator[Figure]:
    room = voices.name(1)
    asked = {
        "the home page": ("/", None),
        "a room's page (64 devices)": (f"/rooms/{room}", None),
        "a stream's snapshot of a room": (f"/api/v1/events?rooms={room}", reading.is_whole_snapshot),
        "a stream's snapshot of no room": ("/api/v1/events?rooms=", reading.is_whole_snapshot),
    }
    for name, (path, is_whole) in asked.items():
        console.print(f"{name} …")
        found = [_load(side, path, is_whole) for _ in range(_LOADS)]
        weight = Target(here_most=MOST_KB) if "no room" not in name else None
        yield Figure(f"{name}, on the wire", "KB", [one.wire / 1000 for one in found], target=weight)
        yield Figure("  until it is whole", "ms", [1000 * one.seconds for one in found])
        longest = [1000 * max(one.held for one in found)]
        yield Figure("  the loop held, the longest", "ms", longest, target=Target(here_most=MOST_HELD_MS))
        yield Figure("  the loop held, as a rule", "ms", [1000 * one.held for one in found])
        yield Figure("  a probe's wait, the longest", "ms", [1000 * max(one.waited for one in found)])


def _load(side: Side, path: str, is_whole: Callable[[bytearray], bool] | None) -> held.Held:
    port, context = side.demo.ports["HTTPS"], floors.trusting(side.demo.var / "pki" / "web-ca.crt")
    asking = sides.request(side.demo, side.client, "GET", path, more={"Accept-Encoding": "gzip"})
    return held.probed(side.pid("gateway"), port, context, lambda: reading.Reading(port, context, asking, is_whole))


def _of_time(first: Known, again: list[Known]) -> Iterator[Figure]:
    yield Figure("9,024 devices known, once their rooms came up", "s", [first.seconds])
    yield Figure("  the gateway's CPU meanwhile", "s", [first.cpu])
    yield Figure("  devices with a state in the end", f"of {ROOMS * voices.PER_ROOM:,}", [first.devices])
    target = Target(here_most=KNOWN_SECONDS)
    yield Figure("10,000 devices known after the gateway's start", "s", [one.seconds for one in again], target=target)
    yield Figure("  its CPU by then", "s", [one.cpu for one in again])
    yield Figure("  devices with a state in the end", f"of {ROOMS * voices.PER_ROOM:,}", [one.devices for one in again])
