#!/bin/bash
# aiomqtt 2.5.1 on paho-mqtt 2.1.0, MQTT 5, with Mosquitto 2.0.11 (Debian 12).
#
# What one would expect: `await client.publish(…, qos=1)` returns once the broker has answered that message, and raises where the
# answer is a refusal (MQTT 5 has a reason in each PUBACK: 135, "not authorized"), as it raises where the message cannot be sent.
# What happens: it waits for the answer, drops the reason, and returns as after any other message. A program that is refused goes
# on as if its command were under way, and nothing tells it otherwise. paho below it is given the reason by the broker.
#
# For whoever writes a client: let the device's own answer decide, or take paho and look at the reason in on_publish.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiomqtt==2.5.1
printf 'topic write allowed/#\n' >"$work/acl"
chmod 755 "$work" && chmod 644 "$work/acl"
start_broker 18835 "acl_file $work/acl"

cat >"$work/look.py" <<'P'
import asyncio
import queue

import aiomqtt
import paho.mqtt.client as mqtt


async def through_aiomqtt(topic):
    async with aiomqtt.Client("127.0.0.1", 18835, protocol=aiomqtt.ProtocolVersion.V5) as client:
        try:
            print(f"aiomqtt, {topic}: returns {await client.publish(topic, 'on', qos=1, timeout=10)}")
        except aiomqtt.MqttError as error:
            print(f"aiomqtt, {topic}: raises {error}")


def through_paho(topic):
    told = queue.Queue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.on_connect = lambda *_: client.publish(topic, "on", qos=1)
    client.on_publish = lambda _c, _u, _mid, reason, _properties: told.put(reason)
    client.connect("127.0.0.1", 18835)
    client.loop_start()
    reason = told.get(timeout=10)
    client.loop_stop()
    print(f"paho, {topic}: told {reason.value >= 128 and str(reason)}")


for topic in ("allowed/lamp", "refused/lamp"):
    asyncio.run(through_aiomqtt(topic))
    through_paho(topic)
P
seen=$("$python" "$work/look.py")
printf '%s\n' "$seen"
expected='aiomqtt, allowed/lamp: returns None
paho, allowed/lamp: told False
aiomqtt, refused/lamp: returns None
paho, refused/lamp: told Not authorized'
[ "$seen" = "$expected" ] || { echo "CHANGED: aiomqtt tells of a refusal, or paho no longer does"; exit 1; }
echo "as stated: a message that the broker refused returns like any other"
