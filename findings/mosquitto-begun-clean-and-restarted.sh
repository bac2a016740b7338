#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0; 2.0.21 (Debian 13) and 2.1.2 do the same.
#
# What one would expect: with `persistence true`, a session of MQTT 5 that is to outlive its connection (a session expiry interval
# of an hour, or without end) also outlives a restart of the broker, and what waits in it. Clean Start only says that an older
# session is not wanted (MQTT 5, 3.1.2.4); until the restart it does only that.
# What happens: a session whose last connection bore Clean Start is kept while the broker runs, and is not there after an orderly
# restart, nor is any message that waited in it. One whose last connection bore none is. paho's own default for MQTT 5 is to
# start clean with the first connection of each process, so whoever connected once and went away loses it, and nobody is told.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
keeping=("persistence true" "persistence_location $work/" "user $(id -un)")
start_broker 18818 "${keeping[@]}"

cat >"$work/look.py" <<'P'
import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

SESSIONS = {"begun clean": True, "begun without": False}
WHEN = ("before a restart", "after it")


def connected(name, clean):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name.replace(", ", "-").replace(" ", "-"), protocol=mqtt.MQTTv5)
    client.up, client.asked, client.inbox = queue.Queue(), queue.Queue(), queue.Queue()
    client.on_connect = lambda _c, _u, flags, *_: client.up.put(flags.session_present)
    client.on_subscribe = lambda *_: client.asked.put(1)
    client.on_message = lambda _c, _u, message: client.inbox.put(message.payload.decode())
    hour = Properties(PacketTypes.CONNECT)
    hour.SessionExpiryInterval = 3600
    client.connect("127.0.0.1", 18818, clean_start=clean, properties=hour)
    client.loop_start()
    return client


def leave(client):
    client.disconnect()
    client.loop_stop()


def begin():
    # A look is a connection, too, so each session is looked at once.
    for when in WHEN:
        for name, clean in SESSIONS.items():
            client = connected(f"{when}, {name}", clean)
            client.up.get(timeout=5)
            client.subscribe("home/letter", 1)
            client.asked.get(timeout=5)
            leave(client)
    sender = connected("sender", True)
    sender.up.get(timeout=5)
    sender.publish("home/letter", "letter", qos=1).wait_for_publish(5)
    leave(sender)


def look(when):
    for name in SESSIONS:
        client = connected(f"{when}, {name}", False)
        is_there = client.up.get(timeout=5)
        waited = client.inbox.get(timeout=5) if is_there else "nothing"
        print(f"{when}, {name}: session {'there' if is_there else 'gone'}, {waited} waited")
        leave(client)


if sys.argv[1] == "begin":
    begin()
look(WHEN[0] if sys.argv[1] == "begin" else WHEN[1])
P
seen=$("$python" "$work/look.py" begin)
kill "$broker"
wait "$broker" || true
start_broker 18818 "${keeping[@]}"
seen="$seen
$("$python" "$work/look.py" after)"
printf '%s\n' "$seen"
expected='before a restart, begun clean: session there, letter waited
before a restart, begun without: session there, letter waited
after it, begun clean: session gone, nothing waited
after it, begun without: session there, letter waited'
[ "$seen" = "$expected" ] || { echo "CHANGED: Clean Start no longer decides whether a session outlives a restart"; exit 1; }
echo "as stated: a session that was begun clean does not outlive a restart"
