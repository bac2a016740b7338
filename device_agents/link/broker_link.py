"""The room's connection to the broker: paho driven by the loop, one fresh client after the other.

Only connecting (names, TCP, TLS) has a thread of its own, because it may take its time; from then on the loop reads
and writes the socket itself, without ever waiting for it. Nothing is published while there is no connection, and
nothing is kept for the next one: lateness has many doors (docs/promises.md).
"""

import contextlib
import functools
import logging
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.properties import Properties

from device_agents.inbox import Changed, Inbox
from device_agents.link import leaving
from device_agents.link.link import NOBODY, Down, Heard, Reached, Refused, Up
from device_agents.link.round_trip import RoundTrip
from device_agents.link.subscriptions import subscriptions
from shared.broker import mqtt, paho_client
from shared.running import backoff, systemd
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.trust import tls
from shared.trust.renewal import Credentials, Newest
from shared.words import messages, topics

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 15.0
"""A connection that is not usable after this long is given up."""
GOODBYE_SECONDS = 0.5
CLOCK_SECONDS = 1.0
"""How often a clock that is not set yet is looked at again."""
_KEEPALIVE_TICK_SECONDS = 1.0
_REFUSED = 128
"""PUBACK reason codes from here on are refusals (MQTT 5, 3.4.2.1)."""


