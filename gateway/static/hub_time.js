// What time it is at the hub, without trusting this machine's clock: each `now` that the hub sent was true before it got
// here, so that the one that took the least gives the best estimate, and none makes a press look later than it was.

const KEPT = 12; // the last two minutes of heartbeats
const FRESH = 25_000; // milliseconds; a stream that is silent for longer is lost
const SLEPT = 1_000; // so far the two clocks may come apart: one of them stands still while a machine sleeps

let told = []; // [{ at: performance's clock, ahead: the hub's time less that }]
let apart = null;

/** The hub said that it is `now` (RFC 3339). */
export function heard(now) {
  forgetIfSlept();
  const at = performance.now();
  const ahead = Date.parse(now) - at;
  if (Number.isFinite(ahead)) told = [...told, { at, ahead }].slice(-KEPT);
}

/** Nothing of what was heard can be trusted: the page slept, or lost its link. */
export function forget() {
  told = [];
}

/** A moment on this page: of an event, else this one. */
export function moment(event = null) {
  const now = performance.now();
  const at = event !== null && event.timeStamp > 0 && event.timeStamp <= now ? event.timeStamp : now;
  return { at, wall: Date.now() - (now - at) };
}

/** How long ago that was, in milliseconds, by whichever clock went further. */
export function since({ at, wall }) {
  return Math.max(performance.now() - at, Date.now() - wall);
}

/** That moment by the hub's time, RFC 3339; null where it is not known, or where the machine slept in between. */
export function atTheHub({ at, wall }) {
  forgetIfSlept();
  const now = performance.now();
  if (told.length === 0 || now - told.at(-1).at > FRESH) return null;
  if (Math.abs(Date.now() - wall - (now - at)) > SLEPT) return null;
  return new Date(Math.max(...told.map(({ ahead }) => ahead)) + at).toISOString();
}

function forgetIfSlept() {
  const now = Date.now() - performance.now();
  if (apart !== null && Math.abs(now - apart) > SLEPT) forget();
  apart = now;
}
