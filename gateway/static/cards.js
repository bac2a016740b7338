// The cards on the page: paints what the room said onto them, and nothing else. There is no optimistic change anywhere.

import { headline, summed } from "./sums.js";
import { say } from "./tongue.js";
import { called, clock, full, icon, isPressed, reconnecting, shown, today } from "./wording.js";

const timezone = document.documentElement.dataset.timezone;

export const card = (room, device) => document.getElementById(`${room}.${device}`);
export const section = (room) => document.querySelector(`section.room[data-room="${CSS.escape(room)}"]`);
const devices = (found) => [...found.closest("main").querySelectorAll(`.device[data-room="${CSS.escape(found.dataset.room)}"]`)];
export const sections = (within = document) => [...within.querySelectorAll("section.room")];

const GRAVE = new Set(["jammed", "mismatch", "fault", "unlocked", "sensor"]); // never hidden: as gateway/pages/cards.py
const heard = new Map(); // what the stream said last, by room: its status, and its devices' states
const described = new Map(); // what a room's description said last, but for how its devices are just now

/** What a state event says of one device. */
export function paintState(room, device, state) {
  heard.get(room)?.states.set(device, state);
  const found = card(room, device);
  if (found) paint(found, shown(found.dataset.kind, section(room).dataset.status, state));
}

/** A room came or went: what its devices show is not known until it says so. */
export function paintAvailability(room, status) {
  heard.set(room, { status, states: new Map() });
  const found = section(room);
  if (!found) return;
  found.dataset.status = status;
  found.querySelector(".status .text").textContent = called(status);
  for (const device of devices(found)) paint(device, shown(device.dataset.kind, status, null));
}

/** The stream is lost: nothing on this page is known. */
export function paintReconnecting() {
  heard.clear();
  for (const found of sections()) {
    found.dataset.status = "unknown";
    found.querySelector(".status .text").textContent = called("unknown");
    for (const device of devices(found)) paint(device, reconnecting());
  }
  const line = document.getElementById("headline");
  if (line) line.textContent = say("Nothing is known just now.");
}

/** After the page was fetched anew: the stream may have said more in the meantime. */
export function paintHeard() {
  for (const [room, { status, states }] of [...heard]) {
    if (section(room)?.dataset.status !== status) paintAvailability(room, status);
    for (const [device, state] of states) paintState(room, device, state);
  }
}

/** The sentences on top of the home. */
export function paintHeadline() {
  const line = document.getElementById("headline");
  if (!line) return;
  const rooms = sections().map((found) => ({
    name: found.dataset.name,
    status: found.dataset.status,
    devices: devices(found).map(({ dataset }) => ({ name: dataset.name, look: dataset.look })),
  }));
  const text = headline(rooms.map(summed)).join(" ");
  if (line.textContent !== text) line.textContent = text;
}

/** A page that stays open over midnight: "21:04" becomes "Monday 21:04". */
export function paintTimes() {
  for (const time of document.querySelectorAll(".note time")) time.textContent = clock(new Date(time.dateTime), timezone);
  const date = document.getElementById("today");
  if (date) date.textContent = today(timezone);
}

/** Whether the page shows a room as its description has it; where it does not, the page is fetched anew. */
export function fits({ room, name, icon: drawn = "", hidden = false, devices: offered }) {
  const found = section(room);
  const said = JSON.stringify(offered.map(({ state, status, available, ...offers }) => offers));
  const news = described.has(room) && described.get(room) !== said; // limits are words on the page, and not compared
  described.set(room, said);
  const cards = offered.map((d) =>
    [d.id, d.name, d.kind, d.critical, d.confirm_by, d.actions.join(" "), d.safe_actions.join(" "), d.lockout_by ?? ""]
      .concat((d.pending ?? []).map(({ id }) => id).join(" "), d.icon, d.favourite ?? false, d.hidden ?? false)
      .join("|"),
  );
  return !news && found !== null && shape(found) === [name, drawn, hidden, ...cards].join("\n");
}

/** What is drawn of a room, whatever its state; its devices in its order, wherever on the page they stand. */
export function shape(found) {
  const { name, icon: drawn, hidden } = found.dataset;
  const cards = devices(found)
    .map(({ dataset }) => dataset)
    .sort((one, other) => one.nth - other.nth)
    .map((d) => [d.device, d.name, d.kind, d.critical, d.confirm, d.actions, d.safe, d.lockout, d.pending, d.icon, d.favourite, d.hidden].join("|"));
  return [name, drawn, hidden, ...cards].join("\n");
}

/** The same with the words that are not in the description's own: limits, and what the master user may do. */
export function drawing(found) {
  return [shape(found), ...[...found.querySelectorAll(".more")].map((it) => it.textContent)].join("\n");
}

function paint(found, said) {
  found.dataset.look = said.look;
  if (GRAVE.has(said.look)) for (let away = found; (away = away.parentElement.closest(".put-away")); ) away.open = true;
  found.querySelector(".word").textContent = said.word;
  found.querySelector(".note").replaceChildren(...note(said));
  for (const button of found.querySelectorAll(".controls button.command")) {
    const pressed = isPressed(button.value, said.look);
    if (pressed === null) button.removeAttribute("aria-pressed");
    else button.ariaPressed = pressed;
  }
  const use = found.querySelector(".disc use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon(said.look, found.dataset.icon)}`));
  const field = found.querySelector(".set input[name=value]");
  if (field && !field.dataset.held) stand(field, said.level);
}

/** A slider stands where the device does; where that is not known there is none, but a field to write into. */
function stand(field, level) {
  field.type = level === null ? "number" : "range";
  field.value = level ?? "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function note(said) {
  if (said.at === null) return [said.before + said.after];
  const time = document.createElement("time");
  const at = new Date(said.at);
  time.dateTime = said.at;
  time.textContent = clock(at, timezone);
  time.title = full(at, timezone);
  return [`${said.before} `, time, said.after];
}
