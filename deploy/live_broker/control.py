"""The talk with Mosquitto's dynamic-security plugin ($CONTROL), over a connection that is made again when it breaks."""

import itertools
import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from deploy.allowing import orders, rights
from deploy.allowing.orders import Order, Plan, Standing
from shared.broker import mqtt, paho_client
from shared.running import backoff
from shared.trust import tls
from shared.words import messages, topics
from shared.words.problem import HomeError

PATIENCE_SECONDS = 20.0
"""How long a command goes on trying in all, before it says so."""
_ANSWER_SECONDS = 5.0
_QUIET_SECONDS = 0.3
"""Retained messages come in one burst after a subscription; this much silence ends it."""
_FINAL = frozenset({"Not authorized", "Bad user name or password", "Banned"})
"""What the broker answers to a connection that is not let in the next time either (MQTT 5, 3.2.2.2)."""

T = TypeVar("T")


class _Heard(NamedTuple):
    topic: str
    payload: bytes


class _LostError(Exception):
    """The connection broke or could not be made; another try may go well, unless `final`."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Control:
    """A connection to the running broker as `broker.identity`, which needs the right to give orders.

    Whatever breaks is tried again, on a connection of its own and with growing pauses, until `patience` seconds after
    entering. Raises HomeError("broker-unreachable") when that was in vain, or at once where trying again is of no use.
    """

    def __init__(self, broker: mqtt.BrokerConfig, *, patience: float = PATIENCE_SECONDS) -> None:
        self._broker = broker
        self._patience = patience
        self._client: paho_client.Client | None = None
        self._inbox: queue.SimpleQueue[_Heard | _LostError | None] = queue.SimpleQueue()
        self._pause = threading.Event()
        self.tries = 0
        """How many connections were begun since entering."""
        self._end = 0.0

    def __enter__(self) -> Self:
        self.tries = 0
        self._end = time.monotonic() + self._patience
        try:
            self._steadily(lambda _client: None)
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def standing(self, name: str) -> Standing:
        """What an identity has now."""
        return self._steadily(lambda client: self._standing(client, name))

    def settle(self, name: str, plan: Plan, *, done: Callable[[Standing], bool]) -> None:
        """Give the orders that `plan` finds needed, and look again, until an identity's standing is `done`.

        Raises HomeError("internal") with the plugin's own words if it refuses one, or if it took them and nothing came
        of it.
        """

        def once(client: paho_client.Client) -> None:
            for attempt in itertools.count():
                for answer in self._ask(client, plan(self._standing(client, name))):
                    if "error" in answer:
                        raise HomeError("internal", f"The broker refused {answer['command']}: {answer['error']}")
                if done(found := self._standing(client, name)):
                    return
                if time.monotonic() > self._end:
                    raise HomeError("internal", f"The broker took our orders, and still has this: {found.summary}")
                self._pause.wait(backoff.delay(attempt))

        self._steadily(once)

    def retained_of(self, room: str) -> set[str]:
        """The topics on which the broker retains something of a room.

        To be asked while the room still has its rights: with check_retain_source the broker does not show what a
        publisher without them left behind.
        """
        of_devices = [build(room, "+") for build in (topics.state, topics.acknowledgement, topics.event)]
        return set(
            self.retained([*of_devices, topics.description(room), topics.availability(room), topics.room_file(room)])
        )

    def retained(self, filters: Iterable[str]) -> dict[str, bytes]:
        """What the broker retains on these topics, by topic."""
        wanted = list(filters)

        def once(client: paho_client.Client) -> dict[str, bytes]:
            client.subscribe([(filter_, 1) for filter_ in wanted])
            found = {}
            while (heard := self._next(_QUIET_SECONDS)) is not None:
                if heard.payload:
                    found[heard.topic] = heard.payload
            client.unsubscribe(wanted)
            return found

        return self._steadily(once)

    def hears(self, topic: str, fits: Callable[[bytes], bool]) -> bool:
        """Whether a fitting message is retained on `topic`, or comes within seconds."""

        def once(client: paho_client.Client) -> bool:
            client.subscribe(topic, qos=1)
            end = time.monotonic() + _ANSWER_SECONDS
            while (left := end - time.monotonic()) > 0 and (heard := self._next(left)) is not None:
                if heard.topic == topic and fits(heard.payload):
                    return True
            return False

        return self._steadily(once)

    def clear(self, retained: Iterable[str]) -> None:
        """Empty these topics; whoever listens hears of it."""

        def once(client: paho_client.Client) -> None:
            for topic in sorted(retained):
                sent = client.publish(topic, b"", qos=1, retain=True)
                try:
                    sent.wait_for_publish(_ANSWER_SECONDS)
                except (RuntimeError, ValueError) as error:
                    raise _LostError(str(error)) from error
                if not sent.is_published():
                    raise _LostError("it confirmed nothing")

        self._steadily(once)

    def _steadily(self, work: Callable[[paho_client.Client], T]) -> T:
        """Do what may be done twice, on a connection that stands."""
        for attempt in itertools.count():
            try:
                if self._client is None:
                    self._client = self._connect()
                return work(self._client)
            except _LostError as lost:
                self._leave()
                wait = backoff.delay(attempt)
                if lost.final or time.monotonic() + wait > self._end:
                    raise HomeError("broker-unreachable", self._given_up(lost)) from lost
                self._pause.wait(wait)
        raise AssertionError  # count() never ends

    def _connect(self) -> paho_client.Client:
        if (fault := tls.own_fault(self._broker.tls, time.time())) is not None:
            raise HomeError("broker-unreachable", f"The broker would not let us in: {fault}")
        self.tries += 1
        inbox = self._inbox = queue.SimpleQueue()
        gone = messages.encode(mqtt.availability(online=False, session=mqtt.new_session()))
        client = paho_client.new_client(
            self._broker, mqtt.Will(topics.service(self._broker.identity), gone), will_expiry=1
        )
        client.on_connect = lambda _c, _u, _f, reason, _p: inbox.put(
            _LostError(f"it refused us: {reason}", final=str(reason) in _FINAL) if reason.is_failure else None
        )
        client.on_subscribe = lambda *_: inbox.put(None)
        client.on_disconnect = lambda _c, _u, _f, reason, _p: inbox.put(_LostError(client.refusal or str(reason)))
        client.on_message = lambda _c, _u, message: inbox.put(_Heard(message.topic, bytes(message.payload)))
        try:
            client.connect(self._broker.host, self._broker.port, mqtt.KEEPALIVE_SECONDS)
        except ssl.SSLCertVerificationError as error:
            raise _LostError(str(error), final=True) from error
        except OSError as error:
            raise _LostError(str(error)) from error
        self._client = client
        client.loop_start()
        self._await("welcome")
        client.subscribe(rights.CONTROL_ANSWER, qos=1)
        self._await("subscription")
        # From here on an answer to a subscription means nothing more.
        client.on_subscribe = None
        return client

    def _leave(self) -> None:
        if (client := self._client) is not None:
            self._client = None
            client.disconnect()
            client.loop_stop()
            if (left := client.socket()) is not None:  # nobody answers, and so nobody took the goodbye
                left.close()

    def _standing(self, client: paho_client.Client, name: str) -> Standing:
        asked = [{"command": "getRole", "rolename": name}, {"command": "getClient", "username": name}]
        role, entry = (answer.get("data", {}) for answer in self._ask(client, asked))
        return orders.told(name, role, entry)

    def _ask(self, client: paho_client.Client, asked: list[Order]) -> list[dict[str, Any]]:
        """The plugin's answers, in the order of `asked`."""
        return [answer for some in orders.in_messages(asked) for answer in self._ask_at_once(client, some)]

    def _ask_at_once(self, client: paho_client.Client, asked: list[Order]) -> list[dict[str, Any]]:
        client.publish(rights.CONTROL, msgspec.json.encode({"commands": asked}), qos=1)
        while (heard := self._next(_ANSWER_SECONDS)) is not None:
            if heard.topic == rights.CONTROL_ANSWER:
                answers: list[dict[str, Any]] = msgspec.json.decode(heard.payload)["responses"]
                return answers
        raise _LostError("it did not answer")

    def _next(self, seconds: float) -> _Heard | None:
        """The next message; None after so much silence. Raises _LostError when the connection is."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                came = self._inbox.get(timeout=left)
            except queue.Empty:
                break
            if isinstance(came, _LostError):
                raise came
            if came is not None:
                return came
        return None

    def _await(self, what: str) -> None:
        try:
            came = self._inbox.get(timeout=_ANSWER_SECONDS)
        except queue.Empty:
            raise _LostError(f"it sent no {what}") from None
        if isinstance(came, _LostError):
            raise came

    def _given_up(self, lost: _LostError) -> str:
        tried = f" (tried {self.tries} times in {self._patience:.0f} s)" if self.tries > 1 else ""
        reason = tls.why_refused(self._broker.tls, str(lost), time.time())
        return f"The broker cannot be reached{tried}: {reason}"
