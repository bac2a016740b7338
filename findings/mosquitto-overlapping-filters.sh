#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0.
#
# What one would expect: how often a message comes to a client that subscribed with filters which overlap (home/# and
# home/+/bell) is a matter of the broker, so that a client that begins to speak MQTT 5 hears what it heard before.
# What happens: a client of MQTT 3.1.1 gets each message once, with the highest quality of service of the filters that fit.
# The same client with MQTT 5 gets it once for each filter, each copy with that filter's own quality of service and, but for
# subscription identifiers, with nothing that tells copies apart. Both are within the standards (3.1.1, 3.3.5; 5, 3.3.4).
# Whoever counts presses, or toggles by them, has to have filters that do not overlap before the version is changed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
start_broker 18817

cat >"$work/look.py" <<'P'
import queue

import paho.mqtt.client as mqtt

FILTERS = (("home/#", 0), ("home/+/bell", 1), ("home/hall/bell", 2))


def heard(protocol):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="ear", protocol=protocol)
    up, asked, inbox = queue.Queue(), queue.Queue(), queue.Queue()
    client.on_connect = lambda *_: up.put(1)
    client.on_subscribe = lambda *_: asked.put(1)
    client.on_message = lambda _c, _u, message: inbox.put((message.payload.decode(), message.qos))
    client.connect("127.0.0.1", 18817)
    client.loop_start()
    up.get(timeout=5)
    for filter_, qos in FILTERS:
        client.subscribe(filter_, qos)
        asked.get(timeout=5)
    client.publish("home/hall/bell", "pressed", qos=2).wait_for_publish(5)
    # It goes to one filter alone, and behind everything that the press becomes.
    client.publish("home/end", "end", qos=2).wait_for_publish(5)
    qualities, ended = [], False
    while True:
        try:
            payload, qos = inbox.get(timeout=5 if not ended else 1)
        except queue.Empty:
            break
        ended = ended or payload == "end"
        if payload == "pressed":
            qualities.append(qos)
    client.disconnect()
    client.loop_stop()
    assert ended
    return sorted(qualities)


print("MQTT 3.1.1: a press comes with qualities", heard(mqtt.MQTTv311))
print("MQTT 5: a press comes with qualities", heard(mqtt.MQTTv5))
P
seen=$("$python" "$work/look.py")
printf '%s\n' "$seen"
expected='MQTT 3.1.1: a press comes with qualities [2]
MQTT 5: a press comes with qualities [0, 1, 2]'
[ "$seen" = "$expected" ] || { echo "CHANGED: filters that overlap no longer mean copies with MQTT 5 alone"; exit 1; }
echo "as stated: one copy for each filter that fits, with MQTT 5 alone"
