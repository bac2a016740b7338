#!/bin/bash
# Mosquitto 2.0.11 (Debian 12) and MQTT.js 5.16.0, all settings of both as they come; 2.0.21 (Debian 13) and 2.1.2 do the same.
#
# What one would expect: a message of quality of service 2 that was confirmed to the end (PUBLISH, PUBREC, PUBREL, PUBCOMP) has come to
# the broker exactly once, and goes on to whoever is there to hear it. A broker that has too much to do reads later, or ends the
# connection, and what is unconfirmed is sent again.
# What happens: Mosquitto has room for 20 such messages of one client at a time (`max_inflight_messages`), and throws further ones away
# while they are under way. MQTT 5 knows the bound (Receive Maximum in CONNACK); MQTT.js sends more all the same, and is told
# of some that they were refused (151). MQTT 3.1.1 has no word for it: each of the 50 is confirmed to the end, and
# a good part of them came to nobody. The broker's log of 2.0.11 has no line about it. paho-mqtt keeps to 20 by its own setting.
#
# For whoever sends many at a time: quality of service 1, which has no such bound here, or wait for each twenty.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
# shellcheck source=lib/npm
. "$here/lib/npm"
fetch 2.0.11 2.1.0
from_npm mqtt@5.16.0
start_broker 18824

cat >"$work/node/look.js" <<'J'
import mqtt from "mqtt";

const ENOUGH = 20;
const MANY = 50;

async function connect(protocolVersion, clientId) {
  return mqtt.connectAsync("mqtt://127.0.0.1:18824", { protocolVersion, clientId });
}

async function look(protocolVersion, qos, number) {
  const [ear, speaker] = [await connect(protocolVersion, "ear"), await connect(protocolVersion, "speaker")];
  const topic = `home/${protocolVersion}/${qos}/${number}`;
  const heard = [];
  const end = new Promise((resolve) => {
    ear.on("message", (_, said) => (String(said) === "end" ? resolve() : heard.push(String(said))));
  });
  await ear.subscribeAsync(topic, { qos });
  const refusals = new Set();
  const sent = Array.from({ length: number }, (_, n) =>
    speaker.publishAsync(topic, String(n), { qos }).then(
      () => true,
      (refusal) => {
        refusals.add(refusal.code);
        return false;
      },
    ),
  );
  const confirmed = (await Promise.all(sent)).filter(Boolean).length;
  await speaker.publishAsync(topic, "end", { qos });
  await end;
  await Promise.all([ear.endAsync(), speaker.endAsync()]);
  const came = heard.length < confirmed ? "fewer came" : heard.length > confirmed ? "more came" : "as many came";
  const name = { 4: "MQTT 3.1.1", 5: "MQTT 5" }[protocolVersion];
  const said = `${confirmed === number ? "all" : "some"} confirmed, ${came}${refusals.size ? `, refused with ${[...refusals]}` : ""}`;
  console.error(`(${name}, quality of service ${qos}: of ${number} were ${confirmed} confirmed, and ${heard.length} came)`);
  console.log(`${name}, quality of service ${qos}, ${number} at a time: ${said}`);
}

await look(4, 2, ENOUGH);
await look(4, 1, MANY);
await look(5, 2, MANY);
await look(4, 2, MANY);
J
seen=$(node "$work/node/look.js")
printf '%s\n' "$seen"
expected='MQTT 3.1.1, quality of service 2, 20 at a time: all confirmed, as many came
MQTT 3.1.1, quality of service 1, 50 at a time: all confirmed, as many came
MQTT 5, quality of service 2, 50 at a time: some confirmed, as many came, refused with 151
MQTT 3.1.1, quality of service 2, 50 at a time: all confirmed, fewer came'
[ "$seen" = "$expected" ] || { echo "CHANGED: what is confirmed to the end is no longer lost, or more than that is"; exit 1; }
echo "as stated: of fifty messages that were confirmed to the end, some came to nobody"
