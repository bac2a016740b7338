"""One connection as MQTT 5 sees it: what may be under way, whose number is whose, when the broker is asked, the end."""

import random
from collections.abc import Callable
from typing import Any

import mqtt5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.broker.connection import CONFIRMED_TOGETHER, Connection, Delivery, LinkError
from shared.broker.mqtt import IN_FLIGHT, Subscription
from shared.broker.packets import Fault
from shared.words.problem import HomeError

KEEPALIVE = 10.0
ONCE = mqtt5.QoS.AT_LEAST_ONCE


class Promise:
    """A future without a loop."""

    def __init__(self) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.given_up = False
        self.kept = False

    def done(self) -> bool:
        return self.kept or self.given_up or self.error is not None

    def set_result(self, result: Any) -> None:
        assert not self.done()
        self.kept, self.result = True, result

    def set_exception(self, error: Exception) -> None:
        assert not self.done()
        self.error = error

    def exception(self) -> BaseException | None:
        return self.error


class Broker:
    """The other end, in the same turn: hears all that is said, says what a test has it say."""

    def __init__(self, *, manual_ack: bool = False) -> None:
        self.heard: list[Delivery] = []
        self.woken = self.woken_later = 0
        self.on_message: Callable[[Delivery], None] = self.heard.append
        self.connection = Connection(
            heard=self._hear,
            wake=self._wake,
            wake_later=self._wake_later,
            manual_ack=manual_ack,
            keepalive=KEEPALIVE,
            now=0.0,
        )

    def _wake(self) -> None:
        self.woken += 1

    def _wake_later(self) -> None:
        self.woken_later += 1

    def _hear(self, delivery: Delivery) -> None:
        self.on_message(delivery)

    def says(self, *packets: mqtt5.Packet | bytes, now: float = 0.0) -> None:
        """Have it say these; each is taken."""
        wire = b"".join(packet if isinstance(packet, bytes) else packet.write() for packet in packets)
        self.connection.feed(wire, now)
        while self.connection.step():
            pass

    def hears(self, now: float = 0.0) -> list[mqtt5.Packet]:
        """What was said to it since it was last asked."""
        wire, found = memoryview(self.connection.outgoing(now)), []
        while wire:
            packet, size = mqtt5.read(wire)
            found.append(packet)
            wire = wire[size:]
        return found

    def welcomes(self, **terms: Any) -> Promise:
        welcome = Promise()
        self.connection.connect(mqtt5.ConnectPacket("auth").write(), welcome)
        self.says(mqtt5.ConnAckPacket(**terms))
        assert [type(packet) for packet in self.hears()] == [mqtt5.ConnectPacket]
        return welcome

    def publish(self, payload: bytes = b"x", *, promise: Promise | None = None) -> Promise:
        promise = promise or Promise()
        self.connection.publish("audit/auth", payload, promise, retain=False, expiry=None)
        return promise

    def numbers(self) -> list[int]:
        """Of the messages that were published to it."""
        return [packet.packet_id or 0 for packet in self.hears() if isinstance(packet, mqtt5.PublishPacket)]


def let_in(*, manual_ack: bool = False, **terms: Any) -> Broker:
    made = Broker(manual_ack=manual_ack)
    made.welcomes(**terms)
    return made


def message(number: int | None = 1, payload: bytes = b"x", **more: Any) -> mqtt5.PublishPacket:
    quality = mqtt5.QoS.AT_MOST_ONCE if number is None else ONCE
    return mqtt5.PublishPacket("a/b", payload, **{"qos": quality, "packet_id": number} | more)


# --- beginning ---


def test_a_welcome_is_awaited_before_anything_is_published() -> None:
    broker, welcome = Broker(), Promise()
    broker.connection.connect(b"\x10\x00", welcome)
    with pytest.raises(HomeError):
        broker.publish()
    assert not welcome.done()
    broker.says(mqtt5.ConnAckPacket())
    assert welcome.kept
    assert broker.publish().done() is False


def test_a_refusal_has_the_brokers_words() -> None:
    with pytest.raises(LinkError, match="refused us: Not authorized") as caught:
        let_in(reason_code=mqtt5.ConnAckReasonCode.NOT_AUTHORIZED)
    assert caught.value.fault is None


