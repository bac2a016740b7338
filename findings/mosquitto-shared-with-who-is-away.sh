#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0.
#
# What one would expect: several workers share a subscription ($share/…) so that one of them can be away. Of a group with one
# member connected and one whose session waits (MQTT 5, 4.8.2, leaves the choice to the server) the connected one gets what
# comes; the other's queue is for what was under way to it.
# What happens: turns are taken among the sessions, connected or not. Every other message goes into the queue of the member
# that is away, while its neighbour sits idle, and is delivered when it comes back, however late that is. Who shares out what
# must be done now has to end its session when it goes, or to let no session outlive its connection.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
start_broker 18816

cat >"$work/look.py" <<'P'
import queue

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

SHARED = "$share/workers/work/#"


def connect(name, *, clean=True):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    client.up, client.asked, client.inbox = queue.Queue(), queue.Queue(), queue.Queue()
    client.on_connect = lambda *_: client.up.put(1)
    client.on_subscribe = lambda *_: client.asked.put(1)
    client.on_message = lambda _c, _u, message: client.inbox.put(message.payload.decode())
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 600
    client.connect("127.0.0.1", 18816, clean_start=clean, properties=properties)
    client.loop_start()
    client.up.get(timeout=5)
    return client


def share(client):
    client.subscribe(SHARED, qos=1)
    client.asked.get(timeout=5)


def heard(client):
    payloads = []
    while True:
        try:
            payloads.append(client.inbox.get(timeout=1))
        except queue.Empty:
            return len(payloads)


away, here = connect("away"), connect("here")
share(away)
share(here)
gone = queue.Queue()
away.on_disconnect = lambda *_: gone.put(1)
away.disconnect()
gone.get(timeout=5)
away.loop_stop()

speaker = connect("speaker")
for number in range(10):
    speaker.publish("work/now", str(number), qos=1).wait_for_publish(5)
print("who is there got", heard(here))
print("who was away got afterwards", heard(connect("away", clean=False)))
P
seen=$("$python" "$work/look.py")
printf '%s\n' "$seen"
expected='who is there got 5
who was away got afterwards 5'
[ "$seen" = "$expected" ] || { echo "CHANGED: what a group shares no longer waits for who is away"; exit 1; }
echo "as stated: half of what a group shares waits for the member that is away"
