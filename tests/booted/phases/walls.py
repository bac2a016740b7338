"""Whoever broke into one service of the hub: what of the others it reads, changes, signals or asks then, which is none.

Tried by each service's own user on every file that there is, from three places: as the unit sees the home, outside of
what the unit sees, and from within the folder that is closed to it, where nothing but owners and modes is left.
"""

import json
import shlex

from tests.booted.house import UNITS, VAR, House
from tests.booted.machine import Machine

_PLACES = (VAR, "/var/lib/homesystem-signer", "/var/lib/homesystem-backup", "/var/lib/homesystem-upgrade")
_PYTHON = "$(ls /usr/lib/homesystem/.venv/bin/python /opt/homesystem/.venv/bin/python 2>/dev/null | head -1)"
_ASKS = ("auth",)
"""Who has business at the signer's socket."""
_TRY = """
import json, os, sys
def can(path, how):
    try:
        os.close(os.open(path, how | os.O_NONBLOCK))
    except OSError:
        return False
    return True
found = {"read": [], "write": [], "near": []}
for path in map(os.fsdecode, sys.stdin.buffer.read().split(b"\\0")):
    if not path:
        continue
    if os.path.isdir(path):
        made = os.path.join(path, ".tried")
        if can(made, os.O_WRONLY | os.O_CREAT):
            os.unlink(made)
            found["write"].append(path)
        try:
            os.listdir(path)
            found["read"].append(path)
        except OSError:
            pass
        continue
    for name, how in (("read", os.O_RDONLY), ("write", os.O_WRONLY)):
        if can(path, how):
            found[name].append(path)
for pid in sys.argv[1:]:
    try:
        os.kill(int(pid), 0)
        found["near"].append("signals " + pid)
    except OSError:
        pass
    for name in ("environ", "root/", "mem", "fd/"):
        try:
            os.listdir(f"/proc/{pid}/{name}") if name.endswith("/") else os.close(os.open(f"/proc/{pid}/{name}", 0))
            found["near"].append(f"{name} of {pid}")
        except OSError:
            pass
try:
    import socket
    asked = socket.socket(socket.AF_UNIX)
    asked.settimeout(10)
    asked.connect("/run/homesystem-signer/signer.sock")
    asked.sendall(b"{}\\n")
    found["near"].append("the signer: " + repr(asked.recv(200)))
except OSError:
    pass
print(json.dumps(found))
"""


def run(house: House) -> None:
    """Try it all as each of them."""
    hub = house.hub
    services = [unit.removeprefix("homesystem-") for unit in UNITS]
    pids = {service: hub.unit(f"homesystem-{service}", "MainPID")["MainPID"] for service in services}
    pids["signer"] = hub.unit("homesystem-signer", "MainPID")["MainPID"]
    users = {service: hub.unit(f"homesystem-{service}", "User")["User"] for service in pids}
    assert len(set(users.values())) == len(users), users
    hub.run(f"find {' '.join(_PLACES)} -print0 >/tmp/everything 2>/dev/null; chmod 644 /tmp/everything")
    hub.run(f"cd {VAR}/services && find . -print0 >/tmp/inside; chmod 644 /tmp/inside")
    count = int(hub.run("tr -cd '\\0' </tmp/everything | wc -c"))
    assert count > 100, count
    for service in services:
        others = " ".join(pid for name, pid in pids.items() if name != service)
        _as_its_unit(hub, service, pids[service], others)
        _outside(hub, service, others)
    house.report.saw(
        f"each of {len(services)} services, as its own user, tried {count} files: none of another's is open"
    )
    house.report.saw("none may signal another, look into its memory or its folders, or ask the signer; auth may ask")


def _as_its_unit(hub: Machine, service: str, pid: str, others: str) -> None:
    own, log = f"{VAR}/services/{service}", f"{VAR}/log/{service}"
    state = f"{own}/{'mosquitto' if service == 'broker' else 'data'}"
    seen = _tried(hub, f"nsenter -t {pid} -m", service, "/tmp/everything", others)
    empty = _above(own, log)
    strange = [path for path in seen["read"] if not _is_in(path, own, log) and path not in empty]
    assert strange == [], f"{service} reads {strange}"
    assert f"{own}/{'mosquitto.conf' if service == 'broker' else f'{service}.toml'}" in seen["read"], seen
    assert [path for path in seen["write"] if not _is_in(path, state, log)] == [], f"{service}: {seen['write']}"
    assert state in seen["write"], seen
    _check_near(service, seen["near"])


def _outside(hub: Machine, service: str, others: str) -> None:
    seen = _tried(hub, "", service, "/tmp/everything", others)
    assert seen["read"] + seen["write"] == [], f"{service} outside of its unit: {seen}"
    seen = _tried(hub, f"cd {VAR}/services;", service, "/tmp/inside", others)
    strange = [path for path in seen["read"] + seen["write"] if path != "." and not _is_in(path, f"./{service}")]
    assert strange == [], f"{service} by owners and modes alone: {strange}"
    state = f"./{service}/{'mosquitto' if service == 'broker' else 'data'}"
    assert [path for path in seen["write"] if not _is_in(path, state)] == [], seen["write"]
    _check_near(service, seen["near"])


def _check_near(service: str, found: list[str]) -> None:
    """Who may not ask the signer does not see it, or is told so."""
    asked = [one for one in found if one.startswith("the signer: ")]
    assert found == asked, f"{service}: {found}"
    assert all(service in _ASKS or "takes no orders" in one for one in asked), f"{service}: {asked}"
    assert asked or service not in _ASKS, f"{service} does not reach the signer"


def _is_in(path: str, *folders: str) -> bool:
    return any(f"{path}/".startswith(f"{folder}/") for folder in folders)


def _above(*paths: str) -> set[str]:
    """The folders on the way, of which a unit sees empty ones."""
    return {path.rsplit("/", count)[0] for path in paths for count in range(1, path.count("/"))}


def _tried(hub: Machine, before: str, service: str, listed: str, pids: str) -> dict[str, list[str]]:
    user = f"homesystem-{service}"
    whose = f"setpriv --reuid={user} --regid={user} --init-groups --bounding-set=-all --inh-caps=-all"
    command = f"exec 3<{listed}; {before} {whose} {_PYTHON} -c {shlex.quote(_TRY)} {pids} <&3"
    told: dict[str, list[str]] = json.loads(hub.run(command, seconds=120))
    return told