class BrokerLink:
    """See `Link`. What is heard, and what becomes of the connection, is put into `inbox`."""

    def __init__(self, broker: mqtt.BrokerConfig, inbox: Inbox[Any], *, wall: Callable[[], float] = time.time) -> None:
        self.session = ""
        self.up = False
        self.newest: Newest = "untried"
        self.failures = 0
        self._broker = broker
        self._room = broker.identity
        self._inbox = inbox
        self._wall = wall
        self._credentials = Credentials(broker.tls)
        self._waits_for_clock = False
        self._client: paho_client.Client | None = None
        self._reached = False
        self._at = 0.0
        self._confirmed = 0
        self._hears_none = False
        self._round_trip = RoundTrip()

    def fileno(self) -> int | None:
        """The client's socket, once the loop has it."""
        sock = self._client.socket() if self._client is not None and self._reached else None
        return None if sock is None else sock.fileno()

    def wants_write(self) -> bool:
        """Whether there are bytes that the socket would not take."""
        client = self._client
        return client is not None and (client.want_write() or (client.opened is not None and client.opened.is_holding))

    def ready(self) -> None:
        """Let paho read and write; its callbacks run in here."""
        client = self._client
        if client is None:
            return
        client.loop_read()
        # TLS decrypts whole records: what is left in them never makes the socket readable again.
        while isinstance(left := client.socket(), ssl.SSLSocket) and left.pending():
            client.loop_read()
        self.flush()

    def flush(self) -> None:
        """Send what paho queued: one TLS record for all of it, and one packet."""
        client = self._client
        if client is None or client.opened is None or not self._reached:
            return
        if client.want_write():
            client.loop_write()
        with contextlib.suppress(OSError):  # reading finds out, and paho tells
            client.opened.flush()

    def tick(self, now: float) -> None:
        """Connect, give up a connection that hangs, or keep a good one alive."""
        if now < self._at:
            return
        if self.up and self._client is not None:
            self._at = now + (leaving.TICK_SECONDS if self._hears_none else _KEEPALIVE_TICK_SECONDS)
            self._client.loop_misc()
            if (self._hears_none or self._credentials.is_renewed()) and self._is_calm():
                self._renew(self._client, now)
        elif self._client is not None:
            self.took(Down(self._client, "the broker does not answer" if self._reached else NOBODY), now)
        else:
            self._start(now)

    def deadline(self) -> float:
        """The next attempt, the end of patience with this one, or the next look at the keepalive."""
        return self._at

    def took(self, event: Reached | Up | Down, now: float) -> bool:
        """Only the connection of today counts; what an older one still says is of no interest."""
        client = self._client
        if client is None or event.client is not client:
            if isinstance(event, Reached) and isinstance(event.client, paho.Client):
                leaving.drop(event.client)  # given up meanwhile: as an identity has one connection, it would end ours
            return False
        if isinstance(event, Reached):
            self._reached = True
            assert client.opened is not None
            client.opened.flush_soon = _with_flush
            self.ready()
            return False
        if isinstance(event, Up):
            self.up = True
            self._at = now + _KEEPALIVE_TICK_SECONDS
            self.failures = 0
            self.newest = self._credentials.newest()
            self._credentials.taken()
            systemd.notify("STATUS=Online")
            log.info("Broker reached", extra=facts(host=self._broker.host, port=self._broker.port))
            return True
        if (self._reached and not self.up) or event.refused:
            self._credentials.refused()
        self._client, self._reached, self.up = None, False, False
        leaving.drop(client)
        self._later(event.reason, now)
        return False

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, expiry: float | None = None) -> bool:
        """Sent with the next `flush`; what the socket does not take follows as soon as it does."""
        if not self.up or self._client is None:
            return False
        properties = None if expiry is None else _properties(expiry)
        number = self._client.post(topic, payload, retain=retain, properties=properties)
        if number is None:
            return False
        self._round_trip.sent(number, time.monotonic())
        return True

    def is_slow(self, now: float) -> bool:
        """By the way there and back of what we publish on this connection."""
        return self._round_trip.is_slow(now)

    def done_with(self, heard: Heard) -> None:
        """Confirmed only now, so that no more wait in the inbox than the broker's `max_inflight_messages`."""
        if self._client is not None and heard.connection is self._client:
            self._client.ack(heard.mid, 1)

    def close(self) -> None:
        """`offline` in our own words, as a clean leave sends no will."""
        client = self._client
        if not self.up or client is None:
            return
        payload = messages.encode(mqtt.availability(online=False, session=self.session))
        goodbye = client.publish(topics.availability(self._room), payload, qos=1, retain=True).mid
        end = time.monotonic() + GOODBYE_SECONDS
        while self._confirmed != goodbye and self.fileno() is not None and (left := end - time.monotonic()) > 0:
            self._inbox.wait(left, self)
            while self._inbox.take() is not None:
                pass  # too late for anything else
        if self._confirmed != goodbye:
            log.warning("Broker did not hear our goodbye")
        self.up = False
        self._client = None
        leaving.leave(client)

    def _start(self, now: float) -> None:
        if self._is_too_early(now):
            return
        self.session, self._hears_none = mqtt.new_session(), False
        self._round_trip = round_trip = RoundTrip()
        try:
            client = self._client = paho_client.new_client(
                self._broker, self._will(), context=self._credentials.next(), manual_ack=True
            )
        except ConfigError as error:  # a certificate is just being renewed, or was taken away
            self._later(str(error), now)
            return
        self._at = now + PATIENCE_SECONDS
        self._wire(client, round_trip)
        threading.Thread(target=self._connect, args=(client,), name="connect", daemon=True).start()

    def _is_calm(self) -> bool:
        """Nothing is under way either way, as far as can be seen from here."""
        self.ready()
        return self.up and self._inbox.is_empty() and self._round_trip.is_quiet()

    def _renew(self, client: paho_client.Client, now: float) -> None:
        """Leave without our will, and come back at once with the certificate that lies there now.

        First no command reaches us any more, by the broker's word, so that none is on its way when we go: whoever sends
        one meanwhile is told so at once.
        """
        if not self._hears_none:
            client.unsubscribe(topics.commands_for(self._room))
            return
        log.info("Connecting anew with a renewed certificate")
        self._client, self._reached, self.up = None, False, False
        leaving.leave(client)
        self._at = now

    def _is_too_early(self, now: float) -> bool:
        """A board without a clock chip starts in 1970, and TLS must wait until network time has set its clock."""
        early = tls.not_yet(self._broker.tls, self._wall())
        if early is not None:
            self._at = now + CLOCK_SECONDS
        if (early is not None) != self._waits_for_clock:
            self._waits_for_clock = early is not None
            log.warning("Waiting for the clock" if early else "Clock is set", extra=facts(reason=early or "-"))
            systemd.notify(f"STATUS=Waiting for the clock: {early}" if early else "STATUS=Clock is set")
        return early is not None

    def _later(self, reason: str, now: float) -> None:
        self._at = now + backoff.delay(self.failures)
        reason = tls.why_refused(self._broker.tls, reason, self._wall())
        systemd.notify(f"STATUS=Broker cannot be reached: {reason}")
        where = facts(host=self._broker.host, reason=reason, attempt=self.failures)
        log.warning("Broker cannot be reached", extra=where)
        self.failures += 1

    def _will(self) -> mqtt.Will:
        gone = mqtt.availability(online=False, session=self.session)
        return mqtt.Will(topics.availability(self._room), messages.encode(gone))

    def _connect(self, client: paho_client.Client) -> None:
        """On a thread of its own."""
        try:
            client.connect(
                self._broker.host,
                self._broker.port,
                mqtt.KEEPALIVE_SECONDS,
                clean_start=True,
                properties=paho_client.connect_properties(0),
            )
        except (OSError, ValueError) as error:
            self._inbox.put(Down(client, str(error), refused=isinstance(error, ssl.SSLError)))
        else:
            self._inbox.put(Reached(client))

    def _wire(self, client: paho_client.Client, round_trip: RoundTrip) -> None:
        wanted = subscriptions(self._room)

        def on_connect(_c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
            if reason.is_failure:
                self._inbox.put(Down(client, f"the broker refused us: {reason}"))
            else:
                client.subscribe([(s.topic, paho_client.subscribe_options(s)) for s in wanted])

        def on_subscribe(_c: Any, _u: Any, _mid: int, reasons: list[Any], _p: Any) -> None:
            refused, missing = mqtt.refused(wanted, [reason.value for reason in reasons])
            if missing:
                log.warning("Broker lets us hear less than we ask for", extra=facts(topics=missing))
            lost = Down(client, f"the broker does not let us hear {', '.join(refused)}")
            self._inbox.put(lost if refused else Up(client))

        def on_unsubscribe(*_: Any) -> None:
            self._hears_none, self._at = True, 0.0
            self._inbox.stir(Changed())

        def on_message(_c: Any, _u: Any, m: paho.MQTTMessage) -> None:
            self._inbox.leave(Heard(m.topic, bytes(m.payload), m.retain, time.monotonic(), client, m.mid))

        def on_publish(_c: Any, _u: Any, mid: int, reason: Any, _p: Any) -> None:
            self._confirmed = mid
            round_trip.confirmed(mid, time.monotonic())
            if reason.value >= _REFUSED:
                log.warning("Broker refused a message of ours", extra=facts(reason=reason))
                self._inbox.leave(Refused())

        def on_disconnect(_c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
            self._inbox.put(Down(client, client.refusal or str(reason), refused=client.refusal is not None))

        client.on_connect, client.on_subscribe, client.on_publish = on_connect, on_subscribe, on_publish
        client.on_message, client.on_disconnect, client.on_unsubscribe = on_message, on_disconnect, on_unsubscribe
        client.on_socket_register_write = _with_flush


def _with_flush(*_: object) -> None:
    """What paho has to write, and what the socket gathers, waits for the loop."""


@functools.cache
def _properties(expiry: float) -> Properties | None:
    return paho_client.publish_properties(expiry)
