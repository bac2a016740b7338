#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0; 2.0.21 (Debian 13) and 2.1.2 do the same.
#
# What one would expect: a will with a delay of 60 s says nothing of interruptions that are shorter (MQTT 5, 3.1.3.2.2), and of
# these an orderly restart of the broker, a second long, is the most frequent. The device is well, and back before its time.
# What happens: a broker that is told to stop publishes the wills of all who are connected on its way out, those with a delay,
# too, retains them and queues them for whoever keeps a session. After each upgrade every device of the house is "dead" until it
# says otherwise by itself; who only ever says "alive" with its first connection stays so. The same device, cut off and back
# within its delay while the broker runs, is told dead to nobody.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
keeping=("persistence true" "persistence_location $work/" "user $(id -un)")
start_broker 18820 "${keeping[@]}"
cat >"$work/look.py" <<'P'
import os
import queue
import signal
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

TOPIC = "home/hall/status"


def properties(kind, **values):
    made = Properties(kind)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def client(name, will_delay=None):
    made = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    up, made.asked, made.inbox = queue.Queue(), queue.Queue(), queue.Queue()
    made.on_connect = lambda *_: up.put(1)
    made.on_subscribe = lambda *_: made.asked.put(1)
    made.on_message = lambda _c, _u, message: made.inbox.put(message.payload.decode())
    if will_delay:
        after = properties(PacketTypes.WILLMESSAGE, WillDelayInterval=will_delay)
        made.will_set(TOPIC, "dead", qos=1, retain=True, properties=after)
    hour = properties(PacketTypes.CONNECT, SessionExpiryInterval=3600)
    made.connect("127.0.0.1", 18820, clean_start=False, properties=hour)
    made.reconnect_delay_set(3600, 3600)
    made.loop_start()
    up.get(timeout=5)
    return made


def stands():
    ear = client(f"ear-{os.getpid()}-{os.urandom(4).hex()}")
    ear.subscribe(TOPIC, 1)
    said = ear.inbox.get(timeout=5)
    ear.disconnect()
    ear.loop_stop()
    return said


if sys.argv[1] == "look":
    print("after the broker's restart:", stands())
    sys.exit()
device = client("device", 60)
device.publish(TOPIC, "alive", qos=1, retain=True).wait_for_publish(5)
device.socket().shutdown(2)  # cut off, and back
device.loop_stop()
device = client("device", 60)
print("cut off for a moment:", stands(), flush=True)
os.kill(int(sys.argv[2]), signal.SIGTERM)
P
seen=$("$python" "$work/look.py" begin "$broker")
wait "$broker" || true
start_broker 18820 "${keeping[@]}"
seen="$seen
$("$python" "$work/look.py" look)"
printf '%s\n' "$seen"
expected="cut off for a moment: alive
after the broker's restart: dead"
[ "$seen" = "$expected" ] || { echo "CHANGED: a broker that stops no longer speaks wills before their time"; exit 1; }
echo "as stated: a broker that stops speaks all wills, delayed ones too"
