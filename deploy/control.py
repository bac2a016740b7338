"""Changes the broker's rights while it runs, as the hub-only identity `admin`, and offline when it does not.

Owns the talk with Mosquitto's dynamic-security plugin ($CONTROL) and the signal that makes it read its
revocation list again.
"""

import os
import queue
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec

from deploy import rights
from deploy.home import HUB_CLIENTS, Home
from deploy.pki.files import write
from shared import messages, mqtt, tls, topics
from shared.config import ConfigError
from shared.problem import HomeError

_ANSWER_SECONDS = 5.0
_QUIET_SECONDS = 0.3
"""Retained messages come in one burst after a subscription; this much silence ends it."""

Order = dict[str, Any]


class Control:
    """A short connection to the running broker as `admin`. Raises HomeError("broker-unreachable") on entering."""

    def __init__(self, home: Home) -> None:
        pki = home.pki
        identity = tls.Identity(ca=pki / "device-ca.crt", certificate=pki / "admin.crt", key=pki / "admin.key")
        self._broker = mqtt.BrokerConfig(identity="admin", tls=identity, host="127.0.0.1", port=home.settings.mqtt_port)
        self._inbox: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        gone = messages.encode(mqtt.availability(online=False, session=mqtt.new_session()))
        self._client = mqtt.new_client(self._broker, mqtt.Will(topics.service("admin"), gone), will_expiry=1)
        up: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._client.on_connect = lambda _c, _u, _f, reason, _p: up.put(str(reason) if reason.is_failure else "")
        self._client.on_subscribe = lambda *_: up.put("")
        self._client.on_message = lambda _c, _u, message: self._inbox.put((message.topic, bytes(message.payload)))
        try:
            self._client.connect(self._broker.host, self._broker.port, mqtt.KEEPALIVE_SECONDS)
        except OSError as error:
            raise HomeError("broker-unreachable", f"The broker cannot be reached: {tls.explain(error)}") from error
        self._client.loop_start()
        try:
            self._await(up, "welcome")
            self._client.subscribe(rights.CONTROL_ANSWER, qos=1)
            self._await(up, "subscription")
        except HomeError:
            self._client.loop_stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def order(self, *orders: Order) -> None:
        """Have the plugin do `orders`. Raises HomeError("internal") with its own words if it refuses one."""
        body = msgspec.json.encode({"commands": orders})
        self._client.publish(rights.CONTROL, body, qos=1)
        try:
            _, answer = self._inbox.get(timeout=_ANSWER_SECONDS)
        except queue.Empty:
            raise HomeError("broker-unreachable", "The broker did not answer; see its log") from None
        for response in msgspec.json.decode(answer)["responses"]:
            if "error" in response:
                raise HomeError("internal", f"The broker refused {response['command']}: {response['error']}")

    def retained_of(self, room: str) -> set[str]:
        """The topics on which the broker retains something of a room.

        To be asked while the room still has its rights: with check_retain_source the broker does not show what a
        publisher without them left behind.
        """
        filters = [topics.state(room, "+"), topics.description(room), topics.availability(room)]
        self._client.subscribe([(filter_, 1) for filter_ in filters])
        retained = set()
        while True:
            try:
                topic, payload = self._inbox.get(timeout=_QUIET_SECONDS)
            except queue.Empty:
                break
            if payload:
                retained.add(topic)
        self._client.unsubscribe(filters)
        return retained

    def hears(self, topic: str, fits: Callable[[bytes], bool]) -> bool:
        """Whether a fitting message is retained on `topic`, or comes within seconds."""
        self._client.subscribe(topic, qos=1)
        end = time.monotonic() + _ANSWER_SECONDS
        while (left := end - time.monotonic()) > 0:
            try:
                heard, payload = self._inbox.get(timeout=left)
            except queue.Empty:
                break
            if heard == topic and fits(payload):
                return True
        return False

    def clear(self, retained: set[str]) -> None:
        """Empty these topics; whoever listens hears of it."""
        for topic in sorted(retained):
            self._client.publish(topic, b"", qos=1, retain=True).wait_for_publish(_ANSWER_SECONDS)

    def _await(self, answers: "queue.SimpleQueue[str]", what: str) -> None:
        try:
            refusal = answers.get(timeout=_ANSWER_SECONDS)
        except queue.Empty:
            raise HomeError("broker-unreachable", f"The broker sent no {what}; see its log") from None
        if refusal:
            raise HomeError("broker-unreachable", f"The broker refused us: {refusal}")


