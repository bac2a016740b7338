#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0, all settings as they come but the listener.
#
# What one would expect: `max_queued_messages` (1,000) bounds what is held for clients that are away or slow. A client that
# is connected, reads as fast as it can and subscribes to 3,000 retained topics gets what each of them retains; whatever
# could not be queued at once follows as the client confirms. The subscription was granted, after all.
# What happens: all retained messages of quality of service 1 are put into the client's queue in the moment in which it
# subscribes, and those past the bound are thrown away. The client cannot know: SUBACK says granted, nothing is missing
# by its numbers, and the topics stay silent until somebody publishes to them again. With quality of service 0 as the
# subscription's, all 3,000 come. The broker's own log has one line about it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
start_broker 18813

cat >"$work/look.py" <<'P'
import queue

import paho.mqtt.client as mqtt

TOPICS = 3000


def connect(name):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    client.up, client.granted, client.inbox = queue.Queue(), queue.Queue(), queue.Queue()
    client.on_connect = lambda *_: client.up.put(1)
    client.on_subscribe = lambda _c, _u, _m, reasons, _p: client.granted.put(reasons[0].value)
    client.on_message = lambda _c, _u, message: client.inbox.put(message.topic)
    client.connect("127.0.0.1", 18813)
    client.loop_start()
    client.up.get(timeout=10)
    return client


speaker = connect("speaker")
said = [speaker.publish(f"retained/{number}", b"x", qos=1, retain=True) for number in range(TOPICS)]
for one in said:
    one.wait_for_publish(30)

for qos in (0, 1):
    reader = connect(f"reader-{qos}")
    reader.subscribe("retained/#", qos=qos)
    granted, topics = reader.granted.get(timeout=10), set()
    while True:
        try:
            topics.add(reader.inbox.get(timeout=3))
        except queue.Empty:
            break
    share = "all" if len(topics) == TOPICS else "less than half" if len(topics) < TOPICS / 2 else "more than half"
    print(f"quality of service {qos}: granted {granted}, {share} of what is retained")
P
seen=$("$python" "$work/look.py")
printf '%s\n' "$seen"
expected='quality of service 0: granted 0, all of what is retained
quality of service 1: granted 1, less than half of what is retained'
[ "$seen" = "$expected" ] || { echo "CHANGED: a reader now gets all that is retained, or less with quality of service 0, too"; exit 1; }
echo "as stated: a connected reader silently loses the retained messages past the bound of its queue"
