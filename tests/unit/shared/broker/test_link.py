"""A connection's bytes on the loop: what goes together, what a flood leaves to others, and what is taken at the end."""

import asyncio
import logging
from typing import Any, cast

import mqtt5
import pytest

from shared.broker import link as broker_link
from shared.broker.connection import Delivery
from shared.broker.link import PACKETS_A_TURN, Link
from shared.words.problem import HomeError
from tests.house import DEADLINE

TAKEN_OVER = mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER).write()


class Wire:
    """A transport without a network: what was written, and whether somebody reads."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.reading = True
        self.closed = self.aborted = False

    def write(self, some: bytes) -> None:
        assert not self.closed
        self.written.append(some)

    def pause_reading(self) -> None:
        assert self.reading
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.reading
        self.reading = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def get_extra_info(self, name: str) -> Any:
        assert name == "socket"
        return self

    def setsockopt(self, *_: int) -> None:
        """No Nagle here."""


class Ends:
    """A link that the broker has let in, and its wire."""

    def __init__(self, *, manual_ack: bool = False) -> None:
        self.heard: list[Delivery] = []
        self.link = Link(self.hear, manual_ack=manual_ack)
        self.wire = Wire()
        self.link.connection_made(cast("asyncio.Transport", self.wire))
        self.link.connection.connect(b"", asyncio.get_running_loop().create_future())
        self.link.data_received(mqtt5.ConnAckPacket().write())

    def hear(self, delivery: Delivery) -> None:
        self.heard.append(delivery)

    def publish(self, payload: bytes = b"x") -> asyncio.Future[int]:
        promise: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.link.connection.publish("a", payload, promise, retain=False, expiry=None)
        return promise

    async def turn(self) -> None:
        """Let the loop go round, so that what is due now is done."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def flood(count: int) -> bytes:
    """So many messages of quality 0."""
    return mqtt5.PublishPacket("a", b"x").write() * count


async def test_what_is_said_in_one_turn_goes_in_one_write() -> None:
    ends = Ends()
    await ends.turn()
    ends.wire.written.clear()
    ends.publish()
    numbered = mqtt5.PublishPacket("a", b"x", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=9).write()
    ends.link.data_received(numbered)
    ends.publish()
    assert ends.wire.written == []
    await ends.turn()
    (together,) = ends.wire.written
    assert together.endswith(mqtt5.PublishPacket("a", b"x", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=2).write())
    assert mqtt5.PubAckPacket(9).write() in together
    await ends.turn()
    assert len(ends.wire.written) == 1


async def test_what_the_network_does_not_take_waits_for_it() -> None:
    ends = Ends()
    await ends.turn()
    ends.wire.written.clear()
    ends.link.pause_writing()
    for _ in range(3):
        ends.publish()
        await ends.turn()
    assert ends.wire.written == []
    ends.link.resume_writing()
    assert len(ends.wire.written) == 1
    ends.publish()
    await ends.turn()
    assert len(ends.wire.written) == 2


async def test_a_flood_leaves_turns_to_others_and_is_not_read_faster_than_taken() -> None:
    ends, turns = Ends(), 0
    count = 10 * PACKETS_A_TURN

    def other() -> None:
        nonlocal turns
        turns += 1
        if len(ends.heard) < count:
            asyncio.get_running_loop().call_soon(other)

    other()
    ends.link.data_received(flood(count))
    assert len(ends.heard) == PACKETS_A_TURN
    assert not ends.wire.reading
    ends.link.data_received(b"")  # TLS may have had more in hand already
    assert len(ends.heard) == PACKETS_A_TURN
    for _ in range(count // PACKETS_A_TURN + 1):
        await asyncio.sleep(0)
    assert len(ends.heard) == count
    assert turns >= count // PACKETS_A_TURN - 1
    await ends.turn()
    assert ends.wire.reading
    ends.link.data_received(flood(1))
    assert len(ends.heard) == count + 1


async def test_the_last_words_are_taken_though_they_came_behind_a_flood() -> None:
    ends = Ends()
    count = 3 * PACKETS_A_TURN
    confirmed = ends.publish()
    ends.link.data_received(flood(count) + mqtt5.PubAckPacket(1).write() + TAKEN_OVER)
    ends.link.connection_lost(None)
    assert not ends.link.lost.done()
    assert "Session taken over" in await ends.link.lost
    assert len(ends.heard) == count
    assert await confirmed == 0


async def test_a_broker_that_hangs_up_behind_a_flood_is_lost_once_that_is_taken() -> None:
    ends = Ends()
    ends.link.data_received(flood(2 * PACKETS_A_TURN + 1))
    ends.link.connection_lost(ConnectionResetError(104, "Connection reset by peer"))
    assert await ends.link.lost == "[Errno 104] Connection reset by peer"
    assert len(ends.heard) == 2 * PACKETS_A_TURN + 1


async def test_nothing_is_heard_and_nothing_taken_after_the_end() -> None:
    ends = Ends()
    under_way = ends.publish()
    ends.link.data_received(TAKEN_OVER + flood(1))
    ends.link.data_received(flood(1))
    assert ends.heard == []
    assert ends.wire.closed
    with pytest.raises(HomeError):
        await under_way
    with pytest.raises(HomeError):
        ends.publish()
    ends.link.connection_lost(None)
    assert "Session taken over" in ends.link.lost.result()


async def test_a_broker_that_breaks_the_rules_is_told_so_and_left() -> None:
    ends = Ends()
    await ends.turn()
    ends.link.data_received(mqtt5.ConnAckPacket().write())
    assert (
        ends.wire.written[-1] == mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.PROTOCOL_ERROR).write()
    )
    assert ends.wire.closed
    assert ends.link.lost.result() == "the broker may not send a ConnAckPacket now"


async def test_a_receiver_that_fails_is_complained_of_and_the_others_hear(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Ends):
        def hear(self, delivery: Delivery) -> None:
            super().hear(delivery)
            if len(self.heard) == 1:
                raise ZeroDivisionError

    ends = Failing()
    with caplog.at_level(logging.ERROR):
        ends.link.data_received(flood(2))
    assert len(ends.heard) == 2
    assert "Message could not be taken" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert not ends.link.lost.done()


async def test_hanging_up_is_no_longer_waited_for_than_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.broker.link.GOODBYE_SECONDS", 0.01)
    ends = Ends()
    ends.link.connection.goodbye()
    await ends.link.close()
    assert ends.wire.written[-1].endswith(mqtt5.DisconnectPacket().write())
    assert ends.wire.aborted


async def test_a_confirmation_goes_alone_where_nothing_else_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_link, "CONFIRM_SECONDS", 0.0)
    ends = Ends()
    await ends.turn()
    ends.wire.written.clear()
    ends.link.data_received(mqtt5.PublishPacket("a", b"x", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=7).write())
    async with asyncio.timeout(DEADLINE):
        while not ends.wire.written:
            await ends.turn()
    assert ends.wire.written == [mqtt5.PubAckPacket(7).write()]


async def test_what_goes_takes_the_confirmations_along() -> None:
    ends = Ends()
    await ends.turn()
    ends.wire.written.clear()
    ends.link.data_received(mqtt5.PublishPacket("a", b"x", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=7).write())
    ends.publish()
    await ends.turn()
    (together,) = ends.wire.written
    assert together.startswith(mqtt5.PubAckPacket(7).write())
    assert len(together) > len(mqtt5.PubAckPacket(7).write())
