"""What each identity may do at the broker, pure: roles and clients of Mosquitto's dynamic-security plugin.

Deny by default for publishing, receiving and subscribing; one role per identity, named like it.
"""

from collections.abc import Iterable
from typing import Any

from shared.trust.signing import Grant, Refresh
from shared.words import topics
from shared.words.names import is_gateway, is_hub

Role = dict[str, Any]

HUB_CLIENTS = ("gateway", "auth", "alerts", "admin", "admin-witness", "broker-watch", "signer", "recorder")
"""The hub's own identities; further gateways count among them."""

DEFAULT_ACCESS = {
    "publishClientSend": False,
    "publishClientReceive": False,
    "subscribe": False,
    "unsubscribe": True,
}
CONTROL = "$CONTROL/dynamic-security/v1"
CONTROL_ANSWER = f"{CONTROL}/response"


def room_role(room: str, devices: Iterable[str] = ()) -> Role:
    """A room: hears its own commands and receipts and the hub; says what these devices of its own do, and nothing else.

    A new room has none, and may introduce itself: auth has the signer name those that it then holds for true. So what a
    room leaves at the broker has the bound of its registry, whatever a stolen one makes up.
    """
    of_device = (topics.acknowledgement, topics.state, topics.event)
    return _role(
        room,
        sends=[
            *(build(room, device) for device in sorted(set(devices)) for build in of_device),
            topics.availability(room),
            topics.description(room),
            topics.audit(room),
            topics.csr(room),
            topics.room_file(room),
        ],
        hears=[
            topics.commands_for(room),
            topics.ALL_SYSTEM,
            topics.receipt(room),
            topics.resend(room),
            topics.certificate(room),
            topics.settings(room),
        ],
    )


def client_role(name: str, may: Iterable[tuple[str, str]]) -> Role:
    """A trusted client: commands and hears the devices that it was granted, in its own name only."""
    may = sorted(set(may))
    hears = [
        build(room, device) for room, device in may for build in (topics.state, topics.acknowledgement, topics.event)
    ]
    hears += [topics.availability(room) for room in sorted({room for room, _ in may})]
    return _role(name, sends=[topics.command(room, device, name) for room, device in may], hears=hears)


def hub_role(name: str) -> Role:
    """One of the hub's own identities: a gateway, `auth`, `alerts`, `recorder`, `signer` or the commands' `admin`."""
    sends = [topics.service(name), topics.audit(name)]
    hears = [topics.receipt(name), topics.resend(name)]
    if is_gateway(name):
        sends.append(topics.command("+", "+", name))
        hears += [
            topics.ALL_STATES,
            topics.ALL_ACKS,
            topics.ALL_EVENTS,
            topics.ALL_AVAILABILITY,
            topics.ALL_DESCRIPTIONS,
            topics.ALL_FILES,
            topics.ALL_SYSTEM,
        ]
    elif name == "auth":
        sends += [topics.REVOKED, topics.LOCKDOWN, topics.LOCKOUTS, topics.AUTHORITIES]
        sends += [topics.certificate("+"), topics.settings("+")]
        hears.append(topics.ALL_CSRS)
    elif name == "alerts":
        sends = [topics.service(name), topics.receipt("+"), topics.resend("+")]
        hears = [topics.ALL_AUDIT, topics.ALL_AVAILABILITY, topics.ALL_DESCRIPTIONS]
    elif name == "recorder":
        # It only listens, and says that it is there: of what devices do it tells nobody at the broker.
        sends = [topics.service(name)]
        hears = [topics.ALL_STATES, topics.ALL_AVAILABILITY, topics.ALL_DESCRIPTIONS]
    elif name == "admin-witness":
        # Tells when a starting home is whole; beside `admin`, since each identity has one connection.
        hears = [topics.ALL_AVAILABILITY, topics.ALL_SYSTEM]
    elif name == "broker-watch":
        sends, hears = [], []  # asks for a sign of life, and for nothing else
    elif name == "signer":
        # It alone says who may do what.
        sends.append(CONTROL)
        hears.append(CONTROL_ANSWER)
    elif name == "admin":
        # `home/...` to clear what a revoked room left behind, wherever it could.
        sends += [topics.availability("+"), topics.description("+"), topics.room_file("+"), topics.state("+", "+")]
        sends += [topics.acknowledgement("+", "+"), topics.event("+", "+")]
        hears += [
            topics.ALL_AVAILABILITY,
            topics.ALL_DESCRIPTIONS,
            topics.ALL_FILES,
            topics.ALL_STATES,
            topics.ALL_ACKS,
            topics.ALL_EVENTS,
            topics.ALL_SYSTEM,
        ]
    else:
        raise ValueError(f"{name} is no identity of the hub")
    return _role(name, sends=sends, hears=hears)


