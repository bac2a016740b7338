"""Waits until a starting home would execute a command, and says so on standard output.

`homesystem up` starts `python -m deploy.running.ready SINCE` beside the supervisor; it ends when the home is ready or
the supervisor is gone. SINCE, in seconds since 1970, is when the home was started: what was said before does not count.
"""

import http.client
import os
import queue
import socket
import ssl
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path

import msgspec
import paho.mqtt.client as paho

from deploy.allowing import orders
from deploy.folder import home as homes
from deploy.live_broker import broker
from shared.broker import mqtt, paho_client
from shared.words import messages, topics
from shared.words.names import Role
from shared.words.problem import HomeError

_POLL_SECONDS = 0.1
_WEB_SECONDS = 0.3
"""Slow enough for the gateway's own limit on reads."""
_COMPLAIN_SECONDS = 15.0
_SERVICES = frozenset({"gateway", "auth", "alerts", "recorder"})


class DemoUser(msgspec.Struct, frozen=True):
    """One line of `demo-users.json`."""

    email: str
    password: str
    role: Role


class Witness:
    """Hears, as `admin-witness`, who of the home is there since `started` (seconds since 1970)."""

    def __init__(self, home: homes.Home, awaited: Collection[str], started: float) -> None:
        self._home = home
        self._started = started
        self.missing = set(awaited)
        self._heard: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._client: paho.Client | None = None

    def connected(self) -> bool:
        """Whether the broker is reached, connecting where needed."""
        if self._client is None or not self._client.is_connected():
            self._connect()
        return self._client is not None

    def listen(self, seconds: float) -> set[str]:
        """Take in what was said, waiting at most `seconds` for more; who is still missing."""
        self.connected()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.missing:
            try:
                self._fold(*self._heard.get(timeout=left))
            except queue.Empty:
                break
        return self.missing

    def close(self) -> None:
        """Leave the broker."""
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()

    def _connect(self) -> None:
        self.close()
        reached = broker.config(self._home, "admin-witness")
        gone = messages.encode(mqtt.availability(online=False, session=mqtt.new_session()))
        client = paho_client.new_client(reached, mqtt.Will(topics.service(reached.identity), gone), will_expiry=1)
        wanted = [(topics.ALL_SYSTEM, 1), (topics.ALL_AVAILABILITY, 1)]

        def on_connect(*_: object) -> None:
            client.subscribe(wanted)

        client.on_connect = on_connect
        client.on_message = lambda _c, _u, message: self._heard.put((message.topic, bytes(message.payload)))
        try:
            client.connect(reached.host, reached.port, mqtt.KEEPALIVE_SECONDS)
        except OSError:
            return  # the broker is not up yet: the next round tries again
        client.loop_start()
        self._client = client

    def _fold(self, topic: str, payload: bytes) -> None:
        parsed = topics.parse(topic)
        if parsed is None or parsed.kind not in {topics.TopicKind.SERVICE, topics.TopicKind.AVAILABILITY}:
            return
        try:
            there = messages.decode(messages.Availability, payload)
        except HomeError:
            return  # an emptied topic of a revoked room
        name = parsed.room or parsed.who
        if there.status == "online" and there.at.timestamp() >= self._started:
            self.missing.discard(name)


def web_is_ready(home: homes.Home) -> bool:
    """Whether the gateway says of itself that it could do its work."""
    return ask_web(home, "/readyz") == http.HTTPStatus.OK


def ask_web(home: homes.Home, path: str) -> int | None:
    """The status with which the gateway answers GET `path`; None where it does not, or where it is another home's.

    A household's own certificate may be of any authority: that it is the one which is shown says that it is ours.
    """
    trusted = ssl.create_default_context(cafile=str(home.pki / "web-ca.crt"))
    if (own := homes.own_certificate(home)) is not None:
        trusted.load_verify_locations(cafile=own)
        trusted.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        trusted.check_hostname = False
    connection = http.client.HTTPSConnection(homes.HERE, home.settings.https_port, timeout=5, context=trusted)
    try:
        # What it is called here is in no browser's certificate, where it lives apart.
        place = (home.called("gateway"), home.settings.https_port)
        connection.sock = trusted.wrap_socket(socket.create_connection(place, 5), server_hostname=homes.HERE)
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def announce(home: homes.Home) -> None:
    """What a newcomer needs to know, and the line that says that all is there."""
    address = f"https://localhost:{home.settings.https_port}"
    lines = [
        "",
        f"  address    {address}",
        f"  authority  {home.pki / 'web-ca.crt'} (import it, or accept the warning once)",
    ]
    users = home.var / "demo-users.json"
    if users.exists():
        known = msgspec.json.decode(users.read_bytes(), type=list[DemoUser])
        lines += [f"  {user.role:<9}  {user.email}   password  {user.password}" for user in known]
        lines.append(f"  letters    {home.var / 'mail'}/*.eml (the confirmation codes come here, too)")
    lines += [f"  logs       {home.var / 'log'}", "  stop       Ctrl-C", "", f"ready {address}"]
    print("\n".join(lines), flush=True)


def rooms_to_come(home: homes.Home) -> set[str]:
    """Those that have a file here, but for whoever was revoked and comes no more."""
    document = broker.read(home)
    rooms = {path.stem for path in (home.var / "agents").glob("*.toml")}
    return {room for room in rooms if not orders.written(document, room).out}


def main() -> int:
    """Wait and announce; 1 if the supervisor ended first."""
    home = homes.find(homes.folder())
    rooms = rooms_to_come(home)
    supervisor = os.getppid()
    witness = Witness(home, _SERVICES | rooms, started=float(sys.argv[1]))
    pause = threading.Event()
    next_complaint = time.monotonic() + _COMPLAIN_SECONDS
    try:
        while os.getppid() == supervisor:
            witness.listen(_POLL_SECONDS)
            if not witness.missing:
                if web_is_ready(home):
                    announce(home)
                    return 0
                pause.wait(_WEB_SECONDS)
            if time.monotonic() > next_complaint:
                next_complaint += _COMPLAIN_SECONDS
                waiting = ", ".join(sorted(witness.missing)) or "the gateway's own checks"
                print(f"still waiting for {waiting}; the reason stands in {_logs(home)}", flush=True)
    except KeyboardInterrupt:
        pass  # Ctrl-C ends the home; the supervisor does the rest
    finally:
        witness.close()
    return 1


def _logs(home: homes.Home) -> Path:
    return home.var / "log"


if __name__ == "__main__":
    raise SystemExit(main())
