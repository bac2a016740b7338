#!/bin/bash
# Two Mosquittos 2.0.11 (Debian 12), one with a bridge to the other, `cleansession false`; paho-mqtt 2.1.0. 2.0.21 (Debian 13) and 2.1.2
# do the same.
#
# What one would expect: while the far broker is away, the near one keeps for the bridge what is published meanwhile (quality of service 1, 1,000
# messages: `max_queued_messages`), and passes it on afterwards. What is retained is the same all the time, so that it need be told
# once, at the most.
# What happens: each try to reach the far broker puts all that is retained into the queue once more, whether the try succeeds or not. With few topics
# the far side hears each of them about as often as was tried. With some hundred the queue is full of copies after a few tries, and
# what is published from then on is thrown away: the press of a bell, an alarm. The longer the outage, the surer. A bridge of MQTT 5
# does the same; with `cleansession true` there are no copies, and nothing of an outage is kept at all.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
printf 'listener 18827 127.0.0.1\nallow_anonymous true\n' >"$work/far.conf"

cat >"$work/look.py" <<'P'
import collections
import contextlib
import queue
import socket
import subprocess
import sys

import paho.mqtt.client as mqtt

TRIES = 3


def connect(name, port):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    up, client.granted, client.heard = queue.Queue(), queue.Queue(), queue.Queue()
    client.on_connect = lambda *_: up.put(1)
    client.on_subscribe = lambda *_: client.granted.put(1)
    client.on_message = lambda _c, _u, message: client.heard.put(message.topic)
    client.connect("127.0.0.1", port)
    client.loop_start()
    up.get(timeout=10)
    return client


def say(client, topic, *, retain=False):
    client.publish(topic, "x", qos=1, retain=retain).wait_for_publish(10)


def start(command):
    """A broker, and who hears everything at it; a moment later the bridge will have found it."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            ear = connect("ear", 18827)
            ear.subscribe("#", 1)
            ear.granted.get(timeout=10)
            return process, ear
    sys.exit("the far broker did not start")


def come(near, ear):
    """How often each topic came, once the bridge has passed on all that it kept."""
    counted = collections.Counter([ear.heard.get(timeout=120)])
    while "home/end" not in counted:
        say(near, "home/end")  # again, since this is thrown away, too, while the queue is full
        with contextlib.suppress(queue.Empty):
            while True:
                counted[ear.heard.get(timeout=1)] += 1
    return counted


topics = [f"home/lamp-{number}/state" for number in range(int(sys.argv[1]))]
near = connect("near", 18826)
for topic in topics:
    say(near, topic, retain=True)
with socket.create_server(("127.0.0.1", 18827)) as nobody:
    nobody.settimeout(120)
    for _ in range(TRIES):
        nobody.accept()[0].close()
    say(near, "home/bell/event")
far, ear = start(sys.argv[2:])
counted = come(near, ear)
often = max(counted[topic] for topic in topics)
copies = "some came several times" if often > 1 else "none came twice"
print(f"{len(topics)} retained: {copies}; the bell's press {'came' if counted['home/bell/event'] else 'was lost'}")
far.terminate()
far.wait()
P
seen=
for topics in 3 600; do
    start_broker 18826 "connection far" "address 127.0.0.1:18827" "topic home/# out 1" "cleansession false" "notifications false" "restart_timeout 1"
    seen=$seen$("$python" "$work/look.py" $topics env LD_LIBRARY_PATH="$libraries" "$work/root/usr/sbin/mosquitto" -c "$work/far.conf")$'\n'
    kill "$broker"
    wait "$broker" || true
done
printf '%s' "$seen"
expected="3 retained: some came several times; the bell's press came
600 retained: some came several times; the bell's press was lost
"
[ "$seen" = "$expected" ] || { echo "CHANGED: a bridge no longer keeps a copy of all that is retained for each of its tries"; exit 1; }
echo "as stated: copies of what is retained take the place of what happened meanwhile"