@pytest.mark.parametrize(
    "packet", [message(), mqtt5.PubAckPacket(1), mqtt5.PingRespPacket(), mqtt5.SubAckPacket(1, [])]
)
def test_nothing_else_is_taken_for_a_welcome(packet: mqtt5.Packet) -> None:
    broker = Broker()
    broker.connection.connect(b"\x10\x00", Promise())
    with pytest.raises(LinkError, match="may not send") as caught:
        broker.says(packet)
    assert caught.value.fault is Fault.PROTOCOL_ERROR
    assert broker.heard == []


def test_a_broker_that_speaks_first_is_not_listened_to() -> None:
    with pytest.raises(LinkError):
        Broker().says(mqtt5.ConnAckPacket())


@pytest.mark.parametrize(
    "packet", [mqtt5.ConnAckPacket(), mqtt5.PingReqPacket(), mqtt5.PubRelPacket(1), mqtt5.ConnectPacket("x")]
)
def test_what_a_broker_may_not_send_ends_the_connection(packet: mqtt5.Packet) -> None:
    with pytest.raises(LinkError, match=f"may not send a {type(packet).__name__} now"):
        let_in().says(packet)


def test_a_subscription_is_answered_one_code_for_each() -> None:
    broker, granted = let_in(), Promise()
    broker.connection.subscribe((Subscription("a"), Subscription("#")), granted)
    (said,) = broker.hears()
    assert isinstance(said, mqtt5.SubscribePacket)
    codes = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE, mqtt5.SubAckReasonCode.NOT_AUTHORIZED]
    broker.says(mqtt5.SubAckPacket(said.packet_id, codes))
    assert granted.result == [1, 135]


@pytest.mark.parametrize(("off", "count"), [(1, 1), (0, 2), (0, 0)])
def test_an_answer_to_another_subscription_is_none(off: int, count: int) -> None:
    broker = let_in()
    broker.connection.subscribe((Subscription("a"),), Promise())
    (said,) = broker.hears()
    assert isinstance(said, mqtt5.SubscribePacket)
    granted = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * count
    with pytest.raises(LinkError, match="subscription"):
        broker.says(mqtt5.SubAckPacket(said.packet_id + off, granted))


# --- what we publish ---


def test_a_reason_code_is_told_to_whoever_waits() -> None:
    broker = let_in()
    first, second = broker.publish(), broker.publish()
    one, two = broker.numbers()
    broker.says(mqtt5.PubAckPacket(two, reason_code=mqtt5.PubAckReasonCode.NO_MATCHING_SUBSCRIBERS))
    assert (first.done(), second.result) == (False, 16)
    broker.says(mqtt5.PubAckPacket(one, reason_code=mqtt5.PubAckReasonCode.NOT_AUTHORIZED))
    assert first.result == 135
    assert type(first.result) is int


def test_what_is_said_at_once_wakes_once() -> None:
    broker = let_in()
    broker.woken = 0
    for _ in range(5):
        broker.publish()
    assert broker.woken == 1
    assert len(broker.hears()) == 5
    broker.publish()
    assert broker.woken == 2


def test_a_confirmation_waits_for_what_goes_next() -> None:
    broker = let_in()
    broker.woken = 0
    broker.says(message(1), message(2))
    assert (broker.woken, broker.woken_later) == (0, 1)
    broker.publish()
    assert broker.woken == 1
    assert [type(packet) for packet in broker.hears()] == [mqtt5.PubAckPacket, mqtt5.PubAckPacket, mqtt5.PublishPacket]
    broker.says(message(3))
    assert (broker.woken, broker.woken_later) == (1, 2)


def test_many_confirmations_do_not_wait() -> None:
    broker = let_in()
    broker.woken = 0
    broker.says(*(message(number) for number in range(1, CONFIRMED_TOGETHER + 1)))
    assert (broker.woken, broker.woken_later) == (0, 1)
    broker.says(message(CONFIRMED_TOGETHER + 1), message(CONFIRMED_TOGETHER + 2))
    assert broker.woken == 1
    assert len(broker.hears()) == CONFIRMED_TOGETHER + 2


@pytest.mark.parametrize(
    ("said", "window"), [({"receive_max": 3}, 3), ({"receive_max": 1000}, IN_FLIGHT), ({}, IN_FLIGHT)]
)
def test_no_more_is_under_way_than_the_broker_takes(said: dict[str, Any], window: int) -> None:
    broker = let_in(**said)
    promises = [broker.publish(str(number).encode()) for number in range(window + 2)]
    first = broker.hears()
    assert len(first) == window
    assert isinstance(first[1], mqtt5.PublishPacket)
    assert first[1].packet_id is not None
    broker.says(mqtt5.PubAckPacket(first[1].packet_id))
    assert promises[1].kept
    (next_one,) = broker.hears()
    assert isinstance(next_one, mqtt5.PublishPacket)
    assert next_one.payload == str(window).encode()


