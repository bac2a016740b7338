// One event stream, read with fetch and not with EventSource: that one hides why the hub refused (signed out, or too many
// streams), and goes on looking live over a link that died silently.

const SILENCE = 25_000; // milliseconds; the hub's heartbeat comes every 10 s
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/**
 * Reads until it is closed, by what it returns, and comes back whenever the link is gone. `on.event(name, data)` for each
 * event, `on.lost()` when the link is gone, `on.signedOut()` when the session is over, which ends it.
 */
export function open(address, on) {
  let connection = null;
  let failures = 0;
  let timer = 0;

  async function connect() {
    const mine = (connection = new AbortController());
    let wait = 0;
    try {
      for await (const { name, data } of events(address, mine)) {
        if (connection !== mine) return;
        if (name === "ready") failures = 0;
        try {
          on.event(name, data);
        } catch (error) {
          reportError(error); // a page's own fault is none of the link's
        }
      }
    } catch (error) {
      if (error instanceof Refused) wait = error.seconds * 1000;
      if (error instanceof Refused && error.status === 401 && connection === mine) {
        connection = null;
        return on.signedOut();
      }
    }
    if (connection !== mine) return;
    on.lost();
    const pause = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures++) * (0.75 + Math.random() / 2);
    timer = setTimeout(connect, Math.max(wait, pause));
  }

  connect();
  return () => {
    clearTimeout(timer);
    const left = connection;
    connection = null;
    left?.abort();
  };
}

class Refused extends Error {
  constructor({ status, headers }) {
    super(`the hub refused the stream: ${status}`);
    this.status = status;
    this.seconds = Number(headers.get("Retry-After") ?? 0);
  }
}

/** The events at an address (WHATWG HTML, 9.2.6); gives up when nothing came for SILENCE, the hub's first word included. */
async function* events(address, controller) {
  let silent = setTimeout(() => controller.abort(), SILENCE);
  try {
    const response = await fetch(address, { signal: controller.signal, cache: "no-store", headers: { Accept: "text/event-stream" } });
    if (!response.ok) throw new Refused(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let name = "message";
    let data = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silent);
      silent = setTimeout(() => controller.abort(), SILENCE);
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines.map((text) => text.replace(/\r$/, ""))) {
        if (line === "") {
          if (data.length > 0) yield { name, data: JSON.parse(data.join("\n")) };
          name = "message";
          data = [];
        } else if (line.startsWith("event:")) name = line.slice(6).trimStart();
        else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
      }
    }
  } finally {
    clearTimeout(silent);
  }
}
