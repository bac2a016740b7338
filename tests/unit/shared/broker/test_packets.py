"""What goes to the broker in bytes, and what comes from it, wherever the network cut it and whatever it is."""

import itertools

import mqtt5
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.broker import mqtt, packets
from shared.broker.mqtt import Subscription, Will

SAID: list[mqtt5.Packet] = [
    mqtt5.ConnAckPacket(receive_max=200, max_packet_size=65536),
    mqtt5.PublishPacket("home/hall/lamp/state", b"{}", qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=7),
    mqtt5.PublishPacket("home/hall/lamp/state", bytes(300), retain=True, message_expiry_interval=5),
    mqtt5.PubAckPacket(7, reason_code=mqtt5.PubAckReasonCode.NOT_AUTHORIZED),
    mqtt5.SubAckPacket(3, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]),
    mqtt5.PingRespPacket(),
    mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER, reason_str="über"),
]
WIRE = b"".join(packet.write() for packet in SAID)
TEXT_THAT_IS_NO_UTF_8 = b"\x30\x05\x00\x02\xff\xfe\x00"


def read_all(reader: packets.Reader) -> list[packets.Packet]:
    return list(iter(reader.next, None))


def parsed(packet: bytes) -> packets.Packet:
    said, size = mqtt5.read(memoryview(packet))
    assert size == len(packet)
    return said


@given(st.lists(st.integers(0, len(WIRE)), max_size=30))
def test_packets_are_whole_wherever_the_network_cut_them(cuts: list[int]) -> None:
    reader, found = packets.Reader(), []
    places = [0, *sorted(cuts), len(WIRE)]
    for begin, end in itertools.pairwise(places):
        reader.feed(WIRE[begin:end])
        found += read_all(reader)
    assert found == SAID


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the codec's, of its own panic
@given(st.lists(st.binary(max_size=40) | st.sampled_from([packet.write() for packet in SAID]), max_size=20))
@example([TEXT_THAT_IS_NO_UTF_8])
@example([b"\x30\xff\xff\xff\xff"])
def test_whatever_comes_is_read_to_its_end_or_refused(pieces: list[bytes]) -> None:
    reader, found = packets.Reader(), 0
    try:
        for piece in pieces:
            reader.feed(piece)
            while reader.next() is not None:
                found += 1
                assert found <= len(b"".join(pieces)) // 2, "a packet has two bytes or more"
    except packets.MalformedError:
        pass


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the codec's, of its own panic
def test_text_that_is_no_utf_8_is_refused_though_the_codec_panics_of_it() -> None:
    reader = packets.Reader()
    reader.feed(TEXT_THAT_IS_NO_UTF_8)
    with pytest.raises(packets.MalformedError) as caught:
        reader.next()
    assert caught.value.fault is packets.Fault.MALFORMED_PACKET


@pytest.mark.parametrize("more", [b"", bytes(1000)])
def test_a_packet_that_is_too_large_is_refused_as_soon_as_it_says_so(more: bytes) -> None:
    reader = packets.Reader()
    reader.feed(b"\x30\x81\x80\x80\x08" + more)  # 16 MiB and a byte
    with pytest.raises(packets.MalformedError, match="16777217 bytes") as caught:
        reader.next()
    assert caught.value.fault is packets.Fault.PACKET_TOO_LARGE


def test_the_largest_packet_comes_through() -> None:
    reader = packets.Reader()
    packet = mqtt5.PublishPacket("a", bytes(packets.MOST_BYTES - 4)).write()
    for begin in range(0, len(packet), 262_144):
        assert reader.next() is None
        reader.feed(packet[begin : begin + 262_144])
    assert reader.next() == mqtt5.PublishPacket("a", bytes(packets.MOST_BYTES - 4))


@pytest.mark.parametrize(("seconds", "clean"), [(0, True), (3600, False)])
def test_our_first_word_asks_for_a_session_only_where_one_is_kept(seconds: int, clean: bool) -> None:
    will = Will("system/auth/availability", b"gone")
    said = parsed(packets.connect("auth", will, will_expiry=15.0, session_seconds=seconds))
    assert isinstance(said, mqtt5.ConnectPacket)
    assert (said.client_id, said.clean_start, said.session_expiry_interval) == ("auth", clean, seconds)
    assert (said.keep_alive, said.receive_max) == (mqtt.KEEPALIVE_SECONDS, mqtt.IN_FLIGHT)
    assert (said.max_packet_size, said.topic_alias_max) == (packets.MOST_BYTES, 0)
    assert said.will is not None
    assert (said.will.topic, said.will.payload, said.will.retain) == (will.topic, will.payload, True)
    assert (said.will.qos, said.will.message_expiry_interval) == (mqtt5.QoS.AT_LEAST_ONCE, 15)


def test_what_is_live_only_asks_for_nothing_that_was_retained_and_for_the_flag() -> None:
    said = parsed(packets.subscribe(9, (Subscription("a/+", live_only=True), Subscription("b/#", qos=0))))
    assert isinstance(said, mqtt5.SubscribePacket)
    live, usual = said.topic_filters
    assert (said.packet_id, live.pattern, usual.pattern) == (9, "a/+", "b/#")
    assert (live.retain_as_published, live.retain_handling) == (True, mqtt5.RetainHandling.SEND_NEVER)
    assert (usual.retain_as_published, usual.retain_handling) == (False, mqtt5.RetainHandling.SEND_ALWAYS)
    assert (live.max_qos, usual.max_qos) == (mqtt5.QoS.AT_LEAST_ONCE, mqtt5.QoS.AT_MOST_ONCE)


@pytest.mark.parametrize(("expiry", "whole"), [(None, None), (0.2, 1), (5.0, 5), (5.1, 6)])
def test_a_message_expires_as_it_is_told_to(expiry: float | None, whole: int | None) -> None:
    said = parsed(packets.publish(65535, "a/b", b"x", retain=True, expiry=expiry))
    assert isinstance(said, mqtt5.PublishPacket)
    assert (said.topic, said.payload, said.packet_id, said.retain) == ("a/b", b"x", 65535, True)
    assert (said.qos, said.duplicate, said.message_expiry_interval) == (mqtt5.QoS.AT_LEAST_ONCE, False, whole)


def test_nothing_is_published_to_a_filter() -> None:
    with pytest.raises(ValueError, match="topic"):
        packets.publish(1, "home/#", b"", retain=False, expiry=None)


def test_reason_codes_are_words() -> None:
    assert packets.words(packets.Fault.SESSION_TAKEN_OVER) == "Session taken over"
