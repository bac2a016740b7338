// One event stream for all pages of this browser, which has but six connections to the hub, and would keep a press waiting
// behind them. The page that holds the lock leads; a leader that is frozen loses it.

import { lead } from "./leading.js";

const SILENCE = 25_000; // milliseconds
const APART = 2_000; // so that not all of them reach for the lock at once
const LEADERS = new Set(["leader", "event", "snapshot", "lost", "signed-out"]);

export const canShare = () => Boolean(navigator.locks && globalThis.BroadcastChannel);

/** Takes part, for pages of the viewer `who`, until what it returns is called; `on` as in stream.js. */
export function share(who, needs, on) {
  const name = `home-events-2 ${who}`; // the number goes up with the messages' form: pages of two versions never meet
  const me = crypto.randomUUID();
  const channel = new BroadcastChannel(name);
  let term = 0; // the newest leader's; what an older one says after it thawed was true once
  let leading = null;
  let release = () => {};
  let asking = null;
  let silent = 0;
  let left = false;

  const post = (said) => channel.postMessage({ ...said, from: me, term });
  const here = (fresh) => post({ kind: "here", needs, fresh });

  function deliver({ kind, name: event, data, events }) {
    if (kind === "event") on.event(event, data);
    else if (kind === "snapshot") for (const one of events) on.event(one.name, one.data);
    else if (kind === "lost") on.lost();
    else if (kind === "signed-out") on.signedOut();
  }

  channel.onmessage = ({ data: said }) => {
    if (!LEADERS.has(said.kind)) return leading?.hear(said);
    if (said.term < term) return;
    if (leading !== null) follow();
    term = said.term;
    patience();
    if (said.kind === "leader") here(false);
    else if (said.to === undefined || said.to === me) deliver(said);
  };

  function begin() {
    clearTimeout(silent);
    term = Math.max(term + 1, Date.now());
    const tell = (said) => {
      if (leading === null) return;
      post(said);
      deliver(said);
    };
    leading = lead(me, needs, tell, post);
  }

  function follow() {
    leading?.stop();
    leading = null;
    patience();
  }

  function patience() {
    clearTimeout(silent);
    silent = setTimeout(take, SILENCE + Math.random() * APART);
  }

  function take() {
    on.lost();
    asking.abort();
    queue({ steal: true });
  }

  async function queue(options) {
    const mine = (asking = new AbortController());
    const held = () => new Promise((resolve) => {
      release = resolve;
      if (left) resolve();
      else begin();
    });
    try {
      await navigator.locks.request(name, options ?? { signal: mine.signal }, held);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      if (left || mine.signal.aborted) return;
      follow(); // another page took the lock: this one was silent for too long
      on.lost();
      queue();
      here(true);
    }
  }

  patience();
  queue();
  here(true);
  return () => {
    left = true;
    if (leading === null) post({ kind: "bye" });
    follow();
    clearTimeout(silent);
    asking.abort();
    release();
    channel.close();
  };
}
