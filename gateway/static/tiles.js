// The rooms of a large home on its first page: paints what the stream said in sums onto them, and nothing else.

import { CALM, headline, tile } from "./sums.js";
import { say, sayMany } from "./tongue.js";
import { called } from "./wording.js";

const heard = new Map(); // what the stream said last, by room

export const tiles = (within = document) => [...within.querySelectorAll(".tile")];
const tileOf = (room) => document.querySelector(`.tile[data-room="${CSS.escape(room)}"]`);

/** What a sum says of one room; false where the page has another set of rooms, and is to be fetched anew. */
export function paintSum(sum) {
  const found = tileOf(sum.room);
  if (sum.devices === 0 && found === null) return true; // gone, or never there
  heard.set(sum.room, sum);
  if (found === null || found.dataset.name !== sum.name) return false;
  const count = found.querySelector(".count");
  const isPerhapsGone = sum.devices === 0 && Number.parseInt(count.textContent, 10) > 0; // the page anew tells
  const { facts, rest, rank } = tile(sum);
  paint(found, sum.status, facts.length > 0 ? facts : [[rest, ""]]);
  count.textContent = sayMany("{count} device", "{count} devices", sum.devices);
  put(found, rank);
  return !isPerhapsGone;
}

/** The stream is lost: nothing on this page is known. Each stays where it is, so that nobody loses sight of it. */
export function paintLost() {
  heard.clear();
  for (const found of tiles()) paint(found, "unknown", [[say("Reconnecting to the hub."), ""]]);
  document.getElementById("headline").textContent = say("Nothing is known just now.");
}

/** After the page was fetched anew: the stream may have said more in the meantime. */
export function paintAllHeard() {
  const there = new Set(tiles().map((found) => found.dataset.room));
  for (const [room, sum] of heard) if (there.has(room)) paintSum(sum);
}

/** The sentences on top. */
export function paintSentences() {
  const line = document.getElementById("headline");
  const text = headline(tiles().flatMap((found) => heard.get(found.dataset.room) ?? [])).join(" ");
  if (line.textContent !== text) line.textContent = text;
}

/** Show the rooms alone whose names have what was typed. */
export function showFound() {
  const wanted = document.getElementById("find").value.trim().toLowerCase();
  if (wanted) document.getElementById("away").open = true;
  for (const found of tiles()) found.hidden = !found.dataset.name.toLowerCase().includes(wanted);
  for (const list of document.querySelectorAll(".rooms")) list.hidden = tiles(list).every((found) => found.hidden);
  document.getElementById("none-found").hidden = tiles().some((found) => !found.hidden);
}

function paint(found, status, facts) {
  found.dataset.status = status;
  found.querySelector(".status .text").textContent = called(status);
  const list = found.querySelector(".tells");
  const drawn = [...list.children].map((line) => [line.textContent, line.className]);
  if (JSON.stringify(drawn) === JSON.stringify(facts)) return;
  list.replaceChildren(...facts.map(([text, tone]) => {
    const line = document.createElement("li");
    line.textContent = text;
    line.className = tone;
    return line;
  }));
}

/** Move a room to where it belongs: by its rank, and within a rank in the home's order. */
function put(found, rank) {
  if (Number(found.dataset.rank) === rank) return;
  found.dataset.rank = rank;
  const list = document.querySelector(`${rank < CALM ? "#grave" : found.dataset.hidden === "true" ? "#away" : "#calm"} .tiles`);
  const order = found.closest("main").dataset.order.split(" ");
  const focused = found.contains(document.activeElement) ? document.activeElement : null;
  const isAfter = ({ dataset }) => dataset.rank - rank || order.indexOf(dataset.room) - order.indexOf(found.dataset.room);
  const after = tiles(list).find((other) => other !== found && isAfter(other) > 0);
  list.insertBefore(found, after ?? null);
  focused?.focus({ preventScroll: true });
  showFound();
}
