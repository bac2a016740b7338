#!/bin/bash
# zigbee-herdsman 10.9.5 and zigbee-herdsman-converters 26.112.0, through which Zigbee2MQTT reads what devices report.
#
# What one would expect: Zigbee has a value of each type that says "not known", such as 0xffff of 16 bits, and for illuminance the
# specification names it once more. A device may report it while it has nothing to say. Whatever reads it for
# people says nothing of it, or null.
# What happens: of a power or the place of a blind that is so. Others become values: an illuminance that is not known is read as
# 3.6 million lux, some thirty times full sun, so that an automation takes midnight for noon; a meter's count is
# 281,474,976,710,655; a lamp's level is 255, full; and a socket of which it is not known whether it is on is off.
#
# For whoever acts on such values: hold them against what the sensor can measure at all.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=lib/npm
. "$here/lib/npm"
from_npm zigbee-herdsman@10.9.5 zigbee-herdsman-converters@26.112.0

cat >"$work/node/look.js" <<'J'
import { createRequire } from "node:module";
import { Zcl } from "zigbee-herdsman";
import { findByDevice } from "zigbee-herdsman-converters";

const require = createRequire(import.meta.url);
const { attributeKeyValue } = require("zigbee-herdsman/dist/controller/helpers/zclFrameConverter.js");
for (const name of ["zigbee-herdsman", "zigbee-herdsman-converters"]) console.log(name, require(`${name}/package.json`).version);
console.debug = () => {}; // each search of a model is told there

const UINT8 = 0x20, UINT16 = 0x21, UINT48 = 0x25, INT16 = 0x29, BOOLEAN = 0x10;
const HUE_SENSOR = ["Philips", "SML001"];
const SOCKET = ["IKEA of Sweden", "TRADFRI control outlet"];
const BULB = ["IKEA of Sweden", "TRADFRI bulb E27 WS opal 980lm"];
const BLIND = ["IKEA of Sweden", "FYRTUR block-out roller blind"];
const METER = ["Develco Products A/S", "SPLZB-131"];

/** What a device of this make is taken to say by a report of one attribute; the value as it stands on the air. */
async function read([manufacturerName, modelID], cluster, attribute, type, value) {
  const report = Buffer.from([0x18, 1, 0x0a, attribute & 255, attribute >> 8, type, ...value]);
  const frame = Zcl.Frame.fromBuffer(cluster, Zcl.Header.fromBuffer(report), report, {});
  const data = attributeKeyValue(frame, undefined, {});
  const endpoint = {
    ID: 1,
    binds: [],
    meta: {},
    getDevice: () => device,
    getClusterAttributeValue: () => undefined,
    saveClusterAttributeKeyValue: () => {},
    supportsInputCluster: () => true,
    supportsOutputCluster: () => false,
  };
  const device = { modelID, manufacturerName, type: "EndDevice", endpoints: [endpoint], meta: {}, customClusters: {} };
  Object.assign(device, { ieeeAddr: "0x0000000000000001", getEndpoint: () => endpoint, save: () => {} });
  endpoint.deviceIeeeAddress = device.ieeeAddr;
  const model = await findByDevice(device);
  const heard = { device, endpoint, cluster: frame.cluster.name, data, type: "attributeReport", meta: {}, linkquality: 1 };
  const said = {};
  for (const converter of model.fromZigbee.filter((one) => one.cluster === heard.cluster && one.type.includes(heard.type))) {
    const meta = { state: {}, device, deviceExposesChanged: () => {} };
    Object.assign(said, await converter.convert(model, heard, () => {}, {}, meta));
  }
  return JSON.stringify(said);
}

const FF = (length) => Array(length).fill(0xff);
console.log("power not known:", await read(METER, 0x0b04, 0x050b, INT16, [0, 0x80]));
console.log("place of a blind not known:", await read(BLIND, 0x0102, 8, UINT8, FF(1)));
console.log("illuminance of 50 lux:", await read(HUE_SENSOR, 0x0400, 0, UINT16, [0x5f, 0x42]));
console.log("illuminance not known:", await read(HUE_SENSOR, 0x0400, 0, UINT16, FF(2)));
console.log("count not known:", await read(METER, 0x0702, 0, UINT48, FF(6)));
console.log("level not known:", await read(BULB, 8, 0, UINT8, FF(1)));
console.log("socket on:", await read(SOCKET, 6, 0, BOOLEAN, [1]));
console.log("socket not known:", await read(SOCKET, 6, 0, BOOLEAN, FF(1)));
J
seen=$(node "$work/node/look.js")
printf '%s\n' "$seen"
expected='zigbee-herdsman 10.9.5
zigbee-herdsman-converters 26.112.0
power not known: {}
place of a blind not known: {}
illuminance of 50 lux: {"illuminance":50.00345349769786}
illuminance not known: {"illuminance":3576020.5018090233}
count not known: {"energy":281474976710655}
level not known: {"brightness":255}
socket on: {"state":"ON"}
socket not known: {"state":"OFF"}'
[ "$seen" = "$expected" ] || { echo "CHANGED: what a device does not know is read otherwise"; exit 1; }
echo "as stated: what a device does not know becomes 3.6 million lux, a count, a level and off"
