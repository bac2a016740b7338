#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0, all settings as they come but the listener.
#
# What one would expect: a client of MQTT 5 says in CONNECT how many messages of quality of service 1 it takes before it
# has confirmed some of them (Receive Maximum). The broker has no more than these under way: with ten unconfirmed, the
# confirmation of one, whichever, lets one more go out (MQTT 5.0, 4.9).
# What happens: with each confirmation the broker counts the unconfirmed only up to the one that was confirmed, and fills
# up what it believes to be free behind it. So the confirmation of the oldest lets ten more go out, and the next one ten
# again: after three, a client that takes 10 has 37. Whoever works in the order of arrival and falls behind once is sent
# everything that waits. A client that counts, as MQTT 5 lets it, hangs up with reason 147; any other has to hold it all.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
start_broker 18822

cat >"$work/look.py" <<'P'
import queue

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

TAKES, SAID = 10, 50


def connect(name, **more):
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5, manual_ack=bool(more)
    )
    client.up, client.granted, client.inbox = queue.Queue(), queue.Queue(), queue.Queue()
    client.on_connect = lambda *_: client.up.put(1)
    client.on_subscribe = lambda *_: client.granted.put(1)
    client.on_message = lambda _c, _u, message: client.inbox.put(message)
    properties = Properties(PacketTypes.CONNECT)
    for key, value in more.items():
        setattr(properties, key, value)
    client.connect("127.0.0.1", 18822, properties=properties)
    client.loop_start()
    client.up.get(timeout=10)
    return client


def heard(client):
    got = []
    while True:
        try:
            got.append(client.inbox.get(timeout=3))
        except queue.Empty:
            return got


speaker = connect("speaker")
for confirmed in ("newest", "oldest"):
    reader = connect(f"reader-{confirmed}", ReceiveMaximum=TAKES)
    reader.subscribe(f"work/{confirmed}", qos=1)
    reader.granted.get(timeout=10)
    for number in range(SAID):
        speaker.publish(f"work/{confirmed}", str(number), qos=1).wait_for_publish(10)
    first = heard(reader)
    more = []
    for turn in range(3):
        one = first[turn if confirmed == "oldest" else -1 - turn]
        reader.ack(one.mid, one.qos)
        more.append(len(heard(reader)))
    print(f"takes {TAKES}, is sent {len(first)}; confirms the {confirmed} one after the other, is sent {more}")
P
seen=$("$python" "$work/look.py")
printf '%s\n' "$seen"
expected='takes 10, is sent 10; confirms the newest one after the other, is sent [1, 2, 3]
takes 10, is sent 10; confirms the oldest one after the other, is sent [10, 10, 10]'
[ "$seen" = "$expected" ] || { echo "CHANGED: the broker now keeps to the Receive Maximum, or breaks it otherwise"; exit 1; }
echo "as stated: each confirmation of the oldest message is answered with as many as the client takes in all"
