"""The bus on the real broker: what it promises of a link that is refused, held, lost, killed, or given up."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from shared.broker import mqtt
from shared.broker.bus import Delivery
from shared.broker.mqtt import Subscription
from shared.running import backoff
from shared.words import messages, topics
from shared.words.messages import Availability, Revoked
from shared.words.problem import HomeError
from tests.house import DEADLINE, Broker
from tests.integration.bus_parts import Line
from tests.proxy import HoldingProxy

EMPTY = b"{}"


@pytest.fixture
def proxy(broker: Broker) -> Iterator[HoldingProxy]:
    made = HoldingProxy("127.0.0.1", 0, broker.port)
    yield made
    made.close()


async def test_a_publication_is_confirmed_and_heard(broker: Broker) -> None:
    async with Line(broker.config("gateway"), topics.REVOKED).up() as gateway, Line(broker.config("auth")).up() as auth:
        assert await auth.bus.publish(topics.REVOKED, Revoked(sessions=("s1",))) == 0
        await gateway.until(lambda: gateway.heard)
        assert messages.decode(Revoked, gateway.heard[0].payload).sessions == ("s1",)


async def test_a_clock_that_was_set_starts_a_new_life(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    presence = topics.service("auth")
    async with Line(broker.config("gateway"), presence).up() as gateway, Line(broker.config("auth")).up() as auth:
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() - 3600)
        await auth.until(lambda: auth.ups == 2)
        assert auth.downs == 1

        def lives() -> int:
            told = [messages.decode(Availability, d.payload) for d in gateway.heard if d.topic == presence]
            return len({said.session for said in told if said.status == "online"})

        await gateway.until(lambda: lives() == 2)


async def test_nobody_listening_is_told_as_reason_16_and_no_right_as_135(broker: Broker) -> None:
    async with Line(broker.config("auth")).up() as auth:
        assert await auth.bus.send(topics.REVOKED, EMPTY) == mqtt.NO_MATCHING_SUBSCRIBERS
        assert await auth.bus.send(topics.audit("hall"), EMPTY) == mqtt.NOT_AUTHORIZED
        assert auth.bus.connected


async def test_its_birth_heartbeat_and_goodbye_are_heard(broker: Broker) -> None:
    async with Line(broker.config("gateway"), topics.ALL_SERVICES).up() as gateway:

        def of_auth() -> list[Availability]:
            return [
                messages.decode(Availability, one.payload)
                for one in gateway.heard
                if one.topic == topics.service("auth") and one.payload
            ]

        async with Line(broker.config("auth")).up() as auth:
            await gateway.until(lambda: of_auth() and of_auth()[-1].status == "online")
            birth, before = of_auth()[-1], len(of_auth())
            auth.bus.beat()
            await gateway.until(lambda: len(of_auth()) > before)
            assert of_auth()[-1].session == birth.session
            assert abs(birth.at.timestamp() - time.time()) < DEADLINE
        await gateway.until(lambda: of_auth()[-1].status == "offline")
        assert of_auth()[-1].session == birth.session
        async with Line(broker.config("auth")).up():
            await gateway.until(lambda: of_auth()[-1].status == "online")
            assert of_auth()[-1].session != birth.session


async def test_its_will_is_heard_when_it_vanishes(broker: Broker, proxy: HoldingProxy) -> None:
    async with (
        Line(broker.config("gateway"), topics.service("auth")).up() as gateway,
        Line(broker.config("auth", port=proxy.port)).up() as auth,
    ):
        # not just any message: what an earlier connection left behind is retained, and comes first
        await gateway.until(lambda: gateway.heard and b"online" in gateway.heard[-1].payload)
        session = messages.decode(Availability, gateway.heard[-1].payload).session
        proxy.close()
        await auth.until(lambda: auth.downs)
        await gateway.until(lambda: b"offline" in gateway.heard[-1].payload)
        assert messages.decode(Availability, gateway.heard[-1].payload).session == session


async def test_a_denied_subscription_is_no_connection(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    async with Line(broker.config("phone"), "home/#").running() as phone:
        await phone.until(lambda: "may not subscribe to ['home/#']" in caplog.text or _told(caplog, "home/#"))
        assert phone.ups == 0
        assert not phone.bus.connected
        with pytest.raises(HomeError):
            phone.bus.send("home/hall/lamp/set/phone", EMPTY)


def _told(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return any(text in str(record.__dict__.get("facts")) for record in caplog.records)


async def test_an_unreachable_broker_is_told_with_its_reason_and_tried_again(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    broker.stop()
    async with Line(broker.config("auth")).running() as auth:
        await auth.until(lambda: _told(caplog, "nothing listens there"))
        with pytest.raises(HomeError) as caught:
            auth.bus.send(topics.REVOKED, EMPTY)
        assert caught.value.slug == "broker-unreachable"
        await asyncio.to_thread(broker.start)
        await auth.until(lambda: auth.bus.connected)


async def test_a_held_link_stops_being_connected_and_recovers(broker: Broker, proxy: HoldingProxy) -> None:
    async with Line(broker.config("auth", port=proxy.port)).up() as auth:
        assert auth.bus.connected
        proxy.hold()
        under_way = auth.bus.send(topics.REVOKED, EMPTY)
        await auth.until(lambda: not auth.bus.connected)
        with pytest.raises(HomeError) as caught:
            auth.bus.send(topics.REVOKED, EMPTY)
        assert caught.value.slug == "broker-unreachable"
        proxy.release()
        assert await under_way == mqtt.NO_MATCHING_SUBSCRIBERS
        await auth.until(lambda: auth.bus.connected)


async def test_further_heartbeats_do_not_make_a_held_link_look_fresh(broker: Broker, proxy: HoldingProxy) -> None:
    async with Line(broker.config("auth", port=proxy.port)).up() as auth:
        proxy.hold()

        def stalled() -> bool:
            auth.bus.beat()  # as a gateway does whenever a room is born
            return not auth.bus.connected

        await auth.until(stalled)


async def test_a_link_held_for_good_is_given_up_and_what_was_under_way_ends(
    broker: Broker, proxy: HoldingProxy
) -> None:
    async with Line(broker.config("auth", port=proxy.port)).up() as auth:
        proxy.hold()
        under_way = auth.bus.send(topics.REVOKED, EMPTY)
        async with asyncio.timeout(3 * DEADLINE):
            with pytest.raises(HomeError) as caught:
                await under_way
        assert caught.value.slug == "broker-unreachable"
        assert auth.downs == 1
        proxy.release()


async def test_a_killed_broker_is_found_again_and_subscriptions_with_it(broker: Broker) -> None:
    async with Line(broker.config("gateway"), topics.REVOKED).up() as gateway, Line(broker.config("auth")).up() as auth:
        for round_ in range(1, 3):
            await asyncio.to_thread(broker.kill)
            await gateway.until(lambda n=round_: gateway.downs == n)  # type: ignore[misc]  # the round is bound
            await auth.until(lambda n=round_: auth.downs == n)  # type: ignore[misc]  # the round is bound
            with pytest.raises(HomeError):
                auth.bus.send(topics.REVOKED, EMPTY)
            await asyncio.to_thread(broker.start)
            await gateway.until(lambda: gateway.bus.connected)
            await auth.until(lambda: auth.bus.connected)
            assert await auth.bus.publish(topics.REVOKED, Revoked(sessions=(str(round_),))) == 0
            await gateway.until(lambda n=round_: len(gateway.heard) == n)  # type: ignore[misc]  # the round is bound


async def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(broker: Broker) -> None:
    kept = {"keep_session": 60, "manual_ack": True}
    first = Line(broker.config("alerts"), topics.ALL_AUDIT, **kept)
    async with first.up(), Line(broker.config("auth")).up() as auth:
        await auth.bus.send(topics.audit("auth"), b"one")
        await auth.bus.send(topics.audit("auth"), b"two")
        await first.until(lambda: len(first.heard) == 2)
        first.bus.acknowledge(first.heard[0])
        await auth.bus.send(topics.audit("auth"), b"three")
        await first.until(lambda: len(first.heard) == 3)
    async with Line(broker.config("auth")).up() as auth:
        await auth.bus.send(topics.audit("auth"), b"four")
    second = Line(broker.config("alerts"), topics.ALL_AUDIT, **kept)
    async with second.up():
        await second.until(lambda: len(second.heard) == 3)
        assert [one.payload for one in second.heard] == [b"two", b"three", b"four"]
        for delivery in (*first.heard, *second.heard):
            second.bus.acknowledge(delivery)  # the first connection's are nobody's any more
    third = Line(broker.config("alerts"), topics.ALL_AUDIT, **kept)
    async with third.up(), Line(broker.config("auth")).up() as auth:
        await auth.bus.send(topics.audit("auth"), b"five")
        await third.until(lambda: third.heard)
        assert [one.payload for one in third.heard] == [b"five"]
        third.bus.acknowledge(third.heard[0])


async def test_what_came_with_quality_0_can_be_acknowledged_too(broker: Broker) -> None:
    line = Line(broker.config("alerts"), topics.ALL_AUDIT, manual_ack=True)
    async with line.up():
        for number, quality in enumerate("001"):
            await asyncio.to_thread(broker.publish, "auth", "-q", quality, "-t", topics.audit("auth"), "-m", "x")
            await line.until(lambda n=number: len(line.heard) == n + 1)  # type: ignore[misc]  # the number is bound
            line.bus.acknowledge(line.heard[-1])
        # the broker's answer to this comes after its word on what was acknowledged
        await line.bus.send(topics.receipt("auth"), EMPTY)
        assert (line.ups, line.downs) == (1, 0)


async def test_a_backlog_that_comes_before_the_birth_can_be_acknowledged_at_once(broker: Broker) -> None:
    kept = {"keep_session": 60, "manual_ack": True}
    async with Line(broker.config("alerts"), topics.ALL_AUDIT, **kept).up():
        pass
    backlog = 2 * mqtt.IN_FLIGHT + 50
    async with Line(broker.config("auth")).up() as auth:
        for number in range(backlog):
            await auth.bus.send(topics.audit("auth"), str(number).encode())
    line = Line(broker.config("alerts"), topics.ALL_AUDIT, **kept)
    take = line._on_message

    def take_and_acknowledge(delivery: Delivery) -> None:
        take(delivery)
        line.bus.acknowledge(delivery)

    line.bus._on_message = take_and_acknowledge
    async with line.running():
        # more than the broker lets be under way: each acknowledgement must have counted
        await line.until(lambda: len(line.heard) == backlog)
    assert [int(one.payload) for one in line.heard] == list(range(backlog))


async def test_live_only_subscriptions_refuse_what_is_retained(broker: Broker) -> None:
    topic = topics.state("hall", "lamp")
    async with Line(broker.config("hall")).up() as hall:
        await hall.bus.send(topic, b"old", retain=True)
        async with (
            Line(broker.config("gateway"), Subscription(topics.ALL_STATES, live_only=True)).up() as live,
            Line(broker.config("gateway-2"), topics.ALL_STATES).up() as usual,
        ):
            await usual.until(lambda: usual.heard)
            assert usual.heard[0].retained
            await hall.bus.send(topic, b"new", retain=True)
            await live.until(lambda: live.heard)
            assert [(one.payload, one.retained) for one in live.heard] == [(b"new", True)]
            await usual.until(lambda: len(usual.heard) == 2)
            assert not usual.heard[1].retained


async def test_two_of_one_identity_throw_each_other_out_ever_more_slowly(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, attempts = backoff.delay, []

    def delay(attempt: int) -> float:
        attempts.append(attempt)
        return real(attempt)

    monkeypatch.setattr(backoff, "delay", delay)
    async with Line(broker.config("auth")).up() as first, Line(broker.config("auth")).up():
        await first.until(lambda: max(attempts, default=0) >= 2)


async def test_what_one_can_be_without_may_be_refused(broker: Broker) -> None:
    everything = Subscription("#", optional=True)
    async with Line(broker.config("hall"), everything, topics.ALL_SYSTEM).up() as line:
        assert line.bus.connected
    refused = Line(broker.config("hall"), Subscription("#"), topics.ALL_SYSTEM)
    async with refused.running():
        await refused.until(lambda: "hall" in broker.log)
        assert not refused.bus.connected


async def test_a_posted_message_calls_back_with_the_brokers_word_or_that_the_link_was_lost(
    broker: Broker, proxy: HoldingProxy
) -> None:
    said: list[int | None] = []
    async with Line(broker.config("auth", port=proxy.port)).up() as auth:
        auth.bus.post(topics.REVOKED, EMPTY, expiry=5.0, confirmed=said.append)
        await auth.until(lambda: bool(said))
        assert said == [mqtt.NO_MATCHING_SUBSCRIBERS]
        proxy.hold()
        auth.bus.post(topics.REVOKED, EMPTY, expiry=5.0, confirmed=said.append)
        await auth.until(lambda: not auth.bus.connected)
        with pytest.raises(HomeError, match="broker-unreachable"):
            auth.bus.post(topics.REVOKED, EMPTY, expiry=5.0, confirmed=said.append)
        assert len(said) == 1
        proxy.close()
        await auth.until(lambda: len(said) > 1)
    assert said == [mqtt.NO_MATCHING_SUBSCRIBERS, None]