def document(roles: Iterable[Role]) -> dict[str, Any]:
    """The plugin's whole file for a new home: one client per role, bound to it by name."""
    roles = list(roles)
    return {
        "defaultACLAccess": DEFAULT_ACCESS,
        "roles": roles,
        "clients": [client(role["rolename"]) for role in roles],
        "groups": [],
    }


def outdated(known: Iterable[Role], hub: Iterable[str]) -> list[Role]:
    """The roles of the hub's own identities and of rooms as they should be, where `known` has another one, or none.

    Further gateways count as the hub's own; what clients may is what they were granted, and is not looked at, nor of
    which devices a room may speak.
    """
    found = {role["rolename"]: allowed(role) for role in known}
    names = dict.fromkeys([*hub, *(name for name in found if is_gateway(name))])
    rooms = [name for name, lines in found.items() if name not in names and _is_room(name, lines)]
    wanted = [*map(hub_role, names), *(room_role(room, _devices(found[room])) for room in rooms)]
    return [role for role in wanted if found.get(role["rolename"]) != allowed(role)]


def order_of(role: Role) -> Grant | Refresh:
    """What the signer is told, so that it gives this role."""
    name, lines = role["rolename"], allowed(role)
    if name in HUB_CLIENTS or is_hub(name):
        return Refresh()
    if _is_room(name, lines):
        return Grant(name=name, role="room", may=tuple((name, device) for device in sorted(_devices(lines))))
    parsed = [topics.parse_pattern(topic) for kind, topic, _ in lines if kind == "publishClientSend"]
    return Grant(name=name, role="client", may=tuple(sorted((topic.room, topic.device) for topic in parsed if topic)))


def speaks_for_all(role: Role) -> bool:
    """Whether a room may still speak of any device that it makes up, as an older version let it."""
    return "+" in _devices(allowed(role))


def client(name: str) -> Role:
    """The client entry of an identity. It has no password: the certificate is the login."""
    return {"username": name, "roles": [{"rolename": name}]}


def allowed(role: Role) -> set[tuple[str, str, bool]]:
    """What a role comes down to, in whatever order it is written."""
    return {(acl["acltype"], acl["topic"], acl["allow"]) for acl in role.get("acls", ())}


def _is_room(name: str, lines: set[tuple[str, str, bool]]) -> bool:
    """Only a room describes itself; of one that was revoked nothing but an idle role may be left."""
    return ("publishClientSend", topics.description(name), True) in lines


def _devices(lines: set[tuple[str, str, bool]]) -> set[str]:
    """Of which devices a room may speak; `+` where an older version let it speak of any."""
    parsed = [topics.parse_pattern(topic) for kind, topic, _ in lines if kind == "publishClientSend"]
    return {topic.device for topic in parsed if topic is not None and topic.kind is topics.TopicKind.STATE}


def _role(name: str, *, sends: list[str], hears: list[str]) -> Role:
    acls = [_acl("publishClientSend", topic) for topic in sends]
    for topic in hears:
        wild = "+" in topic or "#" in topic
        acls.append(_acl("subscribePattern" if wild else "subscribeLiteral", topic))
        acls.append(_acl("publishClientReceive", topic))
    return {"rolename": name, "acls": acls}


def _acl(kind: str, topic: str) -> dict[str, Any]:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
