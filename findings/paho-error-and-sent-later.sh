#!/bin/bash
# paho-mqtt 2.2.0, MQTT 5, on Mosquitto 2.0.11 (Debian 12).
#
# What one would expect: publish() of a client that is not connected says so, with the error MQTT_ERR_NO_CONN ("The client is
# not currently connected."), and wait_for_publish() raises an exception with the same words. A program that is told of an
# error tells its user, who does something else by hand; nothing more becomes of the message.
# What happens: of quality of service 0 that is so. Of 1 and 2 the message was kept all the same, and it goes out once the
# client is connected again, however long that takes. The error of that very call says nothing of it, and is the same for both kinds.
# A door is so opened by somebody who was told that it could not be.
#
# For whoever commands something: let the command bear when it was issued, and have the receiver refuse what is late; or
# give it an expiry (MQTT 5), which counts from when the broker has it and so does not help here; or ask is_connected() first.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.2.0
start_broker 18823

cat >"$work/client.py" <<'P'
import queue
import sys

import paho.mqtt.client as mqtt


def connect(name, heard):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    client.up, client.down, client.granted = queue.Queue(), queue.Queue(), queue.Queue()
    client.on_connect = lambda *_: client.up.put(1)
    client.on_disconnect = lambda *_: client.down.put(1)
    client.on_subscribe = lambda *_: client.granted.put(1)
    client.on_message = lambda _c, _u, message: heard.put(f"{message.topic} {message.payload.decode()}")
    client.reconnect_delay_set(min_delay=10, max_delay=10)  # so that the door listens first
    client.connect("127.0.0.1", 18823)
    client.loop_start()
    client.up.get(timeout=10)
    return client


heard = queue.Queue()
remote = connect("remote", heard)
print("stop", flush=True)
remote.down.get(timeout=10)
for qos in (0, 1, 2):
    told = remote.publish(f"door/{qos}", "open", qos=qos)
    try:
        told.wait_for_publish(1)
        waited = "no exception"
    except RuntimeError as error:
        waited = str(error)
    print(f"quality of service {qos}: {mqtt.error_string(told.rc)} / {waited}", flush=True)
print("start", flush=True)
sys.stdin.readline()
door = connect("door", heard)
door.subscribe("door/#", qos=2)
door.granted.get(timeout=10)
came = sorted(heard.get(timeout=60) for _ in range(2))
remote.up.get(timeout=60)
remote.publish("door/end", "reached", qos=1).wait_for_publish(10)
came += [heard.get(timeout=10)]
print(f"came after all: {', '.join(came)}", flush=True)
P
coproc client { "$python" "$work/client.py"; }
exec {from}<&"${client[0]}" {to}>&"${client[1]}"
seen=
while read -r -u "$from" line; do
    case $line in
    stop) kill "$broker"; wait "$broker" || true ;;
    start)
        start_broker 18823
        echo there >&"$to"
        ;;
    *) seen="$seen$line"$'\n'; echo "$line" ;;
    esac
done
said='The client is not currently connected.'
raised='Message publish failed: The client is not currently connected.'
expected="quality of service 0: $said / $raised
quality of service 1: $said / $raised
quality of service 2: $said / $raised
came after all: door/1 open, door/2 open, door/end reached
"
[ "$seen" = "$expected" ] || { echo "CHANGED: what publish() refuses is not sent later any more, or it says so"; exit 1; }
echo "as stated: publish() says that it is not connected, and sends the message later"
