"""Which orders are obeyed, pure: a name keeps its role, is never given out twice, and the hub's own are a fixed list.

The hub's services may ask, and one of them may be in a stranger's hand: what is refused here, nobody on the hub but
root can have. Names of rooms and clients come from the registry, which whoever asks has looked at; the signer remembers
for itself which of them it ever signed, and which were taken back.
"""

import datetime as dt
import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from deploy.allowing.rights import HUB_CLIENTS
from deploy.pki import leaf as leaves
from deploy.pki.authorities import LEAF_DAYS
from deploy.pki.index import Issued
from deploy.pki.leaf import DEVICE_CA, WEB_CA, Leaf
from shared.trust import authority
from shared.trust.signing import Following, Grant, Phase, RotateWeb, Sign, Step, WebFollowing, WebStep
from shared.words.messages import DESCRIBED_MOST
from shared.words.names import Severity, is_gateway, is_identity, is_reserved
from shared.words.problem import HomeError

CLIENTS = frozenset(HUB_CLIENTS) - {"signer"}
SERVERS = frozenset({"broker", "auth", "alerts", "recorder"})
ENROLMENT = dt.timedelta(hours=1)
"""Rights that are given so soon after a name's first certificate belong to the same enrolment, which has its letter."""
MOST_A_DAY = 20
"""Of one name: a home that is set up, moved and renewed within a day needs a handful."""
HOSTS_MOST = 32
_A_DAY = dt.timedelta(days=1)
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
AUTHORITIES_MOST = 20
"""A hub changes its name a few times in its life, and each new one has an authority for the web."""
THRESHOLDS = (30, 7, 1)
"""Days before its end at which a certificate is told of; renewal has been tried for 30 of them by the first."""
AUTHORITY_THRESHOLDS = (365, 90, *THRESHOLDS)
"""Another one needs the time of the room that is off for longest."""


def leaf_of(order: Sign, issued: Sequence[Issued], now: dt.datetime) -> Leaf:
    """What is to be signed. Raises HomeError: forbidden (and why), rate-limited."""
    check_hosts(order.hosts)
    leaf = _hub_leaf(order) if order.role in (None, "service") else _others_leaf(order, issued)
    today = [line for line in issued if line.name == leaf.name and line.not_after > _of_a_day_ago(now)]
    if len(today) >= MOST_A_DAY:
        raise HomeError("rate-limited", f"{leaf.name} got {MOST_A_DAY} certificates within a day.")
    return leaf


def is_new(order: Sign, issued: Iterable[Issued]) -> bool:
    """Whether a room or client comes into being with it."""
    return order.role in ("room", "client") and _newest(order.name, issued) is None


def is_enrolling(name: str, issued: Iterable[Issued], now: dt.datetime) -> bool:
    """Whether a name came into being so recently that rights belong to that; a renewed certificate is no beginning."""
    first = min((line.not_after for line in issued if line.name == name and line.authority == DEVICE_CA), default=None)
    return first is not None and first > now + dt.timedelta(days=LEAF_DAYS) - ENROLMENT


def check_standing(name: str, role: str | None, issued: Iterable[Issued]) -> None:
    """A room or a client that was signed, in its role, and not taken back. Raises HomeError("forbidden")."""
    newest = _newest(name, issued)
    if newest is None:
        raise HomeError("forbidden", f"No certificate was ever signed for {name}.")
    if newest.gone:
        raise HomeError("forbidden", f"The name {name} was taken back, for good.")
    if newest.role not in ("room", "client") or (role is not None and newest.role != role):
        raise HomeError("forbidden", f"{name} is a {newest.role}, and stays one.")


def check_ours(name: str, issued: Iterable[Issued]) -> None:
    """Nobody takes the hub's own away. Raises HomeError("forbidden")."""
    fixed = name in HUB_CLIENTS or name in SERVERS or is_gateway(name)
    if not is_identity(name) or fixed or any(line.name == name and line.role == "service" for line in issued):
        raise HomeError("forbidden", f"{name} is no room and no client.")


def check_devices(order: Grant) -> None:
    """Rights are for single devices, and a room's for its own. Raises HomeError("forbidden")."""
    if not all(is_identity(part) for ref in order.may for part in ref):
        raise HomeError("forbidden", "Rights are for devices, each named as its room and itself.")
    if order.role == "room" and any(room != order.name for room, _ in order.may):
        raise HomeError("forbidden", f"Room {order.name} speaks of its own devices alone.")
    if order.role == "room" and len(order.may) > DESCRIBED_MOST:
        raise HomeError("forbidden", f"A room describes {DESCRIBED_MOST} devices at the most.")


def check_hosts(hosts: Sequence[str]) -> None:
    """Raises HomeError("forbidden") for what is no name and no address, or for too many of them."""
    if len(hosts) > HOSTS_MOST:
        raise HomeError("forbidden", f"A certificate has {HOSTS_MOST} names at the most.")
    for host in hosts:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if _HOST.fullmatch(host) is None:
                raise HomeError("forbidden", f"{host!r} is no name of a machine.") from None