def add(home: Home, role: rights.Role) -> None:
    """Give a new identity its rights, in the running broker or, where none runs, in its file."""
    name = role["rolename"]
    try:
        with Control(home) as control:
            control.order(
                {"command": "createRole", **role},
                {"command": "createClient", **rights.client(name)},
            )
    except HomeError as error:
        if error.slug != "broker-unreachable" or broker_pid(home) is not None:
            raise
        document = _read(home)
        document["roles"].append(role)
        document["clients"].append(rights.client(name))
        _write(home, document)


def refresh(home: Home) -> list[str]:
    """Give the hub's own identities what this version needs them to have; returns whose rights changed.

    A home that an older version made lacks what came later. To be called before the broker starts; where it runs, it
    is told at once.
    """
    document = _read(home)
    wanted = rights.outdated(document["roles"], HUB_CLIENTS)
    if not wanted:
        return []
    names = {role["rolename"] for role in wanted}
    new = names - {role["rolename"] for role in document["roles"]}
    clients = [rights.client(name) for name in sorted(new)]
    if broker_pid(home) is None:
        document["roles"] = [role for role in document["roles"] if role["rolename"] not in names] + wanted
        document["clients"] += clients
        _write(home, document)
    else:
        orders = [{"command": "createRole" if role["rolename"] in new else "modifyRole", **role} for role in wanted]
        with Control(home) as control:
            control.order(*orders, *({"command": "createClient", **client} for client in clients))
    return sorted(names)


def shut_out(home: Home, name: str, *, is_room: bool) -> bool:
    """Take every right from an identity and drop its connection; True if a running broker did so at once.

    Disabling alone is not enough: Mosquitto 2.0.11 asks for it only where there is a password, so a disabled
    client that shows its certificate again would have its rights back. Without its role it has none.
    """
    try:
        with Control(home) as control:
            retained = control.retained_of(name) if is_room else set()
            control.order(
                # Deleting the role itself while it is in use takes Mosquitto 2.0.11 down.
                {"command": "removeClientRole", "username": name, "rolename": name},
                {"command": "disableClient", "username": name},
            )
            control.clear(retained)
    except HomeError as error:
        if error.slug != "broker-unreachable" or broker_pid(home) is not None:
            raise
        document = _read(home)
        document["roles"] = [role for role in document["roles"] if role["rolename"] != name]
        for client in document["clients"]:
            if client["username"] == name:
                client |= {"roles": [], "disabled": True}
        _write(home, document)
        return False
    return True


def reload(home: Home) -> bool:
    """Make the running broker read its revocation list again; False where none runs."""
    pid = broker_pid(home)
    if pid is None:
        return False
    os.kill(pid, signal.SIGHUP)
    return True


def broker_pid(home: Home) -> int | None:
    """The running broker of this home, from its pid file, if it is alive and a Mosquitto."""
    try:
        pid = int((home.mosquitto / "mosquitto.pid").read_text())
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError):
        return None
    return pid if name == "mosquitto" else None


def _read(home: Home) -> dict[str, Any]:
    path = home.mosquitto / "dynamic-security.json"
    try:
        document: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise ConfigError(
            f"{path}: the broker's rights cannot be read ({error}); bring it back from a backup"
        ) from error
    return document


def _write(home: Home, document: dict[str, Any]) -> None:
    path = home.mosquitto / "dynamic-security.json"
    owner = path.stat()
    write(path, msgspec.json.format(msgspec.json.encode(document), indent=1), 0o600)
    if os.geteuid() == 0 and owner.st_uid != 0:  # nobody else can, or need; the units forbid the call
        os.chown(path, owner.st_uid, owner.st_gid)
