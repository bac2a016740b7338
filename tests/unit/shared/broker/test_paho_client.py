"""What goes with every message to the broker."""

import threading
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from shared.broker import paho_client


@pytest.mark.parametrize(("asked", "whole"), [(0.0, 1), (0.2, 1), (1.0, 1), (4.2, 5), (75.0, 75)])
def test_an_expiry_never_becomes_the_0_that_the_broker_takes_for_never(asked: float, whole: int) -> None:
    properties = paho_client.publish_properties(asked)
    assert properties is not None
    assert properties.json()["MessageExpiryInterval"] == whole  # type: ignore[no-untyped-call]  # paho leaves it untyped


def test_what_does_not_expire_says_nothing_of_it() -> None:
    assert paho_client.publish_properties(None) is None


class Connected(paho_client.Client):
    """One whose packets are kept instead of sent, and which takes the broker's confirmations from its test."""

    def __init__(self, window: int = 20) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id="hall", protocol=MQTTProtocolVersion.MQTTv5)
        self.max_inflight_messages_set(window)
        self._sock = cast("Any", object())
        self.sent: list[bytes] = []
        self.confirmed: list[int] = []
        self.on_publish = self._confirmed

    def _packet_queue(self, command: int, packet: Any, *_: Any, **__: Any) -> MQTTErrorCode:
        self.sent.append(bytes(packet))
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _confirmed(self, _c: Any, _u: Any, mid: int, _reason: Any, _p: Any) -> None:
        self.confirmed.append(mid)

    def hear(self, body: bytes) -> None:
        """A PUBACK of the broker's."""
        self._in_packet["command"], self._in_packet["packet"] = 0x40, bytearray(body)
        self._handle_pubackcomp("PUBACK")

    def close(self) -> None:
        """Nothing to close."""
        self._sock = None

    __del__ = close


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0+#"), min_size=1, max_size=200),
    st.binary(max_size=20_000),
    st.booleans(),
    st.one_of(st.none(), st.floats(0.1, 4e9)),
)
def test_what_is_posted_looks_on_the_wire_as_what_paho_publishes(
    topic: str, payload: bytes, retain: bool, expiry: float | None
) -> None:
    properties = paho_client.publish_properties(expiry)
    ours, theirs = Connected(), Connected()
    info = theirs.publish(topic, payload, qos=1, retain=retain, properties=properties)
    assert ours.post(topic, payload, retain=retain, properties=properties) == info.mid
    assert ours.sent == theirs.sent


@given(st.lists(st.one_of(st.booleans(), st.integers(0, 5)), max_size=60), st.integers(1, 4))
def test_posted_and_published_share_the_brokers_window_and_each_is_confirmed_once(
    steps: list[bool | int], window: int
) -> None:
    """A boolean says something (True: by `post`), a number has that one of what is on the wire confirmed."""
    client = Connected(window)
    said: list[int] = []
    confirmed: list[int] = []
    for step in steps:
        under_way = [mid for mid in said[: len(client.sent)] if mid not in confirmed]
        if isinstance(step, bool):
            number = client.post("t", b"", retain=False) if step else client.publish("t", b"", qos=1).mid
            assert number is not None
            said.append(number)
        elif step < len(under_way):
            # With a reason of its own (16: nobody listens), or bare: the broker chooses.
            client.hear(under_way[step].to_bytes(2, "big") + (b"\x10\0" if step % 2 else b""))
            confirmed.append(under_way[step])
        assert len(client.sent) == min(len(said), len(confirmed) + window), "in their order, and no more than allowed"
        assert client.confirmed == confirmed
    for mid in confirmed:
        client.hear(mid.to_bytes(2, "big"))
    assert client.confirmed == confirmed, "said again, it is of no interest"


def test_without_a_connection_nothing_is_posted() -> None:
    client = Connected()
    client.close()
    assert client.post("t", b"", retain=False) is None
    assert not client.sent


def test_a_client_whose_thread_ends_by_itself_meanwhile_is_stopped_all_the_same() -> None:
    """After a goodbye the thread ends by itself; paho's own `loop_stop` looks for it twice, and falls over between."""

    class Leaving(paho_client.Client):
        looks = 0

        @property
        def _thread(self) -> threading.Thread | None:
            self.looks += 1
            return ended if self.looks == 1 else None

        @_thread.setter
        def _thread(self, _: threading.Thread | None) -> None:
            """As the test says."""

    ended = threading.Thread(target=lambda: None)
    ended.start()
    client = Leaving(CallbackAPIVersion.VERSION2, client_id="hall", protocol=MQTTProtocolVersion.MQTTv5)
    assert client.loop_stop() == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert not ended.is_alive()
    assert client.loop_stop() == MQTTErrorCode.MQTT_ERR_INVAL