def check_step(step: Step, now: Following) -> None:
    """Each step towards the authority that follows comes after the one before. Raises HomeError("forbidden").

    Until that one serves everywhere, the former's key is what keeps the home together.
    """
    reached = {None: 0, Phase.BELIEVED: 1, Phase.SIGNING: 2, Phase.SERVING: 3}[now.phase]
    wanted = {"begin": 0, "sign": 1, "serve": 2, "end": 3}[step]
    if wanted > reached:
        raise HomeError("forbidden", f"The authority that follows is not where {step!r} comes next.")


def told_of(step: Step, now: Following) -> str | None:
    """What the owner is told of a step: that another authority follows, and that the former one ends."""
    if step == "begin":
        return "home:authority-followed" if now.phase is None else None
    return "home:authority-ended" if step == "end" else None


def check_web_step(step: WebStep, now: WebFollowing) -> None:
    """As `check_step`, towards another web authority. Raises HomeError("forbidden")."""
    reached = {None: 0, Phase.BELIEVED: 1, Phase.SERVING: 2}[now.phase]
    if {"begin": 0, "serve": 1, "end": 2}[step] > reached:
        raise HomeError("forbidden", f"The web authority that follows is not where {step!r} comes next.")


def check_day(changes_at: dt.datetime | None, now: WebFollowing, moment: dt.datetime) -> None:
    """The hub changes over while the present authority is good, or at once. Raises HomeError("forbidden")."""
    if changes_at is not None and not moment - _A_DAY <= changes_at <= max(now.ends, moment + _A_DAY):
        raise HomeError("forbidden", f"No hub changes over on {changes_at.isoformat()}: the present authority ends.")


class Told(NamedTuple):
    """An event that is written down before a step is taken."""

    what: str
    severity: Severity
    detail: dict[str, str]


def told_of_web(order: RotateWeb, now: WebFollowing) -> Told | None:
    """What is told of a step: when browsers are to be shown another authority, that they are, and the former's end."""
    if order.step == "begin" and now.phase in (None, Phase.BELIEVED):
        if order.changes_at is None or order.changes_at == now.changes_at:
            return None
        detail = {"changes": f"{order.changes_at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"} | _fingerprint(now)
        return Told("home:web-authority-followed", Severity.CRITICAL, detail)
    if order.step == "serve" and now.phase is Phase.BELIEVED:
        return Told("home:web-authority-changed", Severity.CRITICAL, _fingerprint(now))
    return Told("home:web-authority-ended", Severity.INFO, {}) if order.step == "end" else None


def _fingerprint(now: WebFollowing) -> dict[str, str]:
    """Of the one that follows, once there is one: people compare it with what they are to install."""
    found = authority.fingerprints_in(now.pem)
    return {"fingerprint": found[0]} if found else {}


def due(newest: Iterable[Issued], told: dict[str, int], now: dt.datetime) -> list[tuple[Issued, int]]:
    """What is to be told of, each with the days that count: those of `THRESHOLDS` it has come under, the lowest.

    `told` holds, by serial number, the threshold that was told last.
    """
    found = []
    for line in newest:
        left = (line.not_after - now).total_seconds() / 86400
        under = [days for days in (AUTHORITY_THRESHOLDS if line.role == "authority" else THRESHOLDS) if left < days]
        if under and not line.gone and line.revoked_at is None and told.get(key(line), 10**6) > min(under):
            found.append((line, min(under)))
    return found


def key(line: Issued) -> str:
    """How what was told of a certificate is remembered."""
    return f"{line.name}/{line.serial:x}"


def _hub_leaf(order: Sign) -> Leaf:
    leaf = Leaf(name=order.name, role=order.role, hosts=order.hosts, serves=order.serves, authority=order.authority)
    if order.role is None:
        fine = bool(order.hosts) and leaf == leaves.web(order.hosts)
    elif order.serves:
        fine = order.name in SERVERS and bool(order.hosts) and order.authority == DEVICE_CA
    else:
        fine = leaf == leaves.client(order.name, "service") and (is_gateway(order.name) or order.name in CLIENTS)
    if not fine:
        raise HomeError("forbidden", f"{order.name} is no service of the hub as it asks to be signed.")
    return leaf


def _others_leaf(order: Sign, issued: Sequence[Issued]) -> Leaf:
    assert order.role is not None
    leaf = leaves.client(order.name, order.role)
    if order.hosts or order.serves or order.authority == WEB_CA or not is_identity(order.name):
        raise HomeError("forbidden", f"A {order.role} gets no certificate of this kind.")
    newest = _newest(order.name, issued)
    if newest is not None:
        check_standing(order.name, order.role, issued)
    elif is_reserved(order.name):
        # A home that had a room of this name before it was reserved keeps it.
        raise HomeError("forbidden", f"The name {order.name} is kept for the hub.")
    return leaf


def _newest(name: str, issued: Iterable[Issued]) -> Issued | None:
    # What the web's authority signed is named like the hub on its network, and nothing to the broker.
    own = [line for line in issued if line.name == name and line.authority == DEVICE_CA]
    return own[-1] if own else None


def _of_a_day_ago(now: dt.datetime) -> dt.datetime:
    return now + dt.timedelta(days=LEAF_DAYS - 1)
