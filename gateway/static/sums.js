// The home in a few sentences, and each room of a large one in a few words: the same as gateway/pages/overview.py, for what
// the stream brings. A test in a real browser holds both against one another.

const FACTS = [
  ["jammed", "is jammed", "locks are jammed"],
  ["mismatch", "does not follow", "devices do not follow"],
  ["fault", "has a fault", "devices have a fault"],
  ["unlocked", "is unlocked", "locks are unlocked"],
  ["ajar", "is open", "contacts are open"],
  ["sensor", "gives no reading", "devices give no reading"],
  ["motion", "sees motion", "sensors see motion"],
  ["moving", "is moving", "devices are moving"],
  ["adrift", "is at an unknown position", "covers are at unknown positions"],
  ["on", "is on", "devices are on"],
  ["unknown", "is unknown", "devices are unknown"],
];
const BARRED = ["is locked out", "devices are locked out"];
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
    if (count === 1) sentences.push(`${found[0].looks[look].device} in ${found[0].name} ${ofOne}.`);
    else if (count > 1) sentences.push(`${count} ${ofMany}.`);
  }
  for (const status of ["offline", "unknown"]) {
    const names = rooms.filter((room) => room.status === status).map((room) => room.name);
    if (names.length === 1) sentences.push(`${names[0]} is ${status}.`);
    else if (names.length > 1) sentences.push(`${names.length} rooms are ${status}.`);
  }
  if (sentences.length > 0) return sentences;
  return [rooms.some((room) => Object.keys(room.looks).length > 0) ? "All is quiet." : "There is nothing here yet."];
}

/** One room in a few words: {facts: [[text, tone]], rest, rank}; the less the rank, the sooner it wants to be seen. */
export function tile({ status, devices, looks, barred }) {
  const said = ({ count, device }, ofOne, ofMany) => (count === 1 ? `${device} ${ofOne}` : `${count} ${ofMany}`);
  const tone = (look) => (GRAVE.has(look) ? "bad" : LIT.has(look) ? "lit" : "calm");
  const facts = FACTS.filter(([look]) => look in looks).map(([look, ...words]) => [said(looks[look], ...words), tone(look)]);
  if (barred !== null) facts.push([said(barred, ...BARRED), "calm"]);
  const quiet = status === "online" ? "All is quiet." : "Nothing is known of it.";
  const gravest = FACTS.findIndex(([look]) => GRAVE.has(look) && look in looks);
  const rank = status !== "online" ? AWAY : gravest < 0 ? CALM : gravest;
  return { facts, rest: devices > 0 ? quiet : "It has not described itself yet.", rank };
}
