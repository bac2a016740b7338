#!/bin/bash
# Mosquitto 2.0.11 (Debian 12), paho-mqtt 2.1.0; 2.0.21 (Debian 13) and 2.1.2 do the same.
#
# What one would expect: who subscribes with No Local never hears what was published under the same client id (MQTT 5, 3.8.3.1:
# such a message must not be forwarded to that connection), so that a device that says and hears on one topic never takes its
# own word for somebody else's.
# What happens: of a retained message that holds only for the moment in which it is published. With the next SUBSCRIBE, as after
# each reconnection, the broker sends it to its own author, flagged as retained. EMQX reads the same sentence the other way.
# A thermostat that retains its own wish obeys it again after a power cut, as if someone had turned the knob. To be left alone it
# has to ask for no retained messages (Retain Handling 2), or to know its own word by an id of its own.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
fetch 2.0.11 2.1.0
start_broker 18819

cat >"$work/look.py" <<'P'
import queue

import paho.mqtt.client as mqtt
from paho.mqtt.subscribeoptions import SubscribeOptions


class Thermostat:
    def __init__(self):
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="thermostat", protocol=mqtt.MQTTv5)
        up, self.asked, self.inbox = queue.Queue(), queue.Queue(), queue.Queue()
        self.client.on_connect = lambda *_: up.put(1)
        self.client.on_subscribe = lambda *_: self.asked.put(1)
        self.client.on_message = lambda _c, _u, message: self.inbox.put((message.payload.decode(), message.retain))
        self.client.connect("127.0.0.1", 18819)
        self.client.loop_start()
        up.get(timeout=5)

    def listen(self, retain_handling=0):
        options = SubscribeOptions(qos=1, noLocal=True, retainHandling=retain_handling)
        self.client.subscribe("home/bath/target", options=options)
        self.asked.get(timeout=5)

    def heard(self):
        try:
            return self.inbox.get(timeout=2)
        except queue.Empty:
            return "nothing"

    def leave(self):
        self.client.disconnect()
        self.client.loop_stop()


one = Thermostat()
one.listen()
one.client.publish("home/bath/target", "21", qos=1, retain=True).wait_for_publish(5)
print("while it speaks:", one.heard())
one.leave()
other = Thermostat()
other.listen()
print("after it came back:", other.heard())
other.listen(retain_handling=2)
print("asked for none that are retained:", other.heard())
other.leave()
P
seen=$("$python" "$work/look.py")
printf '%s\n' "$seen"
expected="while it speaks: nothing
after it came back: ('21', True)
asked for none that are retained: nothing"
[ "$seen" = "$expected" ] || { echo "CHANGED: No Local now holds for one's own retained messages, too"; exit 1; }
echo "as stated: one's own retained message comes back in spite of No Local"
