#!/bin/bash
# amqtt 0.12.1 (MQTT 3.1.1), paho-mqtt 2.2.0.
#
# What one would expect: whoever connects without a clean session, subscribes with quality of service 1 and goes, finds the session and
# what was published meanwhile when it is back under its client id (MQTT 3.1.1, 3.1.2.4). To whom a session belongs is said by
# the client id; who a client is has nothing to do with it.
# What happens: so it is for clients with a name and a password. Where clients need none, as in many homes, the broker says at the return
# that the session is there, the subscription works on at once, and all that was published meanwhile is gone: the broker keeps
# nothing for a session without a name, which nothing in the protocol tells its owner.
set -euo pipefail
work=$(mktemp -d)
trap 'clean_up' EXIT
clean_up() {
    [ -z "${broker:-}" ] || kill "$broker" 2>/dev/null || true
    rm -rf "$work"
}
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check amqtt==0.12.1 paho-mqtt==2.2.0

cat >"$work/serve.py" <<'P'
import asyncio
import signal
import sys
from pathlib import Path

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig
from pwdlib.hashers.argon2 import Argon2Hasher

people = Path(sys.argv[1])
people.write_text(f"hall:{Argon2Hasher().hash('a password')}\n")
AUTHENTICATION = "amqtt.plugins.authentication"
PORTS = {
    18828: {f"{AUTHENTICATION}.AnonymousAuthPlugin": {"allow_anonymous": True}},
    18829: {f"{AUTHENTICATION}.FileAuthPlugin": {"password_file": str(people)}},
}


async def main():
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    for port, plugins in PORTS.items():
        await Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}}, "plugins": plugins}).start()
    print("ready", flush=True)
    await end.wait()


asyncio.run(main())
P
cat >"$work/look.py" <<'P'
import queue

import paho.mqtt.client as mqtt


def connect(port, name, *, clean=True):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean, protocol=mqtt.MQTTv311)
    up, client.granted, client.heard = queue.Queue(), queue.Queue(), queue.Queue()
    client.on_connect = lambda _c, _u, flags, *_: up.put(flags.session_present)
    client.on_subscribe = lambda *_: client.granted.put(1)
    client.on_message = lambda _c, _u, message: client.heard.put(message.payload.decode())
    if port == 18829:
        client.username_pw_set("hall", "a password")
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.session = up.get(timeout=10)
    return client


def leave(client):
    client.disconnect()
    client.loop_stop()


def say(client, text):
    client.publish("home/bell/event", text, qos=1).wait_for_publish(10)


for kind, port in (("without a name", 18828), ("with a name and a password", 18829)):
    ear = connect(port, "ear", clean=False)
    ear.subscribe("home/bell/event", 1)
    ear.granted.get(timeout=10)
    leave(ear)
    speaker = connect(port, "speaker")
    say(speaker, "pressed while it was away")
    ear = connect(port, "ear", clean=False)
    say(speaker, "pressed when it was back")
    came = []
    while came[-1:] != ["pressed when it was back"]:
        came.append(ear.heard.get(timeout=10))
    leave(ear)
    leave(speaker)
    print(f"{kind}: session {'there' if ear.session else 'gone'}; {', '.join(came)}")
P
coproc broker_says { exec "$work/venv/bin/python" "$work/serve.py" "$work/people" 2>"$work/broker.log"; }
broker=$broker_says_PID
read -r -t 60 _ <&"${broker_says[0]}" || { tail -5 "$work/broker.log" >&2; exit 1; }
"$work/venv/bin/pip" list 2>/dev/null | grep '^amqtt'
seen=$("$work/venv/bin/python" "$work/look.py")
printf '%s\n' "$seen"
expected='without a name: session there; pressed when it was back
with a name and a password: session there; pressed while it was away, pressed when it was back'
[ "$seen" = "$expected" ] || { echo "CHANGED: a session without a name now keeps what came meanwhile, or one with a name does not"; exit 1; }
echo "as stated: a session without a name is there afterwards, and empty"