def test_what_was_given_up_while_it_waited_is_never_sent() -> None:
    broker = let_in(receive_max=1)
    broker.publish(b"first")
    given_up, last = broker.publish(b"second"), broker.publish(b"third")
    (number,) = broker.numbers()
    given_up.given_up = True
    broker.says(mqtt5.PubAckPacket(number))
    (said,) = broker.hears()
    assert isinstance(said, mqtt5.PublishPacket)
    assert said.payload == b"third"
    assert not last.done()


def test_one_that_is_given_up_under_way_keeps_its_number_until_it_is_confirmed() -> None:
    broker = let_in(receive_max=1)
    broker.publish().given_up = True
    broker.publish(b"next")
    (number,) = broker.numbers()
    broker.says(mqtt5.PubAckPacket(number))
    assert len(broker.numbers()) == 1


def test_a_confirmation_that_nobody_waits_for_is_no_error_and_frees_nothing() -> None:
    broker = let_in(receive_max=1)
    broker.publish(b"under way")
    waiting = broker.publish(b"waiting")
    (number,) = broker.numbers()
    broker.says(*(mqtt5.PubAckPacket(other) for other in (number + 1, number + 2, 65535, 0)))
    assert broker.numbers() == []
    assert not waiting.done()


def test_numbers_go_round_and_pass_over_those_under_way() -> None:
    broker = let_in()
    broker.publish()
    assert broker.numbers() == [1]
    broker.connection._number = 65_533
    broker.connection.subscribe((Subscription("a"),), Promise())
    for _ in range(3):
        broker.publish()
    assert broker.numbers() == [65_535, 2, 3]
    broker.connection._number = 65_533
    broker.publish()
    assert broker.numbers() == [4], "65,534 is the subscription's"


def test_past_what_can_be_numbered_nothing_is_taken() -> None:
    broker = let_in(receive_max=1)
    for _ in range(65_534):
        broker.publish()
    with pytest.raises(HomeError, match="too much waits"):
        broker.publish()


@pytest.mark.parametrize("size", [64, 101])
def test_what_is_larger_than_the_broker_takes_is_refused_and_nothing_sent(size: int) -> None:
    broker = let_in(max_packet_size=80)
    with pytest.raises(HomeError, match="more than the broker takes") as caught:
        broker.publish(bytes(size))
    assert caught.value.slug == "broker-unreachable"
    assert broker.hears() == []
    broker.publish(bytes(63))
    (said,) = broker.hears()
    assert len(said.write()) == 80


def test_at_the_end_everything_under_way_is_told_and_nothing_more_is_taken() -> None:
    broker = let_in(receive_max=1)
    kept, under_way, waiting, given_up = (broker.publish() for _ in range(4))
    (number,) = broker.numbers()
    broker.says(mqtt5.PubAckPacket(number))
    given_up.given_up = True
    broker.connection.close()
    assert (kept.result, kept.error, given_up.error) == (0, None, None)
    for promise in (under_way, waiting):
        assert isinstance(promise.error, HomeError)
        assert promise.error.slug == "broker-unreachable"
    with pytest.raises(HomeError):
        broker.publish()
    assert broker.connection.outgoing(0.0) == b""
    broker.connection.close()


# --- what we hear ---


def test_a_message_is_confirmed_once_it_was_heard() -> None:
    broker = let_in()
    said_before: list[mqtt5.Packet] = []

    def hear(delivery: Delivery) -> None:
        said_before.extend(broker.hears())
        broker.heard.append(delivery)

    broker.on_message = hear
    broker.says(message(7, b"payload", retain=True, duplicate=True))
    assert said_before == []
    assert broker.hears() == [mqtt5.PubAckPacket(7)]
    (delivery,) = broker.heard
    assert (delivery.topic, delivery.payload, delivery.retained, delivery.mid) == ("a/b", b"payload", True, 7)
    assert delivery.connection is broker.connection


def test_by_hand_it_is_confirmed_once_and_when_we_say_so() -> None:
    broker = let_in(manual_ack=True)
    broker.says(message(7), message(8))
    assert broker.hears() == []
    for number in (8, 8, 9, 0):
        broker.connection.acknowledge(number)
    assert broker.hears() == [mqtt5.PubAckPacket(8)]
    broker.says(message(8))  # the number is free again
    broker.connection.acknowledge(7)
    assert broker.hears() == [mqtt5.PubAckPacket(7)]


