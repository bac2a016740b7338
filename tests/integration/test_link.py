"""A room's link at the real broker: what a command brings goes in one piece, and comes to what it is."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from device_agents.inbox import Inbox
from device_agents.link.broker_link import PATIENCE_SECONDS, BrokerLink
from device_agents.link.link import Down, Heard, Reached, Refused, Up
from shared.words import topics
from tests.house import DEADLINE, Broker, until
from tests.integration.agent_parts import Client

APPLICATION_DATA = 23
"""The type of a TLS record that carries what the two ends say (RFC 8446, 5.1)."""
STATE, ACK = topics.state("hall", "lamp"), topics.acknowledgement("hall", "lamp")
COMMAND = topics.command("hall", "lamp", "gateway")


class Relay:
    """Passes one connection on to the broker, and counts the records that a client sends."""

    def __init__(self, target: int) -> None:
        self.records = 0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # one of the ends hung up
            near, _ = self._listener.accept()
            far = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=_carry, args=(far, near), daemon=True).start()
            with near, far, near.makefile("rb") as stream:
                while header := stream.read(5):
                    self.records += header[0] == APPLICATION_DATA
                    far.sendall(header + stream.read(int.from_bytes(header[3:], "big")))


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while received := source.recv(65536):
            target.sendall(received)


class Loop:
    """Drives a link as the agent's loop does."""

    def __init__(self, broker: Broker, port: int) -> None:
        self.inbox: Inbox[Any] = Inbox()
        self.link = BrokerLink(msgspec.structs.replace(broker.config("hall"), port=port), self.inbox)

    def until(self, kind: type) -> Any:
        """Live until such an item comes."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            now = time.monotonic()
            self.link.tick(now)
            self.inbox.wait(0.05, self.link)
            while (item := self.inbox.take()) is not None:
                if isinstance(item, Reached | Up | Down):
                    self.link.took(item, now)
                if isinstance(item, kind):
                    return item
        raise AssertionError(f"never came: {kind.__name__}")

    def has_measured(self) -> bool:
        """Whether a way there and back is known by now."""
        self.inbox.wait(0.05, self.link)
        return not self.link.is_slow(time.monotonic())


@contextlib.contextmanager
def given_up(broker: Broker, caplog: pytest.LogCaptureFixture, **where: Any) -> Iterator[dict[str, Any]]:
    """What a link says of an address at which it got no further, once its patience is over; who waits there still is
    let go by the end.
    """
    inbox: Inbox[Any] = Inbox()
    link = BrokerLink(msgspec.structs.replace(broker.config("hall"), **where), inbox)
    now = time.monotonic()
    link.tick(now)
    link.tick(now + PATIENCE_SECONDS)
    (told,) = (record for record in caplog.records if record.getMessage() == "Broker cannot be reached")
    yield told.__dict__["facts"]
    until(lambda: isinstance(inbox.take(), Down), "the thread that connects ends")
    inbox.close()


def test_of_a_name_server_that_keeps_silent_the_loop_says_so_and_does_not_wait_for_it(
    broker: Broker, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def silent(host: str, *_: object, **__: object) -> list[object]:
        assert host == "hub.home.arpa"
        ended.wait(DEADLINE)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    with given_up(broker, caplog, host="hub.home.arpa") as told:
        assert "no name server" in told["reason"]
        assert told["host"] == "hub.home.arpa"
        ended.set()


def test_of_a_machine_that_takes_a_connection_and_says_nothing_the_address_is_told(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        given_up(broker, caplog, port=silent.getsockname()[1]) as told,
    ):
        assert "no machine of that address" in told["reason"]
        assert told["host"] == "127.0.0.1"
        silent.close()


@pytest.fixture
def relay(broker: Broker) -> Iterator[Relay]:
    relay = Relay(broker.port)
    yield relay
    relay.close()


@pytest.fixture
def loop(broker: Broker, relay: Relay) -> Iterator[Loop]:
    loop = Loop(broker, relay.port)
    loop.until(Up)
    yield loop
    loop.link.close()
    loop.inbox.close()


def test_all_that_a_command_brings_is_one_record(broker: Broker, relay: Relay, loop: Loop) -> None:
    with Client(broker, "gateway", STATE, ACK) as gateway:
        gateway.publish(COMMAND, b"{}")
        heard = loop.until(Heard)
        before = relay.records
        assert loop.link.publish(STATE, b"on", retain=True)
        assert loop.link.publish(ACK, b"done")
        loop.link.done_with(heard)
        loop.link.flush()
        gateway.wait_for("the answer", lambda said: True if said.topic == ACK else None)
        assert [said.payload for said in gateway.said] == [b"on", b"done"]
    assert relay.records == before + 1


def test_the_link_is_measured_by_confirmations_that_carry_nothing(broker: Broker, loop: Loop) -> None:
    with Client(broker, "gateway", ACK):
        assert loop.link.is_slow(time.monotonic()), "nothing was measured yet"
        loop.link.publish(ACK, b"done")
        loop.link.flush()
        until(loop.has_measured, "it is confirmed")


def test_what_the_broker_refuses_is_known_by_the_reason_of_its_confirmation(loop: Loop) -> None:
    loop.link.publish(topics.state("kitchen", "lamp"), b"on")
    loop.link.flush()
    loop.until(Refused)


def test_a_goodbye_that_is_gathered_goes_out_before_the_end(broker: Broker, loop: Loop) -> None:
    with Client(broker, "gateway", topics.availability("hall")) as gateway:
        loop.link.close()
        gateway.wait_for("offline", lambda said: True if b"offline" in said.payload else None)
