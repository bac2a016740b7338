#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0; seen alike on Mosquitto 2.0.21 and 2.1.2.
#
# What one would expect: a QoS 1 message that was handed to a client and not acknowledged is sent again when its session comes
# back (MQTT 5, 4.4); the expiry interval counts only until delivery has begun (3.3.2.3.3: "has not managed to start
# onward delivery"). So an expiry could not take away what is already under way.
# What happens: it does. A message that was sent once and not acknowledged is dropped from the session once its
# interval is over; its neighbour without an interval is sent again. A receiver that crashed between receiving and storing
# does not get it a second time, so "at least once" ends with the expiry.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
start_broker 18812

cat >"$work/look.py" <<'P'
import queue
import socket
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


def connect(name, *, clean, manual):
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2,
        client_id=name,
        protocol=mqtt.MQTTv5,
        manual_ack=manual,
        reconnect_on_failure=False,
    )
    client.up, client.asked, client.inbox = queue.Queue(), queue.Queue(), queue.Queue()
    client.on_connect = lambda *_: client.up.put(1)
    client.on_subscribe = lambda *_: client.asked.put(1)
    client.on_message = lambda _c, _u, message: client.inbox.put((message.topic, message.dup))
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 600
    client.connect("127.0.0.1", 18812, clean_start=clean, properties=properties)
    client.loop_start()
    client.up.get(timeout=5)
    return client


def heard(client):
    found = []
    while True:
        try:
            found.append(client.inbox.get(timeout=1))
        except queue.Empty:
            return sorted(found)


receiver = connect("receiver", clean=True, manual=True)
receiver.subscribe("t/#", qos=1)
receiver.asked.get(timeout=5)
speaker = connect("speaker", clean=True, manual=False)
short = Properties(PacketTypes.PUBLISH)
short.MessageExpiryInterval = 3
speaker.publish("t/expires", b"x", qos=1, properties=short).wait_for_publish(5)
speaker.publish("t/stays", b"x", qos=1).wait_for_publish(5)
print("sent, never acknowledged:", *heard(receiver))
receiver.socket().shutdown(socket.SHUT_RDWR)
time.sleep(4)  # until the three seconds are over
print("sent again:", *heard(connect("receiver", clean=False, manual=True)))
P
seen=$("$python" "$work/look.py")
printf '%s\n' "$seen"
expected="sent, never acknowledged: ('t/expires', False) ('t/stays', False)
sent again: ('t/stays', True)"
[ "$seen" = "$expected" ] || { echo "CHANGED: what expired after it was sent comes again, or what has no expiry does not"; exit 1; }
echo "as stated: the expiry takes a message away that was already sent"
