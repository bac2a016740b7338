#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0; seen on 2.0.21 after some twenty orders, and not on 2.1.2.
#
# What one would expect: `memory_limit` (mosquitto.conf(5)) denies memory past so many bytes, so 256 MB are never reached by a
# broker that holds 10. Changing rights over $CONTROL is what the dynamic-security plugin is for.
# What happens: with each order the broker's count of its own memory falls, since the plugin frees there what was never counted,
# until it runs below zero and is huge. From then on every request for memory is denied: the plugin's file is not saved, whoever
# gave the order is thrown out ("out of memory"), and nobody is let in any more. The process lives on, so nothing starts it anew.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0

cat >"$work/look.py" <<'P'
import json
import queue

import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="boss", protocol=mqtt.MQTTv5)
client.username_pw_set("boss", "boss")
up, answers = queue.Queue(), queue.Queue()
client.on_connect = lambda _c, _u, _f, reason, _p: up.put(reason)
client.on_subscribe = lambda *_: up.put("subscribed")
client.on_message = lambda _c, _u, message: answers.put(message.payload)
client.on_disconnect = lambda *_: answers.put(None)
client.connect("127.0.0.1", 18813)
client.loop_start()
up.get(timeout=5)
client.subscribe("$CONTROL/dynamic-security/v1/response", qos=1)
up.get(timeout=5)
given = 0
for number in range(100):
    order = {"command": "createRole", "rolename": f"role-{number}"}
    client.publish("$CONTROL/dynamic-security/v1", json.dumps({"commands": [order]}), qos=1)
    try:
        if answers.get(timeout=5) is None:
            break
    except queue.Empty:
        break
    given += 1
client.loop_stop()
print("all hundred orders were answered" if given == 100 else "thrown out")
try:
    other = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="other", protocol=mqtt.MQTTv5)
    other.username_pw_set("boss", "boss")
    welcome = queue.Queue()
    other.on_connect = lambda _c, _u, _f, reason, _p: welcome.put(reason)
    other.connect("127.0.0.1", 18813)
    other.loop_start()
    welcome.get(timeout=3)
    print("another one is let in")
except (OSError, queue.Empty):
    print("nobody is let in any more")
P

look() { # LINE…
    rm -f "$work/rights.json"
    LD_LIBRARY_PATH=$libraries "$work/root/usr/bin/mosquitto_ctrl" dynsec init "$work/rights.json" boss boss >/dev/null
    start_broker 18813 "user $(id -un)" "plugin $plugin" "plugin_opt_config_file $work/rights.json" "$@"
    "$python" "$work/look.py"
    kill -0 "$broker" && echo "its process lives"
    kill "$broker" && wait "$broker" 2>/dev/null || true
}

find_libraries
seen=$(look; look "memory_limit 268435456")
printf '%s\n' "$seen"
expected='mosquitto version 2.0.11
all hundred orders were answered
another one is let in
its process lives
mosquitto version 2.0.11
thrown out
nobody is let in any more
its process lives'
[ "$seen" = "$expected" ] || { echo "CHANGED: a limit of memory no longer ends the broker's service, or something else does"; exit 1; }
echo "as stated: a limit of 256 MB beside dynamic security, and nobody is let in any more"
