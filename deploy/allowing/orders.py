"""What one identity has at the broker, and the orders that give or take it: pure.

The same orders go to the plugin of a running broker (control.py) or, where none runs, into its file (broker.py).
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from deploy.allowing import rights
from deploy.allowing.rights import Role

Order = dict[str, Any]

_LINES_AT_ONCE = 100
"""Of a role so many lines are in the order that makes it; each of the others is an order of its own."""
_BYTES_AT_ONCE = 32 * 1024
"""So long a message of orders may be: half of what the broker takes, whatever is added to each of them."""


class Standing(NamedTuple):
    """One identity as dynamic security has it."""

    name: str
    role: Role | None
    """The role of its own name; None where there is none."""
    roles: tuple[str, ...] | None
    """What its client entry is bound to; None where there is no entry."""
    disabled: bool = False
    connections: int = 0
    """How many there are now. Mosquitto 2.0 does not tell, and means 0."""

    @property
    def holds(self) -> bool:
        """Whether it was given rights, the last step of an enrolment, and no revocation took them."""
        return self.role is not None and self.name in (self.roles or ())

    @property
    def admitted(self) -> bool:
        """Whether it may use them. Who holds them and is disabled was being dropped when something was interrupted."""
        return self.holds and not self.disabled

    @property
    def summary(self) -> str:
        """For a person who has to mend it."""
        roles = ", ".join(self.roles or ()) or "no rights"
        state = "disabled" if self.disabled else "not disabled"
        return f"{self.name} with {roles}, {state}, {self.connections} connections"

    @property
    def out(self) -> bool:
        """Whether it has neither rights nor a connection, and is known as one that shall have none."""
        return self.roles == () and self.disabled and self.connections == 0


Plan = Callable[[Standing], list[Order]]
"""The orders that an identity of this standing needs."""


def grant(role: Role) -> Plan:
    """The identity that `role` is named after shall have it."""
    name = role["rolename"]

    def plan(standing: Standing) -> list[Order]:
        orders: list[Order] = []
        if standing.role is None:
            orders += _of_role("createRole", role)
        elif rights.allowed(standing.role) != rights.allowed(role):
            orders += _of_role("modifyRole", role)
        if standing.roles is None:
            orders.append({"command": "createClient", **rights.client(name)})
            # Whoever was connected by this name without being known, as by a key of an enrolment that was interrupted,
            # would have its rights now: they are dropped, and knock anew.
            orders += [{"command": command, "username": name} for command in ("disableClient", "enableClient")]
            return orders
        if name not in standing.roles:
            orders.append({"command": "addClientRole", "username": name, "rolename": name})
        if standing.disabled:
            orders.append({"command": "enableClient", "username": name})
        return orders

    return plan


def _of_role(command: str, role: Role) -> list[Order]:
    """It has rights before all its lines are there, and never one that it shall not have."""
    first, others = role["acls"][:_LINES_AT_ONCE], role["acls"][_LINES_AT_ONCE:]
    more = [{"command": "addRoleACL", "rolename": role["rolename"], **line} for line in others]
    return [{"command": command, **role, "acls": first}, *more]


def in_messages(orders: Iterable[Order]) -> Iterator[list[Order]]:
    """The same orders in their turn, as many at a time as one message holds."""
    together: list[Order] = []
    size = 0
    for order in orders:
        length = len(msgspec.json.encode(order)) + 1
        if together and size + length > _BYTES_AT_ONCE:
            yield together
            together, size = [], 0
        together.append(order)
        size += length
    if together:
        yield together


def shut_out(standing: Standing) -> list[Order]:
    """Every right is taken, and every connection dropped before the broker answers.

    Disabling alone is not enough: Mosquitto 2.0.11 asks for it only where there is a password, so a disabled client
    that shows its certificate again would have its rights back. Without its role it has none. It is disabled each
    time, since that is what drops a connection, and an identity without an entry (whose enrolment was interrupted) may
    have one, too.
    """
    orders: list[Order] = []
    if standing.roles is None:
        orders.append({"command": "createClient", "username": standing.name})
    # Deleting the role itself while it is in use takes Mosquitto 2.0.11 down.
    orders += [
        {"command": "removeClientRole", "username": standing.name, "rolename": role} for role in standing.roles or ()
    ]
    orders.append({"command": "disableClient", "username": standing.name})
    return orders


def disable(standing: Standing) -> list[Order]:
    """Its connections are dropped; what it may do stays written down."""
    return [] if standing.disabled else [{"command": "disableClient", "username": standing.name}]


def enable(standing: Standing) -> list[Order]:
    """It may connect again."""
    return [{"command": "enableClient", "username": standing.name}] if standing.disabled else []


def told(name: str, role: dict[str, Any], client: dict[str, Any]) -> Standing:
    """From the plugin's answers to getRole and getClient; empty where it has none."""
    found = client.get("client")
    return Standing(
        name=name,
        role=role.get("role"),
        roles=None if found is None else tuple(each["rolename"] for each in found.get("roles", ())),
        disabled=bool(found and found.get("disabled")),
        connections=len(found.get("connections", ())) if found else 0,
    )


def written(document: dict[str, Any], name: str) -> Standing:
    """From the plugin's file."""
    roles = [role for role in document["roles"] if role["rolename"] == name]
    clients = [client for client in document["clients"] if client["username"] == name]
    return told(name, {"role": roles[0]} if roles else {}, {"client": clients[0]} if clients else {})


def applied(document: dict[str, Any], orders: Iterable[Order]) -> dict[str, Any]:
    """The plugin's file once it had followed these orders."""
    after = copy.deepcopy(document)
    for order in orders:
        _apply(after, order["command"], {field: value for field, value in order.items() if field != "command"})
    return after


def _apply(document: dict[str, Any], command: str, order: Order) -> None:
    if command in ("createRole", "modifyRole"):
        others = [role for role in document["roles"] if role["rolename"] != order["rolename"]]
        document["roles"] = [*others, order]
        return
    if command == "addRoleACL":
        (role,) = (each for each in document["roles"] if each["rolename"] == order["rolename"])
        role["acls"] = [*role["acls"], {field: value for field, value in order.items() if field != "rolename"}]
        return
    if command == "createClient":
        document["clients"].append({"roles": [], **order})
        return
    (client,) = (each for each in document["clients"] if each["username"] == order["username"])
    match command:
        case "addClientRole":
            client["roles"] = [*client.get("roles", ()), {"rolename": order["rolename"]}]
        case "removeClientRole":
            client["roles"] = [role for role in client.get("roles", ()) if role["rolename"] != order["rolename"]]
        case "disableClient":
            client["disabled"] = True
        case "enableClient":
            client["disabled"] = False
        case _:
            raise ValueError(f"{command} is no order of ours")
