#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0; seen alike on Mosquitto 2.1.2.
#
# What one would expect: MQTT 5 (2.2.1) has a server give each PUBLISH of quality of service 1 a packet identifier that is
# not in use, and it is in use until the client has sent PUBACK for it. A client that confirms everything but one message
# would never see that message's number again on the same connection.
# What happens: the numbers are counted round. After 65,535 messages the next one bears the number that the client still
# owes a confirmation for, and two different messages are under way with one number. The PUBACK for one confirms both as
# far as anybody can tell. A client that confirms by hand, as one does that first brings a message to the disk, must not take
# the second one for a repetition of the first, nor for a breach of the protocol: with a kept session it would meet it again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
start_broker 18814

cat >"$work/look.py" <<'P'
import queue

import paho.mqtt.client as mqtt

MESSAGES = 65_536


def connect(name, **settings):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5, **settings)
    client.up, client.granted = queue.Queue(), queue.Queue()
    client.on_connect = lambda *_: client.up.put(1)
    client.on_subscribe = lambda *_: client.granted.put(1)
    client.connect("127.0.0.1", 18814)
    client.loop_start()
    client.up.get(timeout=10)
    return client


heard, numbers = queue.Queue(), {}


def hear(client, _userdata, message):
    if not numbers:
        print(f"message 1 came with the number {message.mid} and stays unconfirmed")
    else:
        client.ack(message.mid, 1)
    numbers[len(numbers) + 1] = message.mid
    heard.put(message.dup)


reader = connect("reader", manual_ack=True)
reader.on_message = hear
reader.subscribe("counted", qos=1)
reader.granted.get(timeout=10)
speaker = connect("speaker")
for number in range(MESSAGES):
    speaker.publish("counted", str(number), qos=1)
    if heard.get(timeout=30):
        raise SystemExit("a message came twice")
again = [number for number, mid in numbers.items() if mid == numbers[1] and number > 1]
print(f"of {len(numbers)} messages, the number was given again to: {again}")
P
seen=$("$python" "$work/look.py")
printf '%s\n' "$seen"
expected='message 1 came with the number 1 and stays unconfirmed
of 65536 messages, the number was given again to: [65536]'
[ "$seen" = "$expected" ] || { echo "CHANGED: a number that is in use is not given to another message any more"; exit 1; }
echo "as stated: a number that is still in use is given to another message"
