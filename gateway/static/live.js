// Makes the home and the rooms live: the stream's events onto the cards, the forms' presses to the API.

import { drawing, fits, paintAvailability, paintHeadline, paintHeard, paintReconnecting, paintState, paintTimes, section, sections } from "./cards.js";
import { fetchPage } from "./fetch_page.js";
import { isLinked, link, lockdown } from "./frame.js";
import { listen } from "./listen.js";
import { showLevels, takeForms } from "./press.js";
import { heardCommand } from "./wish.js";

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
  if (document.getElementById("confirmation").open || main.querySelector("[aria-busy=true]")) return changed();
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
  if (fresh.dataset.page !== main.dataset.page) return location.reload(); // it has become a large home
  main.dataset.csrf = fresh.dataset.csrf;
  const drawn = (root) => sections(root).map(drawing).join("\n\n");
  if (drawn(fresh) === drawn(main)) return;
  const focused = document.activeElement?.closest?.(".device")?.id;
  const within = document.activeElement?.closest?.(".more") ? "summary" : "button";
  const open = [...main.querySelectorAll(".more[open]")].map((it) => it.closest(".device").id);
  main.replaceChildren(...fresh.childNodes);
  showLevels(main);
  for (const id of open) document.getElementById(id)?.querySelector(".more")?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.querySelector(within)?.focus();
  if (isLinked("lost")) return paintReconnecting();
  paintHeard();
  paintHeadline();
}

const on = {
  event(name, data) {
    if (name === "hello") told = new Set();
    else if (name === "description") {
      told.add(data.room);
      if (!fits(data) && (main.dataset.page === "home" || section(data.room))) changed();
    } else if (name === "availability") {
      paintAvailability(data.room, data.status);
      paintHeadline();
    } else if (name === "state") {
      paintState(data.room, data.device, data.state);
      if (isLinked("live")) paintHeadline();
    } else if (name === "lockdown") lockdown(data.active);
    else if (name === "command") heardCommand(data);
    else if (name === "ready") {
      link("live", "Live");
      paintHeadline();
      if (sections().some((found) => !told.has(found.dataset.room))) changed();
    }
  },
  lost() {
    link("lost", "Reconnecting…");
    paintReconnecting();
  },
  signedOut() {
    link("lost", "Signed out");
    paintReconnecting();
    location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  },
};

link("connecting", "Connecting…");
takeForms(main);
setInterval(paintTimes, MINUTE);
if ("guest" in main.dataset) setInterval(changed, MINUTE); // a grant begins and ends without any event
listen({ rooms: main.dataset.page === "home" ? null : sections().map((found) => found.dataset.room), sums: false, audit: false }, on);
