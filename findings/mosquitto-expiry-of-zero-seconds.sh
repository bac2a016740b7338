#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0; seen alike on Mosquitto 2.0.21 and 2.1.2.
#
# What one would expect: MQTT 5 (3.3.2.3.3) says that a message WITHOUT an expiry interval never expires. One with an
# interval of 0 seconds has no time to live at all: whoever is connected may get it, nothing is kept for anybody later.
# What happens: 0 is taken for "none". The message is retained for ever, and is queued for ever for a session that is away.
# So whoever rounds a short life down to whole seconds (0.8 s becomes 0) makes it endless instead of short.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
start_broker 18811

cat >"$work/look.py" <<'P'
import queue

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties


def connect(name, *, keep=0, clean=True):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    client.up, client.asked, client.inbox = queue.Queue(), queue.Queue(), queue.Queue()
    client.on_connect = lambda *_: client.up.put(1)
    client.on_subscribe = lambda *_: client.asked.put(1)
    client.on_message = lambda _c, _u, message: client.inbox.put(message.topic)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = keep
    client.connect("127.0.0.1", 18811, clean_start=clean, properties=properties)
    client.loop_start()
    client.up.get(timeout=5)
    return client


def say(client, topic, seconds, *, retain):
    properties = Properties(PacketTypes.PUBLISH)
    properties.MessageExpiryInterval = seconds
    client.publish(topic, b"x", qos=1, retain=retain, properties=properties).wait_for_publish(5)


def heard(client):
    topics = []
    while True:
        try:
            topics.append(client.inbox.get(timeout=1))
        except queue.Empty:
            return sorted(topics)


away = connect("away", keep=600)
away.subscribe("queued/#", qos=1)
away.asked.get(timeout=5)
away.disconnect()
away.loop_stop()

speaker = connect("speaker")
for seconds in (0, 1):
    say(speaker, f"retained/{seconds}", seconds, retain=True)
    say(speaker, f"queued/{seconds}", seconds, retain=False)
heard(speaker), heard(speaker), heard(speaker)  # three seconds in which nobody listens

late = connect("late")
late.subscribe("retained/#", qos=1)
print("retained, three seconds later:", *heard(late))
print("queued, three seconds later:", *heard(connect("away", keep=600, clean=False)))
P
seen=$("$python" "$work/look.py")
printf '%s\n' "$seen"
expected='retained, three seconds later: retained/0
queued, three seconds later: queued/0'
[ "$seen" = "$expected" ] || { echo "CHANGED: the message with an expiry of 0 is no longer kept, or the one of 1 second is"; exit 1; }
echo "as stated: an expiry of 0 seconds outlives one of 1 second"
