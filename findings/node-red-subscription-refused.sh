#!/bin/bash
# Node-RED 4.1.15, its node "mqtt in" on MQTT 5, with Mosquitto 2.0.11 (Debian 12) and its plugin for dynamic security.
#
# What one would expect: where the broker refuses a subscription (SUBACK with reason 135, "not authorized"), the node shows that it hears
# nothing, or a Catch node is told: MQTT.js below it raises an error, and "mqtt out" tells a Catch node of each message that is refused.
# What happens: the node shows "connected" in green, as its neighbour does that was let in, and neither a Catch nor a Status node
# is told of anything else. A flow that waits for a smoke detector under a misspelt topic, or a right that was taken away, waits for ever.
#
# For whoever builds flows: after each change of a topic or a right see a message come, such as a retained one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
# shellcheck source=lib/broker
. "$here/lib/broker"
# shellcheck source=lib/npm
. "$here/lib/npm"
fetch 2.0.11 2.1.0
from_npm node-red@4.1.15 mqtt@5.16.0
find_libraries
cat >"$work/rights.json" <<'J'
{
  "defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": false, "unsubscribe": true},
  "clients": [],
  "groups": [{"groupname": "anybody", "roles": [{"rolename": "anybody"}]}],
  "roles": [{"rolename": "anybody", "acls": [{"acltype": "subscribeLiteral", "topic": "allowed", "allow": true}]}],
  "anonymousGroup": "anybody"
}
J
chmod -R a+rX "$work"
start_broker 18836 "plugin $plugin" "plugin_opt_config_file $work/rights.json"

mkdir "$work/red"
cat >"$work/red/flows.json" <<'J'
[
  {"id": "tab", "type": "tab", "label": "home"},
  {"id": "hub", "type": "mqtt-broker", "broker": "127.0.0.1", "port": 18836, "protocolVersion": "5", "autoConnect": true},
  {"id": "refused", "z": "tab", "x": 100, "y": 100, "type": "mqtt in", "broker": "hub", "topic": "refused", "qos": "1", "wires": [["told"]]},
  {"id": "allowed", "z": "tab", "x": 100, "y": 100, "type": "mqtt in", "broker": "hub", "topic": "allowed", "qos": "1", "wires": [["told"]]},
  {"id": "catch", "z": "tab", "x": 100, "y": 100, "type": "catch", "scope": null, "uncaught": false, "wires": [["told"]]},
  {"id": "status", "z": "tab", "x": 100, "y": 100, "type": "status", "scope": ["refused"], "wires": [["told"]]},
  {"id": "told", "z": "tab", "x": 100, "y": 100, "type": "function", "func": "return null;", "wires": []}
]
J
cat >"$work/node/look.js" <<'J'
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import mqtt from "mqtt";
import RED from "node-red";

const shown = {};
const told = [];
const ears = new EventEmitter();

RED.init(createServer(), {
  userDir: process.argv[2],
  flowFile: "flows.json",
  credentialSecret: false,
  httpAdminRoot: false,
  httpNodeRoot: false,
  logging: { console: { level: "off" } },
});
RED.events.on("node-status", ({ id, status }) => {
  shown[id] = (status.text ?? "").split(".").at(-1);
  ears.emit("something");
});
RED.hooks.add("onReceive", ({ msg, destination }) => {
  if (destination.id !== "told") return;
  told.push(msg.error ? "Catch" : msg.status ? `Status: ${msg.status.text.split(".").at(-1)}` : `${msg.topic}: ${msg.payload}`);
  ears.emit("something");
});
await RED.start();

const other = await mqtt.connectAsync("mqtt://127.0.0.1:18836", { protocolVersion: 5 });
const refusal = await other.subscribeAsync("refused", { qos: 1 }).then(() => "none", ({ message }) => message);
while (!told.some((line) => line.startsWith("allowed"))) {
  await other.publishAsync("refused", "smoke", { qos: 1 });
  await other.publishAsync("allowed", "tick", { qos: 1 }); // by the same connection, so after it
  await Promise.race([once(ears, "something"), new Promise((resolve) => setTimeout(resolve, 500))]);
}
console.log(`MQTT.js is told: ${refusal}`);
console.log(`Node-RED ${RED.version()} shows: allowed ${shown.allowed}, refused ${shown.refused}`);
console.log(`the flow was told: ${[...new Set(told)].filter((line) => !/: (dis)?connect(ing)?$/.test(line)).join("; ")}`);
process.exit();
J
seen=$(node "$work/node/look.js" "$work/red")
printf '%s\n' "$seen"
expected='MQTT.js is told: Subscribe error: Not authorized
Node-RED 4.1.15 shows: allowed connected, refused connected
the flow was told: Status: connected; allowed: tick'
[ "$seen" = "$expected" ] || { echo "CHANGED: Node-RED tells of a subscription that was refused"; exit 1; }
echo "as stated: a node whose subscription was refused shows that it is connected, and nobody is told"
