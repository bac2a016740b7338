// Keeps the newest page of the history new while it is open: what is recorded is fetched afresh, filter and all.

import { fetchPage } from "./fetch_page.js";
import { listen } from "./listen.js";
import { say } from "./tongue.js";

const REFRESH_PAUSE = 1_500; // milliseconds; the page is fetched no more often than this
const AFTER_COMMAND = 1_000; // a room's word is recorded within this, as a rule
const main = document.querySelector("main");
const news = document.getElementById("news");
const light = document.getElementById("live");
let head = Number(main.dataset.head);
let happening = Number(main.dataset.happening);
let wanted = 0;
let wantedHappening = 0;
let timer = 0;
let fetched = performance.now();
let told = false; // how all stands was told: from now on a state is news
let fresh = null; // a newer page that waits until the reader is at the top again

function link(state, text) {
  document.body.dataset.link = state;
  light.querySelector(".text").textContent = text;
}

/** The record, or what merely happened, goes further than the page: have it fetched, soon. */
function recorded(news) {
  wanted = Math.max(wanted, news.row);
  wantedHappening = Math.max(wantedHappening, news.happening ?? 0);
  if (isBehind()) soon(0);
}

const isBehind = () => wanted > head || wantedHappening > happening;

function soon(wait) {
  clearTimeout(timer);
  timer = setTimeout(fetchAnew, Math.max(wait, fetched + REFRESH_PAUSE - performance.now()));
}

async function fetchAnew() {
  fetched = performance.now();
  const came = await fetchPage(location.href);
  if (came === null) return document.body.dataset.link === "live" && soon(REFRESH_PAUSE * 4); // else the stream says it again
  const { response, page } = came;
  if (response.status === 429) return soon(1000 * Number(response.headers.get("Retry-After") ?? 5));
  if (response.redirected) return location.reload();
  if (page === null) return soon(REFRESH_PAUSE * 4);
  fresh = page;
  head = Number(fresh.querySelector("main").dataset.head);
  // A page of acts alone names none: it has all that it will have of them.
  happening = Number(fresh.querySelector("main").dataset.happening) || wantedHappening;
  if (isSame()) fresh = null;
  else if (isAtTop()) show();
  else news.hidden = false;
  if (isBehind()) soon(0);
}

const lines = (root) => [...root.querySelectorAll(".line")].map((line) => line.id + line.textContent).join(" ");
const isSame = () => lines(fresh) === lines(document);
const isAtTop = () => document.getElementById("record").getBoundingClientRect().top > 0;

/** Put the newer page's record into this one; whoever reads a line's details or stands on a link goes on there. */
function show() {
  const record = document.getElementById("record");
  const open = [...record.querySelectorAll(".stamp[open]")].map((stamp) => stamp.closest(".line").id);
  const focused = record.contains(document.activeElement) ? document.activeElement : null;
  const at = focused?.closest(".line")?.id ?? null;
  const which = focused?.matches("summary") ? "summary" : "a";
  record.replaceChildren(...fresh.getElementById("record").childNodes);
  fresh = null;
  news.hidden = true;
  // What was asked goes into the line of how it ended: by its old name that one is found, too.
  const line = (id) => document.getElementById(id)?.closest(".line");
  for (const id of open) line(id)?.querySelector(".stamp").setAttribute("open", "");
  if (focused) (at ? line(at)?.querySelector(which) : record.querySelector(".pager a"))?.focus();
}

news.addEventListener("click", (event) => {
  if (fresh === null) return;
  event.preventDefault();
  show();
  scrollTo({ top: 0 });
  main.focus({ preventScroll: true });
});
addEventListener("scroll", () => fresh !== null && isAtTop() && show(), { passive: true });

link("connecting", say("Connecting…"));
// A guest hears of no rows: what happens to what is theirs stands for them.
listen({ rooms: "guest" in main.dataset ? null : [], sums: false, audit: true }, {
  event(name, data) {
    if (name === "ready") {
      link("live", say("Live"));
      told = true;
    } else if (name === "audit") recorded(data);
    else if ((name === "command" || (name === "state" && told)) && wanted === 0) soon(AFTER_COMMAND);
  },
  lost: () => {
    told = false;
    link("lost", say("Reconnecting…"));
  },
  signedOut() {
    link("lost", say("Signed out"));
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  },
});
