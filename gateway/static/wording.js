// What a device's state looks like to people: the same words as gateway/pages/states.py and times.py, for what the
// stream brings. A test in a real browser holds both against one another.

const WORDS = {
  switch: { on: ["On", "on"], off: ["Off", "off"] },
  lock: { locked: ["Locked", "locked"], unlocked: ["Unlocked", "unlocked"], jammed: ["Jammed", "jammed"] },
  contact: { open: ["Open", "ajar"], closed: ["Closed", "shut"] },
  motion: { motion: ["Motion", "motion"], clear: ["Still", "clear"] },
};
const FAULTS = {
  mismatch: ["Does not follow", "mismatch"],
  sensor: ["No reading", "sensor"],
  restless: ["Does not hold still", "fault"],
};
const FAULT = ["Fault", "fault"]; // what a room calls a fault in a word that we do not know
const MOVING = { opening: "Opening", closing: "Closing" };
const UNITS = { temperature: "°C", humidity: "%" };
const OUTPUTS = new Set(["switch", "dimmer", "lock", "cover", "pulse"]);
const GATEWAY = /^gateway(-[0-9]+)?$/;
const ICON_OF_LOOK = { unlocked: "unlock", jammed: "warning", mismatch: "warning", sensor: "warning", fault: "warning", ajar: "door-open" };

const says = (word, look, before, at = null, after = "", level = null) => ({ word, look, before, at, after, level });

export const UNHEARD = says("Unknown", "unknown", "The room has not been heard.");
export const OFFLINE = says("Offline", "offline", "The room is offline.");
export const SILENT = says("Unknown", "unknown", "The room has not said yet.");
export const UNFIT = says("Unknown", "unknown", "The room reported something that does not fit.");
export const RECONNECTING = says("Unknown", "unknown", "Reconnecting to the hub.");

/** A device's state in words, given whether its room is there. */
export function shown(kind, status, state) {
  if (status === "offline") return OFFLINE;
  if (status !== "online") return UNHEARD;
  if (state === null) return SILENT;
  if (state.value === null && (state.fault ?? null) === null && Object.hasOwn(UNITS, kind)) return SILENT;
  const said = word(kind, state.value);
  if ((state.fault ?? null) !== null) return faulty(kind, state, said);
  if (said === null) return UNFIT;
  const [text, look, level] = said;
  if (kind === "pulse" || kind === "button") {
    const before = state.by.source === "boot" ? "not pressed since" : "last pressed";
    const after = ["boot", "input"].includes(state.by.source) ? "" : by(kind, state.by);
    return says(text, look, before, state.since, after, level);
  }
  return says(text, look, "since", state.since, by(kind, state.by), level);
}

/** Which drawing stands for a device that looks like that. */
export function icon(look, atRest) {
  return ICON_OF_LOOK[look] ?? atRest;
}

/** When it was, as briefly as it can be said: "21:04", "Monday 21:04", "3 March 21:04". */
export function clock(moment, timezone, now = new Date()) {
  const then = parts(moment, timezone);
  const today = parts(now, timezone);
  const days = Math.round((Date.UTC(today.year, today.number - 1, today.day) - Date.UTC(then.year, then.number - 1, then.day)) / 86400000);
  const time = `${then.hour}:${then.minute}`;
  if (days === 0) return time;
  if (days > 0 && days < 7) return `${then.weekday} ${time}`;
  return then.year === today.year ? `${then.day} ${then.month} ${time}` : `${then.day} ${then.month} ${then.year} ${time}`;
}

/** The date on top of the home: "Monday 23 November". */
export function today(timezone, now = new Date()) {
  const { weekday, day, month } = parts(now, timezone);
  return `${weekday} ${day} ${month}`;
}

/** Everything, for a tooltip. */
export function full(moment, timezone) {
  const then = parts(moment, timezone);
  return `${then.weekday} ${then.day} ${then.month} ${then.year}, ${then.hour}:${then.minute}:${then.second}`;
}

function parts(moment, timeZone) {
  const options = { timeZone, weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const found = Object.fromEntries(new Intl.DateTimeFormat("en-GB", options).formatToParts(moment).map((part) => [part.type, part.value]));
  const number = new Intl.DateTimeFormat("en-GB", { timeZone, month: "numeric" }).format(moment);
  return { ...found, number: Number(number), year: Number(found.year), day: Number(found.day) };
}

/** What the fault is; of a pin that does not follow also what it reads, which is all that is known. */
function faulty(kind, { fault, since }, said) {
  const [text, look] = Object.hasOwn(FAULTS, fault) ? FAULTS[fault] : FAULT;
  if (look === "mismatch" && said !== null && kind !== "pulse" && kind !== "button") {
    return says(text, look, `reads “${said[0]}” since`, since, "", said[2]);
  }
  return says(text, look, "since", since);
}

function word(kind, value) {
  if (Object.hasOwn(WORDS, kind)) {
    const known = typeof value === "string" && Object.hasOwn(WORDS[kind], value) ? WORDS[kind][value] : null;
    return known && [...known, null];
  }
  if (kind === "pulse" || kind === "button") return value === null ? ["At rest", "rest", null] : null;
  if (kind === "cover") return typeof value === "object" && value !== null ? cover(value) : null;
  if (typeof value !== "number") return null;
  if (kind === "dimmer") {
    if (!Number.isInteger(value) || value < 0 || value > 100) return null;
    return value > 0 ? [`On, ${value} %`, "on", value] : ["Off", "off", 0];
  }
  return Object.hasOwn(UNITS, kind) ? [`${value.toFixed(1)} ${UNITS[kind]}`, "reading", null] : null;
}

function cover({ position, moving }) {
  if (position !== null && !(position >= 0 && position <= 100)) return null;
  if (moving !== null) return [MOVING[moving] ?? "Moving", "moving", position];
  if (position === null) return ["Position unknown", "adrift", null];
  if (position === 0) return ["Closed", "closed", 0];
  return [position === 100 ? "Open" : `Open, ${position} %`, "open", position];
}

function by(kind, { source, issuer = null }) {
  if (source === "command") return issuer === null || GATEWAY.test(issuer) ? ", by a command" : `, by a command from ${issuer}`;
  if (source === "input") return OUTPUTS.has(kind) ? ", by a button" : "";
  if (source === "timer") return ", by a timer";
  if (source === "failsafe") return ", by a safety rule";
  return ", when the room started";
}
