// What a device's state looks like to people: the same words as gateway/pages/states.py and times.py, for what the
// stream brings. A test in a real browser holds both against one another.

import { LOCALE, later, number, say } from "./tongue.js";

const WORDS = {
  switch: { on: [later("On"), "on"], off: [later("Off"), "off"] },
  lock: { locked: [later("Locked"), "locked"], unlocked: [later("Unlocked"), "unlocked"], jammed: [later("Jammed"), "jammed"] },
  contact: { open: [later("Open"), "ajar"], closed: [later("Closed"), "shut"] },
  motion: { motion: [later("Motion"), "motion"], clear: [later("Still"), "clear"] },
};
const FAULTS = {
  mismatch: [later("Does not follow"), "mismatch"],
  sensor: [later("No reading"), "sensor"],
  restless: [later("Does not hold still"), "fault"],
};
const FAULT = [later("Fault"), "fault"]; // what a room calls a fault in a word that we do not know
const MOVING = { opening: later("Opening"), closing: later("Closing"), other: later("Moving") };
const UNITS = { temperature: later("{value} °C"), humidity: later("{value} %") };
const STATUS = { online: later("online"), offline: later("offline"), unknown: later("unknown") };
const STANDS_AFTER = { on: "on", off: "off", lock: "locked", unlock: "unlocked" };
const OUTPUTS = new Set(["switch", "dimmer", "lock", "cover", "pulse"]);
const GATEWAY = /^gateway(-[0-9]+)?$/;
const ICON_OF_LOOK = { unlocked: "unlock", jammed: "warning", mismatch: "warning", sensor: "warning", fault: "warning" };
const OPEN = { door: "door-open", window: "window-open" };

const says = (word, look, before, at = null, after = "", level = null) => ({ word, look, before, at, after, level });

const unheard = () => says(say("Unknown"), "unknown", say("The room has not been heard."));
const offline = () => says(say("Offline"), "offline", say("The room is offline."));
const silent = () => says(say("Unknown"), "unknown", say("The room has not said yet."));
const unfit = () => says(say("Unknown"), "unknown", say("The room reported something that does not fit."));
export const reconnecting = () => says(say("Unknown"), "unknown", say("Reconnecting to the hub."));

/** Whether a room is there, in a word. */
export const called = (status) => say(STATUS[status] ?? status);

/** A device's state in words, given whether its room is there. */
export function shown(kind, status, state) {
  if (status === "offline") return offline();
  if (status !== "online") return unheard();
  if (state === null) return silent();
  if (state.value === null && (state.fault ?? null) === null && Object.hasOwn(UNITS, kind)) return silent();
  const said = word(kind, state.value);
  if ((state.fault ?? null) !== null) return faulty(kind, state, said);
  if (said === null) return unfit();
  const [text, look, level] = said;
  if (kind === "pulse" || kind === "button") {
    const before = state.by.source === "boot" ? say("not pressed since") : say("last pressed");
    const after = ["boot", "input"].includes(state.by.source) ? "" : by(kind, state.by);
    return says(text, look, before, state.since, after, level);
  }
  return says(text, look, say("since"), state.since, by(kind, state.by), level);
}

/** Whether a device that looks so is as that action has it; null where that is not known, or no matter of yes or no. */
export function isPressed(action, look) {
  if (!Object.hasOwn(STANDS_AFTER, action) || !Object.values(STANDS_AFTER).includes(look)) return null;
  return STANDS_AFTER[action] === look;
}

/** Which drawing stands for a device that looks like that. */
export function icon(look, atRest) {
  return (look === "ajar" ? OPEN[atRest] : ICON_OF_LOOK[look]) ?? atRest;
}

/** When it was, as briefly as it can be said: "21:04", "Monday 21:04", "3 March 21:04". */
export function clock(moment, timezone, now = new Date()) {
  const then = parts(moment, timezone);
  const today = parts(now, timezone);
  const days = Math.round((Date.UTC(today.year, today.number - 1, today.day) - Date.UTC(then.year, then.number - 1, then.day)) / 86400000);
  const time = `${then.hour}:${then.minute}`;
  if (days === 0) return time;
  if (days > 0 && days < 7) return say("{day} {time}", { day: then.weekday, time });
  return say("{day} {time}", { day: then.year === today.year ? then.date : then.dateAndYear, time });
}

/** The date on top of the home: "Monday 23 November". */
export function today(timezone, now = new Date()) {
  const { weekday, date } = parts(now, timezone);
  return say("{weekday} {date}", { weekday, date });
}

/** Everything, for a tooltip. */
export function full(moment, timezone) {
  const then = parts(moment, timezone);
  const day = say("{weekday} {date}", { weekday: then.weekday, date: then.dateAndYear });
  return `${day}, ${then.hour}:${then.minute}:${then.second}`;
}

function parts(moment, timeZone) {
  const options = { timeZone, year: "numeric", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const found = Object.fromEntries(new Intl.DateTimeFormat("en-GB", options).formatToParts(moment).map((part) => [part.type, part.value]));
  const written = (how) => new Intl.DateTimeFormat(LOCALE, { timeZone, ...how }).format(moment);
  return {
    ...found,
    number: Number(found.month),
    year: Number(found.year),
    day: Number(found.day),
    weekday: written({ weekday: "long" }),
    date: written({ day: "numeric", month: "long" }),
    dateAndYear: written({ day: "numeric", month: "long", year: "numeric" }),
  };
}

/** What the fault is; of a pin that does not follow also what it reads, which is all that is known. */
function faulty(kind, { fault, since }, said) {
  const [text, look] = Object.hasOwn(FAULTS, fault) ? FAULTS[fault] : FAULT;
  if (look === "mismatch" && said !== null && kind !== "pulse" && kind !== "button") {
    return says(say(text), look, say("reads “{word}” since", { word: said[0] }), since, "", said[2]);
  }
  return says(say(text), look, say("since"), since);
}

function word(kind, value) {
  if (Object.hasOwn(WORDS, kind)) {
    const known = typeof value === "string" && Object.hasOwn(WORDS[kind], value) ? WORDS[kind][value] : null;
    return known && [say(known[0]), known[1], null];
  }
  if (kind === "pulse" || kind === "button") return value === null ? [say("At rest"), "rest", null] : null;
  if (kind === "cover") return typeof value === "object" && value !== null ? cover(value) : null;
  if (typeof value !== "number") return null;
  if (kind === "dimmer") {
    if (!Number.isInteger(value) || value < 0 || value > 100) return null;
    return value > 0 ? [say("On, {value} %", { value }), "on", value] : [say("Off"), "off", 0];
  }
  return Object.hasOwn(UNITS, kind) ? [say(UNITS[kind], { value: number(value, 1) }), "reading", null] : null;
}

function cover({ position, moving }) {
  if (position !== null && !(position >= 0 && position <= 100)) return null;
  if (moving !== null) return [say(MOVING[moving] ?? MOVING.other), "moving", position];
  if (position === null) return [say("Position unknown"), "adrift", null];
  if (position === 0) return [say("Closed"), "closed", 0];
  return [position === 100 ? say("Open") : say("Open, {value} %", { value: position }), "open", position];
}

function by(kind, { source, issuer = null }) {
  if (source === "command")
    return issuer === null || GATEWAY.test(issuer) ? say(", by a command") : say(", by a command from {issuer}", { issuer });
  if (source === "input") return OUTPUTS.has(kind) ? say(", by a button") : "";
  if (source === "timer") return say(", by a timer");
  if (source === "failsafe") return say(", by a safety rule");
  return say(", when the room started");
}
