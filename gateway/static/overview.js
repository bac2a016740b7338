// Makes the first page of a large home live: every room in sums, as the stream tells them.

import { paintTimes } from "./cards.js";
import { fetchPage } from "./fetch_page.js";
import { isLinked, link, lockdown } from "./frame.js";
import { listen } from "./listen.js";
import { paintAllHeard, paintLost, paintSentences, paintSum, showFound, tiles } from "./tiles.js";

const REFRESH_AFTER = 300; // milliseconds; several rooms may change at once
const REFRESH_PAUSE = 3_000; // and never more often than this
const MINUTE = 60_000;
const main = document.querySelector("main[data-live]");
let told = new Set();
let refresh = 0;
let refreshed = -Infinity;

/** The rooms are other ones than the page shows: fetch it anew, quietly. */
function changed() {
  clearTimeout(refresh);
  refresh = setTimeout(fetchAnew, Math.max(REFRESH_AFTER, refreshed + REFRESH_PAUSE - performance.now()));
}

async function fetchAnew() {
  refreshed = performance.now();
  const came = await fetchPage(location.pathname);
  if (came === null) return isLinked("live") && changed(); // else it is asked for once the link is back
  const { response, page } = came;
  if (response.status === 429) {
    refresh = setTimeout(fetchAnew, 1000 * Number(response.headers.get("Retry-After") ?? 5));
    return;
  }
  if (page === null || response.redirected) return location.reload();
  const fresh = page.querySelector("main");
  if (fresh.dataset.page !== main.dataset.page) return location.reload(); // it is no large home any more
  const drawn = (root) => tiles(root).map(({ dataset }) => `${dataset.room} ${dataset.name}`).sort().join("\n");
  if (drawn(fresh) === drawn(main)) return;
  const [focused, typed] = [document.activeElement, document.getElementById("find").value];
  const room = focused?.closest?.(".tile")?.dataset.room;
  main.replaceChildren(...fresh.childNodes);
  offerToFind(typed);
  if (focused?.id === "find") document.getElementById("find").focus();
  if (room) document.querySelector(`.tile[data-room="${CSS.escape(room)}"] a`)?.focus();
  if (isLinked("lost")) return paintLost();
  paintAllHeard();
  paintSentences();
}

/** The field is of use with a script alone. */
function offerToFind(typed) {
  const field = document.getElementById("find");
  field.value = typed;
  field.closest(".find").hidden = false;
  field.addEventListener("input", showFound);
  showFound();
}

const on = {
  event(name, data) {
    if (name === "hello") told = new Set();
    else if (name === "sum") {
      told.add(data.room);
      if (!paintSum(data)) changed();
      if (isLinked("live")) paintSentences();
    } else if (name === "lockdown") lockdown(data.active);
    else if (name === "ready") {
      link("live", "Live");
      paintSentences();
      if (tiles().some((found) => !told.has(found.dataset.room))) changed();
    }
  },
  lost() {
    link("lost", "Reconnecting…");
    paintLost();
  },
  signedOut() {
    link("lost", "Signed out");
    paintLost();
    location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  },
};

link("connecting", "Connecting…");
offerToFind("");
setInterval(paintTimes, MINUTE);
if ("guest" in main.dataset) setInterval(changed, MINUTE); // a grant begins and ends without any event
listen({ rooms: [], sums: true, audit: false }, on);
