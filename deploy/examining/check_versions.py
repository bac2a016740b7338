"""What the doctor hears of versions: which rooms are behind the hub or ahead of it, by their own descriptions."""

from collections.abc import Iterator

from deploy.examining.finding import Finding, skipped, well, wrong
from deploy.folder import turns
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from shared.words import messages, topics, versions
from shared.words.messages import Description
from shared.words.problem import HomeError
from shared.words.version import VERSION

_SHOWN = 32
"""Of what a room says its version is; it could say anything."""


def rooms(home: Home) -> Iterator[Finding]:
    """Every room that the broker has a description of."""
    try:
        with turns.turn(home.var, "homesystem doctor"), brokers.as_admin(home) as control:
            told = control.retained([topics.ALL_DESCRIPTIONS])
    except HomeError:
        yield skipped("versions", "not looked at: the broker has to be mended first")
        return
    yield from judged(told)


def judged(told: dict[str, bytes]) -> Iterator[Finding]:
    """The same of descriptions by their topics."""
    faults = []
    for topic, payload in sorted(told.items()):
        parsed = topics.parse(topic)
        if parsed is None or parsed.room is None:
            continue
        try:
            version = messages.decode(Description, payload).agent_version
        except HomeError as error:
            faults.append(wrong("versions", f"room {parsed.room}: its description {error.detail}", _step(parsed.room)))
            continue
        if version != VERSION:
            faults.append(wrong("versions", f"room {parsed.room} {_difference(version)}", _step(parsed.room, version)))
    yield from faults
    if not faults:
        yield well("versions", f"hub and {len(told)} rooms are of version {VERSION}")


def _difference(version: str) -> str:
    shown = f"{version[:_SHOWN]!r}"
    distance = versions.apart(version, VERSION)
    if distance is None:
        return f"says that it is of version {shown}, which is none; the hub is {VERSION}"
    newer = (versions.numbers(version) or ()) > (versions.numbers(VERSION) or ())
    side = "ahead of" if newer else "behind"
    fits = "they still work together" if abs(distance) <= 1 else "they need not work together"
    return f"has version {version[:_SHOWN]}, {side} the hub's {VERSION}: {fits}"


def _step(room: str, version: str = "") -> str:
    ahead = (versions.numbers(version) or ()) > (versions.numbers(VERSION) or ())
    where = "here" if ahead else f"on the Pi of {room}"
    return f"sudo homesystem upgrade, {where}; docs/compatibility.md says what goes together"