def test_a_number_that_the_broker_uses_twice_is_confirmed_twice() -> None:
    """Mosquitto counts round and round, whatever is still in use."""
    broker = let_in(manual_ack=True)
    broker.says(message(7, b"old"), message(7, b"new"))
    for _ in range(3):
        broker.connection.acknowledge(7)
    assert [delivery.payload for delivery in broker.heard] == [b"old", b"new"]
    assert broker.hears() == [mqtt5.PubAckPacket(7)] * 2


def test_quality_0_takes_no_confirmation() -> None:
    broker = let_in()
    broker.says(message(None))
    assert [delivery.mid for delivery in broker.heard] == [0]
    assert broker.hears() == []


def test_a_receiver_that_fails_costs_its_own_message_alone() -> None:
    broker = let_in()

    def fail(_: Delivery) -> None:
        raise RuntimeError

    broker.on_message = fail
    broker.connection.feed(message(7).write() + message(8).write(), 0.0)
    with pytest.raises(RuntimeError):
        broker.connection.step()
    broker.on_message = broker.heard.append
    assert broker.connection.step()
    assert [delivery.mid for delivery in broker.heard] == [8]
    assert broker.hears() == [mqtt5.PubAckPacket(7), mqtt5.PubAckPacket(8)]


def test_the_broker_may_have_as_much_under_way_as_we_said_and_no_more() -> None:
    broker = let_in(manual_ack=True)
    broker.says(*(message(number) for number in range(1, IN_FLIGHT + 1)), message(None))
    broker.connection.acknowledge(5)
    broker.says(message(IN_FLIGHT + 1))
    assert len(broker.heard) == IN_FLIGHT + 2
    with pytest.raises(LinkError, match="at a time") as caught:
        broker.says(message(IN_FLIGHT + 2))
    assert caught.value.fault is Fault.RECEIVE_MAX_EXCEEDED
    assert len(broker.heard) == IN_FLIGHT + 2


@pytest.mark.parametrize(
    ("packet", "fault"),
    [
        (message(0), Fault.PROTOCOL_ERROR),
        (message(9, qos=mqtt5.QoS.EXACTLY_ONCE), Fault.PROTOCOL_ERROR),
        (message(9, topic_alias=1), Fault.TOPIC_ALIAS_INVALID),
        (b"\x20\x7f" + bytes(127), Fault.MALFORMED_PACKET),
        (b"\xff\xff\xff\xff\x7f", Fault.PACKET_TOO_LARGE),
    ],
)
def test_what_is_against_the_rules_ends_the_connection_and_says_which(packet: Any, fault: Fault) -> None:
    broker = let_in(manual_ack=True)
    broker.says(message(7))
    with pytest.raises(LinkError) as caught:
        broker.says(packet)
    assert caught.value.fault is fault
    assert len(broker.heard) == 1


def test_the_brokers_last_word_is_told() -> None:
    taken_over = mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER)
    with pytest.raises(LinkError, match="Session taken over") as caught:
        let_in().says(message(7), taken_over)
    assert caught.value.fault is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the codec's, of its own panic
@settings(deadline=None)
@given(st.integers(0, 2**32), st.binary(max_size=60), st.booleans())
def test_arbitrary_bytes_are_taken_or_end_the_connection_in_words(seed: int, noise: bytes, manual_ack: bool) -> None:
    """Good packets, each bent at random or not, and noise after them."""
    chance = random.Random(seed)
    broker = let_in(manual_ack=manual_ack)
    broker.publish()
    broker.connection.subscribe((Subscription("a"),), Promise())
    good: list[mqtt5.Packet] = [
        message(7),
        message(None),
        mqtt5.PubAckPacket(1),
        mqtt5.SubAckPacket(2, []),
        mqtt5.PingRespPacket(),
    ]
    wire = bytearray().join(packet.write() for packet in chance.choices(good, k=6))
    for _ in range(chance.randrange(4)):
        wire[chance.randrange(len(wire))] = chance.randrange(256)
    broker.connection.feed(bytes(wire) + noise, 0.0)
    steps = 0
    try:
        while broker.connection.step():
            steps += 1
            assert steps <= len(wire) + len(noise)
    except LinkError:
        pass
    broker.connection.close()


# --- whether the broker is there ---


