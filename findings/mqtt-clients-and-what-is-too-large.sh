#!/bin/bash
# paho-mqtt 2.2.0 and MQTT.js 5.16.0, each on MQTT 5, with Mosquitto 2.0.11 (Debian 12) that takes packets of 1,000 bytes at the most.
#
# What one would expect: the broker says in CONNACK how large a packet may be (Maximum Packet Size), and a client must not send a
# larger one (MQTT 5, 3.2.2.3.6). So the library refuses it with an error in the call, and everything else goes on.
# What happens: neither looks at it. Both take the message without an error and send it, and the broker ends the connection. Since the
# message is of quality of service 1, they send it first of all on the next connection, and on each one after that: the client
# comes and goes, and what it is told to send afterwards never leaves it. One message too long so silences a device until its
# program is started anew.
#
# For whoever writes a client: look at what CONNACK says, and measure the message (its topic and properties count, too) before it is published.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
# shellcheck source=lib/npm
. "$here/lib/npm"
fetch 2.0.11 2.2.0
from_npm mqtt@5.16.0
start_broker 18825 "max_packet_size 1000"

cat >"$work/speak.py" <<'P'
import queue

import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="device-of-paho", protocol=mqtt.MQTTv5)
up, down = queue.Queue(), queue.Queue()
client.on_connect = lambda _c, _u, _f, _r, properties: up.put(properties.MaximumPacketSize)
client.on_disconnect = lambda *_: down.put(1)
client.reconnect_delay_set(1, 1)
client.connect("127.0.0.1", 18825)
client.loop_start()
allowed = up.get(timeout=10)
said = mqtt.error_string(client.publish("paho", "x" * 2 * allowed, qos=1).rc)
down.get(timeout=10)
client.publish("paho", "small", qos=1)
for _ in range(3):
    up.get(timeout=10)
    down.get(timeout=10)
client.loop_stop()
print(f"paho: may send {allowed} bytes, told to send more: {said!r}; thrown out on each of 4 connections")
P
cat >"$work/node/speak.js" <<'J'
import mqtt from "mqtt";

const client = mqtt.connect("mqtt://127.0.0.1:18825", { protocolVersion: 5, clientId: "device-of-mqtt.js", reconnectPeriod: 1000 });
let connections = 0;
let said = "no error";
const tell = (error) => error && (said = error.message);
client.on("error", () => {}); // of a connection that is reset, as the broker may do
client.on("connect", ({ properties }) => {
  connections += 1;
  if (connections > 1) return;
  client.allowed = properties.maximumPacketSize;
  client.publish("mqtt.js", "x".repeat(2 * client.allowed), { qos: 1 }, tell);
  client.once("close", () => client.publish("mqtt.js", "small", { qos: 1 }, tell));
});
let ends = 0;
client.on("close", () => {
  ends += 1;
  if (ends < 4) return;
  console.log(`MQTT.js: may send ${client.allowed} bytes, told to send more: ${said}; thrown out on each of ${ends} connections`);
  process.exit();
});
J
cat >"$work/hear.py" <<'P'
import queue
import subprocess
import sys

import paho.mqtt.client as mqtt

heard, granted = queue.Queue(), queue.Queue()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="hub", protocol=mqtt.MQTTv5)
client.on_connect = lambda *_: client.subscribe("#", 1)
client.on_subscribe = lambda *_: granted.put(1)
client.on_message = lambda _c, _u, message: heard.put(f"{message.topic} {message.payload.decode()}")
client.connect("127.0.0.1", 18825)
client.loop_start()
granted.get(timeout=10)
subprocess.run([sys.executable, sys.argv[1]], check=True)
subprocess.run(["node", sys.argv[2]], check=True, timeout=60)
client.publish("hub", "end", qos=1)
came = []
while came[-1:] != ["hub end"]:
    came.append(heard.get(timeout=10))
client.loop_stop()
print("came to who hears everything:", ", ".join(came))
P
seen=$("$python" "$work/hear.py" "$work/speak.py" "$work/node/speak.js")
printf '%s\n' "$seen"
expected="paho: may send 1000 bytes, told to send more: 'No error.'; thrown out on each of 4 connections
MQTT.js: may send 1000 bytes, told to send more: no error; thrown out on each of 4 connections
came to who hears everything: hub end"
[ "$seen" = "$expected" ] || { echo "CHANGED: a message that is too large is no longer sent, or no longer sent for ever"; exit 1; }
echo "as stated: a message that is too large is sent with every connection, and nothing after it"
