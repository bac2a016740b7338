"""A client of the broker that is none of the home's parts, for what the broker itself says and does."""

import queue
import subprocess
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from shared.broker import paho_client
from shared.trust import tls
from tests.house import DEADLINE, Broker

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311


def version_of(broker: Broker) -> tuple[int, ...]:
    """As the program says it: `mosquitto version 2.0.11`."""
    said = subprocess.run([*broker.command, "-h"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in said.split()[2].split("."))


class Client:
    """A client that is free to say anything, and keeps what the broker says to it."""

    def __init__(self, broker: Broker, who: str, version: MQTTProtocolVersion = V5) -> None:
        self.connack: queue.SimpleQueue[Properties | None] = queue.SimpleQueue()
        self.pubacks: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.ends: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._client = paho_client.Client(CallbackAPIVersion.VERSION2, client_id=who, protocol=version)
        self._client.tls_set_context(tls.client_context(broker.identity(who)))
        self._client.on_connect = self._connected
        self._client.on_publish = lambda _c, _u, _m, reason, _p: self.pubacks.put(reason.value)
        self._client.on_disconnect = self._ended
        self._client.connect("127.0.0.1", broker.port, 30)
        self._client.loop_start()
        self.properties = self.connack.get(timeout=DEADLINE)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=qos, retain=retain)

    def close(self) -> None:
        self._client.on_disconnect = None
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(
        self, _client: paho.Client, _user: Any, _flags: Any, reason: ReasonCode, properties: Properties | None
    ) -> None:
        assert not reason.is_failure, reason
        self.connack.put(properties)

    def _ended(self, client: paho.Client, _user: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        client.disconnect()  # the library would connect anew, and throw the other one out in turn
        self.ends.put(reason.value)