def test_a_silent_broker_is_asked_and_its_answer_is_enough() -> None:
    broker = let_in()
    broker.connection.tick(9.9)
    assert broker.hears(9.9) == []
    broker.connection.tick(10.0)
    assert broker.hears(10.0) == [mqtt5.PingReqPacket()]
    broker.connection.tick(19.9)
    broker.says(mqtt5.PingRespPacket(), now=19.9)
    broker.connection.tick(19.9)
    assert broker.hears(19.9) == []
    broker.connection.tick(20.0)
    assert broker.hears(20.0) == [mqtt5.PingReqPacket()]


def test_a_broker_that_does_not_answer_is_gone_whatever_else_it_says() -> None:
    broker = let_in()
    broker.connection.tick(10.0)
    broker.says(message(None), now=19.0)
    broker.connection.tick(19.9)
    with pytest.raises(LinkError, match="did not answer for 10 s") as caught:
        broker.connection.tick(20.0)
    assert caught.value.fault is None


def test_one_who_only_listens_asks_too_or_the_broker_would_think_us_gone() -> None:
    broker = let_in()
    for now in (3.0, 6.0, 9.0, 10.0):
        broker.says(message(None), now=now)
        broker.connection.tick(now)
    assert broker.hears(10.0) == [mqtt5.PingReqPacket()]


def test_one_who_only_speaks_asks_too_or_would_not_know_the_broker_gone() -> None:
    broker = let_in()
    for now in (3.0, 6.0, 9.0):
        broker.publish()
        broker.hears(now)
    broker.connection.tick(10.0)
    assert broker.hears(10.0) == [mqtt5.PingReqPacket()]


@pytest.mark.parametrize(("theirs", "after"), [(4, 4.0), (60, 10.0), (0, 10.0), (None, 10.0)])
def test_a_broker_that_wants_to_hear_us_more_often_does(theirs: int | None, after: float) -> None:
    broker = let_in(server_keep_alive=theirs)
    broker.connection.tick(after - 0.1)
    assert broker.hears(0.0) == []
    broker.connection.tick(after)
    assert broker.hears(after) == [mqtt5.PingReqPacket()]


# --- all of it together ---


class Traffic(RuleBasedStateMachine):
    """Publishing, giving up and confirming in any order: the broker sees no more than it takes, and all in turn."""

    WINDOW = 3

    def __init__(self) -> None:
        super().__init__()
        self.broker = let_in(receive_max=self.WINDOW)
        self.promises: dict[bytes, Promise] = {}
        self.under_way: dict[int, bytes] = {}
        self.sent: list[bytes] = []
        self.given_up: set[bytes] = set()

    @rule()
    def publish(self) -> None:
        payload = str(len(self.promises)).encode()
        self.promises[payload] = self.broker.publish(payload)

    @precondition(lambda self: self.under_way)
    @rule(chance=st.randoms(use_true_random=False), refused=st.booleans())
    def confirm(self, chance: random.Random, refused: bool) -> None:
        number = chance.choice(sorted(self.under_way))
        payload = self.under_way.pop(number)
        code = mqtt5.PubAckReasonCode.NOT_AUTHORIZED if refused else mqtt5.PubAckReasonCode.SUCCESS
        self.broker.says(mqtt5.PubAckPacket(number, reason_code=code))
        if payload not in self.given_up:
            assert self.promises[payload].result == int(code)

    @precondition(lambda self: any(not promise.done() for promise in self.promises.values()))
    @rule(chance=st.randoms(use_true_random=False))
    def give_up(self, chance: random.Random) -> None:
        payload = chance.choice([one for one, promise in self.promises.items() if not promise.done()])
        self.promises[payload].given_up = True
        self.given_up.add(payload)

    @invariant()
    def the_broker_sees_what_it_said_and_each_in_its_turn(self) -> None:
        for packet in self.broker.hears():
            assert isinstance(packet, mqtt5.PublishPacket)
            assert packet.packet_id not in self.under_way, "a number in use was used again"
            assert packet.packet_id
            self.under_way[packet.packet_id] = packet.payload
            self.sent.append(packet.payload)
        assert len(self.under_way) <= self.WINDOW
        assert [int(payload) for payload in self.sent] == sorted({int(payload) for payload in self.sent})
        waiting = [p for p, promise in self.promises.items() if p not in self.sent and not promise.done()]
        assert not waiting or len(self.under_way) == self.WINDOW, "it waits though the broker would take it"


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(deadline=None, max_examples=40, stateful_step_count=40)
