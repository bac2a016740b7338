"""A room by one pasted line: the hub offers the agent, the Pi has Debian alone, and its power fails on the way."""

import re
import threading
import time
from collections.abc import Callable

from tests.booted.house import VAR, House
from tests.booted.machine import Machine, TroubleError

_ROOM = "kitchen"
_AGENT = f"homesystem-agent@{_ROOM}"
_WORK = f"/var/lib/homesystem-join/{_ROOM}"
_LINE = re.compile(r"^\(set -e; .*\)$", re.MULTILINE)
_LOOK_SECONDS = 0.01
_PATIENCE = 300.0


def run(house: House) -> None:
    """Two commands on the hub, one line on the Pi, no answer and no edit; pasted again after a power cut."""
    line = _line(house)
    pi = house.machine(_ROOM)
    pi.boot()
    pi.run("apt-get -q update && apt-get -q install -y wget", seconds=600)
    house.report.note("wget is there, as Debian's own installer leaves it; curl is not, and neither is the agent")
    began = time.monotonic()
    _cut_when(pi, (pi.tree / f"{_WORK}/room.csr".lstrip("/")).exists, line)
    left = sorted(path.name for path in (pi.tree / _WORK.lstrip("/")).glob("*"))
    house.report.note(f"its power failed on the way; of the join was left: {', '.join(left) or 'nothing'}")
    pi.boot()
    shown = pi.type(line)
    assert f"This machine is room {_ROOM} now." in shown, shown
    pi.until_active(_AGENT)
    pi.until(lambda: _status(house) == "online", f"the {_ROOM} is online for whoever is signed in", 60)
    took = time.monotonic() - began
    house.report.saw(
        f"one line, pasted twice for the power cut: the {_ROOM} is online {took:.0f} s after the first time"
    )
    _look(house, pi)
    again = pi.type(line)
    assert f"This machine is room {_ROOM} already" in again, again
    house.report.saw("pasted once more it changes nothing, and says so")
    _in_use(house)
    _renewed(house, pi)


def _line(house: House) -> str:
    shown = house.follow(house.hub, "deb-room-add")
    found = _LINE.search(shown)
    assert found is not None, f"no line: {shown}"
    assert "Debian" in shown.partition("gets it from here:")[2], shown
    house.report.saw(f"the hub prints one line, of {len(found[0])} signs, and says which packages it has")
    return found[0]


def _cut_when(machine: Machine, reached: Callable[[], bool], line: str) -> None:
    """The line is typed, and the machine loses its power as soon as that is reached."""
    trouble: list[TroubleError] = []

    def typed() -> None:
        try:
            machine.type(line, code=None)
        except TroubleError as error:
            trouble.append(error)

    person = threading.Thread(target=typed)
    person.start()
    end = time.monotonic() + _PATIENCE
    while person.is_alive() and not reached():
        assert time.monotonic() < end, "it never came so far"
        time.sleep(_LOOK_SECONDS)
    machine.cut()
    person.join(_PATIENCE)
    assert not person.is_alive()


def _status(house: House) -> str | None:
    rooms = house.visitor.call("GET", "/api/v1/rooms").body["rooms"]
    return next((room["status"] for room in rooms if room["id"] == _ROOM), None)


def _look(house: House, pi: Machine) -> None:
    """What lies on the Pi afterwards, and on the hub."""
    assert pi.run(f"ls -d {_WORK} 2>/dev/null || true") == "", "the key lies there still"
    modes = pi.run(f"stat -c '%U %a %n' {VAR}/pki/{_ROOM}/room.key").split()
    assert modes[:2] == ["homesystem", "600"], modes
    key = pi.run(f"openssl pkey -in {VAR}/pki/{_ROOM}/room.key -pubout")
    spread = house.hub.run(f"grep -rl --include='*.key' . {VAR}/pki | grep {_ROOM} || true")
    assert not spread, f"the key is on the hub, too: {spread}"
    certificate = pi.run(f"openssl x509 -in {VAR}/pki/{_ROOM}/room.crt -noout -pubkey -subject")
    assert key in certificate, "the certificate is for another key"
    text = (pi.tree / VAR.lstrip("/") / "agents" / f"{_ROOM}.toml").read_text()
    assert "# [[devices]]" in text
    assert "\n[[devices]]" not in text
    house.report.saw("the key was made there and lies there alone; the room's file is there, with no device in force")


def _in_use(house: House) -> None:
    """No second machine gets the name, and whoever asks is told what to do."""
    shown = house.hub.type(f"sudo homesystem room add {_ROOM}", code=1)
    assert "is in use" in shown, shown
    assert "homesystem room renew" in shown, shown
    house.report.saw("the hub gives the name to nobody else, and says what to do for another card")


def _renewed(house: House, pi: Machine) -> None:
    """The same Pi joins again, as one would that slept through a change of the authority: by another line."""
    reached = f"cat {VAR}/log/*{_ROOM}*.log | grep -c 'Broker reached'"
    parts = f"sha256sum {VAR}/pki/{_ROOM}/room.key {VAR}/pki/{_ROOM}/room.crt {VAR}/agents/{_ROOM}.toml | cut -c1-64"
    before, times = pi.run(parts).split(), int(pi.run(reached))
    found = _LINE.search(house.hub.type(f"sudo homesystem room renew {_ROOM} --yes"))
    assert found is not None, "it prints no line"
    shown = pi.type(found[0])
    assert f"This machine is room {_ROOM} now." in shown, shown
    pi.until_active(_AGENT)
    pi.until(lambda: int(pi.run(reached)) > times, f"the broker lets the {_ROOM} in with what it has now", 60)
    after = pi.run(parts).split()
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, True], (
        "key, certificate, file"
    )
    assert pi.run(f"ls -d {_WORK} 2>/dev/null || true") == "", "the key lies there still"
    house.report.saw("by `room renew` and another line it has another key, the same name and the same file")
