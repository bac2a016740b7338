"""The far end of the MQTT floor: answers each message, nothing else. `python -m tests.bench.echo CA CERT KEY PORT`."""

import sys
from pathlib import Path

import paho.mqtt.client as paho

from shared.broker import mqtt, paho_client
from shared.trust import tls

PING, PONG = "bench/ping", "bench/pong"


def client(folder: Path, name: str, port: int) -> paho_client.Client:
    """A client with the house's own settings: MQTT 5, mutual TLS, no delay."""
    identity = tls.Identity(ca=folder / "device-ca.crt", certificate=folder / f"{name}.crt", key=folder / f"{name}.key")
    broker = mqtt.BrokerConfig(identity=name, tls=identity, port=port)
    return paho_client.new_client(broker, mqtt.Will("bench/will", b""))


def main() -> None:
    """Answer until killed."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    far = client(folder, "bench-far", port)

    def on_connect(*_: object) -> None:
        far.subscribe(PING, qos=1)

    def on_message(_c: object, _u: object, message: paho.MQTTMessage) -> None:
        far.publish(PONG, message.payload, qos=1)

    def on_subscribe(*_: object) -> None:
        print("up", flush=True)

    far.on_connect, far.on_message, far.on_subscribe = on_connect, on_message, on_subscribe
    far.connect("localhost", port)
    far.loop_forever()


if __name__ == "__main__":
    main()
