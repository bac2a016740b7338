// One wish on its way to the hub, with the moment in which it was pressed. What has not left after five seconds is taken
// back, so that it cannot leave a browser's queue later; what became of it then is only known from the stream.

import { atTheHub, heard, since } from "./hub_time.js";
import { later } from "./tongue.js";

const PATIENCE = 5_000; // milliseconds; the hub lets nothing begin that is older
const REMEMBERED = 120_000; // how long the stream may still tell how it ended

const waiting = new Map();

const NOT_SENT = {
  type: "about:blank",
  title: later("The hub cannot be reached"),
  detail: later("The wish was given up before it was sent. Check your connection, and try again."),
};
const NOT_KNOWN = {
  type: "/problems/unknown",
  title: later("It is not known what happened"),
  detail: later("The hub did not answer in time. Look at the device before you repeat it."),
};

/** The stream's word about a command: counts where the hub's answer to ours did not come. */
export function heardCommand({ id, outcome, reason }) {
  waiting.get(id)?.({ outcome, reason });
}

/**
 * Send it: the hub's answer, {outcome: "executed"} or a problem document. Where none came in time `word` is in it, a
 * promise of the stream's word: {outcome, reason}.
 */
export async function send({ room, device }, token, wish, pressed) {
  const id = crypto.randomUUID();
  const word = new Promise((resolve) => waiting.set(id, resolve));
  const taken = new AbortController();
  const timer = setTimeout(() => taken.abort(), Math.max(0, PATIENCE - since(pressed)));
  let sent = false;
  try {
    const { at, problem } = await known(pressed, taken.signal);
    if (problem) return problem;
    const address = `/api/v1/devices/${encodeURIComponent(room)}/${encodeURIComponent(device)}/commands`;
    const body = JSON.stringify({ ...wish, id, pressed_at: at });
    sent = true;
    const answer = await post(address, token.now(), body, taken.signal);
    if (slugOf(answer) !== "csrf") return answer;
    // Somebody signed in anew in another tab: nothing was done yet, and the token has changed.
    await token.renew(taken.signal);
    return await post(address, token.now(), body, taken.signal);
  } catch {
    return sent ? { ...NOT_KNOWN, word } : NOT_SENT;
  } finally {
    clearTimeout(timer);
    setTimeout(() => waiting.delete(id), REMEMBERED);
  }
}

export const slugOf = (problem) => String(problem.type ?? "").split("/").pop();

/** The moment of the press at the hub, or the problem: asks for the time where the stream has not told it of late. */
async function known(pressed, signal) {
  if (atTheHub(pressed) === null) {
    const response = await fetch("/api/v1/time", { signal, cache: "no-store" });
    const told = await response.json();
    if (!response.ok) return { problem: told };
    heard(told.now);
  }
  const at = atTheHub(pressed);
  return at === null || since(pressed) > PATIENCE ? { problem: NOT_SENT } : { at };
}

async function post(address, token, body, signal) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
  return (await fetch(address, { method: "POST", headers, body, signal })).json();
}
