// The home in a few sentences, and each room of a large one in a few words: the same as gateway/pages/overview.py, for what
// the stream brings. A test in a real browser holds both against one another.

import { later, say } from "./tongue.js";

const FACTS = [
  ["jammed", later("{name} is jammed"), later("{count} locks are jammed")],
  ["mismatch", later("{name} does not follow"), later("{count} devices do not follow")],
  ["fault", later("{name} has a fault"), later("{count} devices have a fault")],
  ["unlocked", later("{name} is unlocked"), later("{count} locks are unlocked")],
  ["ajar", later("{name} is open"), later("{count} contacts are open")],
  ["sensor", later("{name} gives no reading"), later("{count} devices give no reading")],
  ["motion", later("{name} sees motion"), later("{count} sensors see motion")],
  ["moving", later("{name} is moving"), later("{count} devices are moving")],
  ["adrift", later("{name} is at an unknown position"), later("{count} covers are at unknown positions")],
  ["on", later("{name} is on"), later("{count} devices are on")],
  ["unknown", later("{name} is unknown"), later("{count} devices are unknown")],
];
const BARRED = [later("{name} is locked out"), later("{count} devices are locked out")];
const ROOMS = [
  ["offline", later("{name} is offline"), later("{count} rooms are offline")],
  ["unknown", later("{name} is unknown"), later("{count} rooms are unknown")],
];
const GRAVE = new Set(["jammed", "mismatch", "fault", "unlocked", "ajar", "sensor", "unknown"]);
const LIT = new Set(["on", "motion"]);
const AWAY = FACTS.length;
export const CALM = AWAY + 1; // a rank from which on a room is as it should be

/** A room with its devices, {name, status, devices: [{name, look}]}, in sums as the stream has them. */
export function summed({ name, status, devices }) {
  const looks = {};
  for (const device of status === "online" ? devices : []) {
    const count = (looks[device.look]?.count ?? 0) + 1;
    looks[device.look] = count === 1 ? { count, device: device.name } : { count };
  }
  return { name, status, devices: devices.length, looks, barred: null };
}

/** The home in a few short sentences; `rooms` in sums. */
export function headline(rooms) {
  const sentences = [];
  for (const [look, ofOne, ofMany] of FACTS) {
    const found = rooms.filter((room) => look in room.looks);
    const count = found.reduce((sum, room) => sum + room.looks[look].count, 0);
    if (count === 1) {
      const name = say("{device} in {room}", { device: found[0].looks[look].device, room: found[0].name });
      sentences.push(`${say(ofOne, { name })}.`);
    } else if (count > 1) sentences.push(`${say(ofMany, { count })}.`);
  }
  for (const [status, ofOne, ofMany] of ROOMS) {
    const names = rooms.filter((room) => room.status === status).map((room) => room.name);
    if (names.length === 1) sentences.push(`${say(ofOne, { name: names[0] })}.`);
    else if (names.length > 1) sentences.push(`${say(ofMany, { count: names.length })}.`);
  }
  if (sentences.length > 0) return sentences;
  return [rooms.some((room) => Object.keys(room.looks).length > 0) ? say("All is quiet.") : say("There is nothing here yet.")];
}

/** One room in a few words: {facts: [[text, tone]], rest, rank}; the less the rank, the sooner it wants to be seen. */
export function tile({ status, devices, looks, barred }) {
  const said = ({ count, device }, ofOne, ofMany) => (count === 1 ? say(ofOne, { name: device }) : say(ofMany, { count }));
  const tone = (look) => (GRAVE.has(look) ? "bad" : LIT.has(look) ? "lit" : "calm");
  const facts = FACTS.filter(([look]) => look in looks).map(([look, ...words]) => [said(looks[look], ...words), tone(look)]);
  if (barred !== null) facts.push([said(barred, ...BARRED), "calm"]);
  const quiet = status === "online" ? say("All is quiet.") : say("Nothing is known of it.");
  const gravest = FACTS.findIndex(([look]) => GRAVE.has(look) && look in looks);
  const rank = status !== "online" ? AWAY : gravest < 0 ? CALM : gravest;
  return { facts, rest: devices > 0 ? quiet : say("It has not described itself yet."), rank };
}
