// The line under the home's headline: when the bell was last pressed and where something last moved, as the stream says.

import { say } from "./tongue.js";
import { clock } from "./wording.js";

const timezone = document.documentElement.dataset.timezone;
const last = {}; // what the stream said last, which a page fetched anew may not know yet: { pressed, moved }

/** A state of a device on the page, or null: a press or a movement is news, where nothing later is known. */
export function heardLately(device, room, state) {
  if (state?.by?.source !== "input" || (state.fault ?? null) !== null) return;
  const { value, since } = state;
  const { kind } = device.dataset; // names as they are drawn: cleaned, unlike those in the data
  if (kind === "button") note("pressed", device.querySelector(".name").textContent.trim(), since);
  else if (kind === "motion" && value === "motion") note("moved", room.querySelector("h2").textContent.trim(), since);
}

/** The line as it is now; also over midnight, where "21:04" becomes "Monday 21:04". */
export function paintLately() {
  const headline = document.getElementById("headline");
  if (!headline) return;
  const line = document.getElementById("lately") ?? drawn(headline);
  for (const [what, { name, at }] of Object.entries(last)) {
    if (new Date(line.dataset[`${what}At`] ?? 0) >= new Date(at)) continue;
    line.dataset[what] = name;
    line.dataset[`${what}At`] = at;
  }
  const { pressed, pressedAt, moved, movedAt } = line.dataset;
  const parts = [];
  if (pressedAt) parts.push(say("{name} {when}", { name: pressed, when: clock(new Date(pressedAt), timezone) }));
  if (movedAt) parts.push(say("last movement: {name} {when}", { name: moved, when: clock(new Date(movedAt), timezone) }));
  const text = parts.join(" · ");
  if (line.textContent !== text) line.textContent = text;
  line.hidden = text === "";
}

function note(what, name, at) {
  if (last[what] && new Date(last[what].at) >= new Date(at)) return;
  last[what] = { name, at };
  paintLately();
}

function drawn(headline) {
  const line = document.createElement("p");
  line.id = "lately";
  line.className = "who";
  headline.after(line);
  return line;
}
