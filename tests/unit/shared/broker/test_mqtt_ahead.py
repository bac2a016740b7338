"""What is read ahead is cut into packets as paho cuts it, wherever the network cut it before."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import _packet
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from shared.broker.mqtt_ahead import packet, published

HEADERS = st.sampled_from([0x40, 0x30, 0x32, 0x33, 0x3A, 0x3B, 0xD0, 0x90])
BODIES = st.one_of(st.binary(max_size=300), st.sampled_from([127, 128, 16383, 16384]).map(bytes))


def framed(header: int, body: bytes) -> bytes:
    """A packet as it goes over the wire (MQTT 5, 2.1)."""
    length, left = b"", len(body)
    while True:
        left, bits = divmod(left, 128)
        length += bytes([bits | (128 if left else 0)])
        if not left:
            return bytes([header]) + length + body


@given(st.lists(st.tuples(HEADERS, BODIES), max_size=4), st.data())
def test_a_stream_that_ends_anywhere_gives_the_whole_packets_in_it(sent: list[tuple[int, bytes]], data: Any) -> None:
    packets = [framed(*one) for one in sent]
    stream = b"".join(packets)
    stream = stream[: data.draw(st.integers(0, len(stream)))]
    at = 0
    for (header, body), whole in zip(sent, packets, strict=True):
        found = packet(stream, at)
        if len(body) > 16383 or at + len(whole) > len(stream):
            assert found is None, "paho reads it, piece by piece"
            return
        assert found == (header, body, at + len(whole))
        at = found.end
    assert packet(stream, at) is None


@given(
    st.sampled_from([0x30, 0x32, 0x33, 0x34, 0x3A, 0x3B]),
    st.text(max_size=40),
    st.integers(1, 65535),
    st.one_of(st.none(), st.integers(1, 2**32 - 1)),
    st.text(max_size=140).filter(lambda text: "\0" not in text),  # MQTT 5, 1.5.4
    st.binary(max_size=200),
)
def test_a_message_is_read_as_paho_reads_it(
    header: int, topic: str, mid: int, expiry: int | None, told: str, payload: bytes
) -> None:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    if expiry is not None:
        properties.MessageExpiryInterval = expiry
    if told:
        properties.UserProperty = [("told", told)]
    name = topic.encode("utf-8", "replace")
    number = mid.to_bytes(2, "big") if header & 6 else b""
    packed: bytes = properties.pack()  # type: ignore[no-untyped-call]  # paho leaves it untyped
    body = len(name).to_bytes(2, "big") + name + number + packed + payload
    found = published(header, body)
    if header >> 1 & 3 != 1 or len(packed) > 128:
        assert found is None, "paho reads it"
        return
    theirs = _packet.decode_publish(header, body, MQTTProtocolVersion.MQTTv5)
    assert found == (theirs.topic, theirs.mid, theirs.payload, theirs.retain, theirs.dup)


@given(st.binary(max_size=60))
def test_a_message_that_is_none_breaks_nothing(body: bytes) -> None:
    found = published(0x32, body)
    assert found is None or len(found.topic) + len(found.payload) < len(body)
