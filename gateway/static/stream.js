// The event stream, read with fetch and not with EventSource: that one hides the heartbeats, so that a link which
// died silently would go on looking live, and it hides why the hub refused (signed out, or too many streams).

const SILENCE = 25_000; // milliseconds; the hub's heartbeat comes every 10 s
const HIDDEN = 60_000; // a page that nobody looks at gives its connection back after this long
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/**
 * Listens until the page goes. `on.event(name, data)` for each event, `on.lost()` when the link is gone,
 * `on.signedOut()` when the session is over.
 */
export function listen(address, on) {
  let connection = null;
  let failures = 0;
  let timer = 0;
  let over = false;

  const later = (wait) => {
    clearTimeout(timer);
    if (!over && !document.hidden) timer = setTimeout(connect, wait);
  };

  async function connect() {
    clearTimeout(timer);
    connection?.abort();
    const mine = (connection = new AbortController());
    try {
      const response = await fetch(address, { signal: mine.signal, cache: "no-store", headers: { Accept: "text/event-stream" } });
      if (response.status === 401) {
        over = true;
        on.signedOut();
        return;
      }
      if (!response.ok) throw new Refused(Number(response.headers.get("Retry-After") ?? 0));
      for await (const { name, data } of events(response.body, mine)) {
        if (name === "ready") failures = 0;
        on.event(name, data);
      }
      throw new Refused(0);
    } catch (error) {
      if (connection !== mine) return; // another attempt has taken its place
      on.lost();
      const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures++) * (0.75 + Math.random() / 2);
      later(Math.max(wait, error instanceof Refused ? error.seconds * 1000 : 0));
    }
  }

  const pause = () => {
    const left = connection;
    connection = null;
    left?.abort();
    clearTimeout(timer);
    on.lost();
  };

  let hidden = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hidden);
    if (document.hidden) hidden = setTimeout(pause, HIDDEN);
    else if (connection === null || connection.signal.aborted || failures > 0) later(0);
  });
  addEventListener("offline", pause);
  addEventListener("online", () => later(0));
  connect();
}

class Refused extends Error {
  constructor(seconds) {
    super("the hub ended the stream");
    this.seconds = seconds;
  }
}

/** The events of a body (WHATWG HTML, 9.2.6); gives up on it when nothing came for SILENCE. */
async function* events(body, controller) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let silent = setTimeout(() => controller.abort(), SILENCE);
  let rest = "";
  let name = "message";
  let data = [];
  try {
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
