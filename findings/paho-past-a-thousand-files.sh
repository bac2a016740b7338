#!/bin/bash
# paho-mqtt 2.2.0, MQTT 5, on Mosquitto 2.0.11 (Debian 12), Python 3.11 or later.
#
# What one would expect: a program that holds more than a thousand files or connections (a hub, a bridge, a test that opens
# many) uses the client as any other does, as long as the system lets it have so many; or it is told that it cannot.
# What happens: the client's own loop waits with select(), which cannot wait for a descriptor above 1023. Where its socket has
# such a number, the loop takes that for a lost connection: connect() returns success, the broker lets the client in, and the
# loop closes and connects anew, again and again. on_connect, on_disconnect and on_connect_fail are never called, and nothing
# raises or is logged: it looks like a broker that never answers.
#
# For whoever holds many: drive the client from a loop of one's own (socket(), loop_read(), loop_write(), loop_misc()) on
# poll, epoll or asyncio, or connect before anything else is opened; and look for files that were never closed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.2.0
start_broker 18824

cat >"$work/client.py" <<'P'
import os
import resource
import select
import sys
import threading
import time

import paho.mqtt.client as mqtt

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (2048 if hard == resource.RLIM_INFINITY else min(2048, hard), hard))


def look(name, drive):
    told, let_in, again = [], threading.Event(), threading.Event()
    opened = [0]

    def open_one(*_):
        opened[0] += 1
        if opened[0] > 2:
            again.set()

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
    client.on_connect = lambda *_: let_in.set()
    client.on_disconnect = lambda *_: told.append("disconnect")
    client.on_connect_fail = lambda *_: told.append("connect failed")
    client.on_log = lambda _c, _u, level, words: told.append(words) if level & (mqtt.MQTT_LOG_WARNING | mqtt.MQTT_LOG_ERR) else None
    client.on_socket_open = open_one
    rc = client.connect("127.0.0.1", 18824)
    drive(client, lambda: let_in.is_set() or again.is_set())
    how = "let in" if let_in.is_set() else f"never told, though it connected {opened[0]} times"
    print(f"{name}: connect() says {mqtt.error_string(rc)} {how}; said meanwhile: {told or 'nothing'}", flush=True)


def own_loop(client, done):
    client.loop_start()
    end = time.monotonic() + 60
    while not done() and time.monotonic() < end:
        threading.Event().wait(0.05)
    client.loop_stop()


def poll_loop(client, done):
    waits = select.poll()
    waits.register(client.socket(), select.POLLIN)
    while not done():
        if client.want_write():
            client.loop_write()
        if waits.poll(10_000):
            client.loop_read()


look("few files, paho's loop", own_loop)
held = [os.open("/dev/null", os.O_RDONLY) for _ in range(1100)]
look("many files, paho's loop", own_loop)
look("many files, a loop with poll", poll_loop)
P
"$python" "$work/client.py" >"$work/seen"
cat "$work/seen"
expected="few files, paho's loop: connect() says No error. let in; said meanwhile: nothing
many files, paho's loop: connect() says No error. never told, though it connected 3 times; said meanwhile: nothing
many files, a loop with poll: connect() says No error. let in; said meanwhile: nothing"
[ "$(cat "$work/seen")" = "$expected" ] || { echo "CHANGED: past 1,023 files the client's loop hears the broker, or says that it cannot"; exit 1; }
echo "as stated: past 1,023 open files paho's loop connects anew for ever, and says nothing"
