// What the leader does: reads the one stream for all pages of this browser, tells them what it says, and gives whoever
// comes a snapshot.

import { atTheHub, moment } from "./hub_time.js";
import { address, covers, union } from "./needs.js";
import { open } from "./stream.js";

const ALIVE = 10_000; // milliseconds; how often the others hear that there is a leader, whatever the stream does
const GONE = 3 * ALIVE; // a page that says nothing for so long needs nothing any more
const GATHER = 100; // how long it waits for what the others need before it opens a stream

/**
 * Leads until `stop()`. `hear(message)` takes what the pages say: `here` with their needs, `bye`. `tell(message)` is for
 * everyone, this page included, `post(message)` for the others: `leader`, `event`, `snapshot`, `lost`, `signed-out`.
 */
export function lead(me, needs, tell, post) {
  const pages = new Map();
  const picture = new Picture();
  let covered = null;
  let ready = false;
  let close = () => {};

  function read() {
    close();
    ready = false;
    covered = union([needs, ...[...pages.values()].map((page) => page.needs)]);
    close = open(address(covered), {
      event(name, data) {
        if (name === "hello") {
          picture.clear();
          ready = false;
          tell({ kind: "event", name: "heartbeat", data });
        }
        picture.take(name, data);
        if (ready || name === "heartbeat") tell({ kind: "event", name, data });
        else if (name === "ready") {
          ready = true;
          tell({ kind: "snapshot", events: picture.events() });
        }
      },
      lost() {
        ready = false;
        tell({ kind: "lost" });
      },
      signedOut: () => tell({ kind: "signed-out" }),
    });
  }

  /** What a newcomer is told, the hub's time included, so that it need not wait for the next heartbeat. */
  function welcome(newcomer) {
    const now = atTheHub(moment());
    const time = now === null ? [] : [{ name: "heartbeat", data: { now } }];
    post({ kind: "snapshot", to: newcomer, events: [...picture.events(), ...time] });
  }

  function pulse() {
    for (const [id, { at }] of pages) if (performance.now() - at > GONE) pages.delete(id);
    post({ kind: "leader" });
  }

  pulse();
  const beat = setInterval(pulse, ALIVE);
  let gathering = setTimeout(read, GATHER);
  return {
    hear({ kind, from, needs: theirs, fresh }) {
      if (kind === "bye") return pages.delete(from);
      pages.set(from, { needs: theirs, at: performance.now() });
      if (covered === null) return;
      if (!covers(covered, theirs)) {
        clearTimeout(gathering);
        gathering = setTimeout(read, GATHER);
      } else if (fresh && ready) welcome(from);
    },
    stop() {
      clearInterval(beat);
      clearTimeout(gathering);
      close();
    },
  };
}

/** What a stream has said so far, as the snapshot that a stream which began now would give. */
export class Picture {
  #events = new Map();

  clear() {
    this.#events.clear();
  }

  take(name, data) {
    if (name === "availability") this.#forgetStates(data.room); // a room's states are said anew after it
    const key = JSON.stringify([name, data.room, data.device]);
    if (["description", "availability", "state", "sum", "lockdown", "order", "audit"].includes(name)) {
      this.#events.delete(key);
      this.#events.set(key, { name, data });
    }
  }

  events() {
    return [{ name: "hello", data: {} }, ...this.#events.values(), { name: "ready", data: {} }];
  }

  #forgetStates(room) {
    for (const [key, { name, data }] of this.#events) if (name === "state" && data.room === room) this.#events.delete(key);
  }
}
