#!/bin/bash
# Node-RED 4.1.15, its node "mqtt out" on MQTT 5, with Mosquitto 2.0.11 (Debian 12); Node-RED 5.0.7 does the same.
#
# What one would expect: a message of quality of service 1 that comes to "mqtt out" while the broker is away is kept and sent later, as
# MQTT.js below that node would do by itself; or the node says that it could not send it, so that a Catch node hears of it.
# What happens: it is gone. It is not sent later, and the Catch node hears nothing, which does hear of other errors of that node. The one
# sign is that the Complete node hears nothing either. A restart of the broker takes a second or two, and a flow that is to
# close a valve in these closes nothing and goes on.
#
# For whoever builds flows: let the device's answer decide whether a wish was done, and have a Trigger node tell where none comes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
# shellcheck source=lib/npm
. "$here/lib/npm"
fetch 2.0.11 2.1.0
find_libraries
from_npm node-red@4.1.15 mqtt@5.16.0
printf 'listener 18830 127.0.0.1\nallow_anonymous true\n' >"$work/mosquitto.conf"

mkdir "$work/red"
cat >"$work/red/flows.json" <<'J'
[
  {"id": "tab", "type": "tab", "label": "home"},
  {"id": "hub", "type": "mqtt-broker", "broker": "127.0.0.1", "port": 18830, "protocolVersion": "5", "autoConnect": true},
  {"id": "out", "z": "tab", "x": 100, "y": 100, "type": "mqtt out", "broker": "hub", "topic": "", "qos": "1", "retain": "true", "wires": []},
  {"id": "catch", "z": "tab", "x": 100, "y": 100, "type": "catch", "scope": ["out"], "uncaught": false, "wires": [["told"]]},
  {"id": "complete", "z": "tab", "x": 100, "y": 100, "type": "complete", "scope": ["out"], "wires": [["told"]]},
  {"id": "told", "z": "tab", "x": 100, "y": 100, "type": "function", "func": "return null;", "wires": []}
]
J
cat >"$work/node/look.js" <<'J'
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import mqtt from "mqtt";
import RED from "node-red";

const [userDir, ...command] = process.argv.slice(2);
const told = [];
const ears = new EventEmitter();
let shown = "";

function start() {
  return spawn(command[0], command.slice(1), { stdio: "ignore" });
}

/** Until the node shows one of these below itself. */
async function shows(...words) {
  while (!words.some((word) => shown.endsWith(`status.${word}`))) await once(ears, "status");
}

/** Until the flow was told something of a topic, by its Catch or its Complete node. */
async function tells(topic) {
  while (!told.some((line) => line.startsWith(`${topic}: `))) await once(ears, "told");
}

function say(topic, more) {
  RED.runtime._.nodes.getNode("out").receive({ topic, payload: "close", ...more });
}

RED.init(createServer(), {
  userDir,
  flowFile: "flows.json",
  credentialSecret: false,
  httpAdminRoot: false,
  httpNodeRoot: false,
  mqttReconnectTime: 500,
  logging: { console: { level: "off" } },
});
RED.events.on("node-status", ({ id, status }) => {
  if (id !== "out") return;
  shown = status.text ?? "";
  ears.emit("status");
});
RED.hooks.add("onReceive", ({ msg, destination }) => {
  if (destination.id !== "told") return;
  told.push(`${msg.topic}: ${msg.error ? "Catch" : "Complete"}`);
  ears.emit("told");
});

let broker = start();
process.on("exit", () => broker.kill());
await RED.start();
await shows("connected");
say("valve/before");
await tells("valve/before");
say("valve/wrong", { action: "none that the node knows" }); // an error, to see that the Catch node hears of this node
await tells("valve/wrong");
broker.kill();
await once(broker, "exit");
await shows("disconnected", "connecting");
say("valve/while it was away");
broker = start();
await shows("connected");
say("valve/afterwards");
await tells("valve/afterwards");

const ear = await mqtt.connectAsync("mqtt://127.0.0.1:18830", { protocolVersion: 5 });
const kept = [];
const end = new Promise((resolve) => ear.on("message", (topic) => (topic === "end" ? resolve() : kept.push(topic))));
await ear.subscribeAsync("#", { qos: 1 });
await ear.publishAsync("end", "", { qos: 1 });
await end;
console.log(`Node-RED ${RED.version()}`);
console.log("the flow was told:", told.join("; "));
console.log("the broker has:", kept.join("; "));
process.exit();
J
seen=$(node "$work/node/look.js" "$work/red" env LD_LIBRARY_PATH="$libraries" "$work/root/usr/sbin/mosquitto" -c "$work/mosquitto.conf")
printf '%s\n' "$seen"
expected='Node-RED 4.1.15
the flow was told: valve/before: Complete; valve/wrong: Catch; valve/afterwards: Complete
the broker has: valve/afterwards'
[ "$seen" = "$expected" ] || { echo "CHANGED: Node-RED sends later what came while the broker was away, or tells the flow"; exit 1; }
echo "as stated: what comes while the broker is away is dropped, and nobody is told"
