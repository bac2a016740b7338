"""The two packages: what is in each, and what it asks of the distribution. Pure."""

from typing import NamedTuple

from deploy.debs.targets import Target


class Package(NamedTuple):
    """A package: its name, what the machine becomes, whose code it has, by which locks, and what it needs besides."""

    name: str
    kind: str
    title: str
    description: tuple[str, ...]
    code: tuple[str, ...]
    scripts: tuple[str, ...]
    locks: tuple[str, ...]
    needs: tuple[str, ...]
    recommends: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    replaces: str = ""

    def depends(self, target: Target, libraries: list[str]) -> list[str]:
        """What has to be there. The Python is the very one that the environment is for, and has no upper bound.

        With `python3 (<< 3.12)` an upgrade of Debian would take the package away; so it stays, with its Python, until
        the newer Debian's package comes.
        """
        return sorted([target.interpreter, *self.needs, *libraries])


NOT_PACKED = frozenset({"setuptools", "lgpio"})
"""Programs of the lock files that no package has: one serves `pip install --editable` alone; the other's wheels are not
for arm64, so that it is the system's python3-lgpio."""
_ROOM_SCRIPTS = (
    "settle.sh",
    "place-room.sh",
    "room-renew.sh",
    "ended.sh",
    "from-git.sh",
    "dismiss.sh",
    "resume.sh",
    "empty-room.sh",
)
_ROOM_LOCK = "requirements-room-lgpio.lock"
_NEEDS = ("openssl", "systemd", "debconf (>= 0.5) | debconf-2.0")

HUB = Package(
    name="home-system",
    kind="hub",
    title="home control with proof of who did what (hub)",
    description=(
        "The hub of a home: web gateway, sign-in, record and letters, and a",
        "Mosquitto broker with rights of its own that every room connects to.",
        "A room may hang on the hub itself.",
    ),
    code=("shared", "gateway", "auth_service", "alert_service", "device_agents", "deploy"),
    scripts=(*_ROOM_SCRIPTS, "move-vault.sh", "join.sh", "client.sh"),
    locks=("requirements.lock", _ROOM_LOCK),
    needs=(*_NEEDS, "mosquitto (>= 2.0.11)", "ca-certificates"),
    recommends=("openssh-client",),
    suggests=("avahi-daemon", "libnss-mdns", "python3-lgpio"),
    replaces="home-system-agent",
)
AGENT = Package(
    name="home-system-agent",
    kind="room",
    title="home control with proof of who did what (a room's agent)",
    description=(
        "The agent of one room: it moves relays and reads contacts on the pins of",
        "a Raspberry Pi or any board with a GPIO chip, and obeys the home's hub.",
    ),
    code=("shared", "device_agents", "deploy/upgrading"),
    scripts=_ROOM_SCRIPTS,
    locks=(_ROOM_LOCK,),
    needs=_NEEDS,
    recommends=("python3-lgpio",),
)
PACKAGES = (HUB, AGENT)
