// Keeps the newest page of the history new while it is open: what is recorded is fetched afresh, filter and all.

import { fetchPage } from "./fetch_page.js";
import { listen } from "./listen.js";

const REFRESH_PAUSE = 1_500; // milliseconds; the page is fetched no more often than this
const AFTER_COMMAND = 1_000; // a room's word is recorded within this, as a rule
const main = document.querySelector("main");
const news = document.getElementById("news");
const light = document.getElementById("live");
let head = Number(main.dataset.head);
let wanted = 0;
let timer = 0;
let fetched = performance.now();
let fresh = null; // a newer page that waits until the reader is at the top again

function link(state, text) {
  document.body.dataset.link = state;
  light.querySelector(".text").textContent = text;
}

/** The record goes further than the page: have it fetched, soon. */
function recorded(row) {
  wanted = Math.max(wanted, row);
  if (wanted > head) later(0);
}

function later(wait) {
  clearTimeout(timer);
  timer = setTimeout(fetchAnew, Math.max(wait, fetched + REFRESH_PAUSE - performance.now()));
}

async function fetchAnew() {
  fetched = performance.now();
  const came = await fetchPage(location.href);
  if (came === null) return document.body.dataset.link === "live" && later(REFRESH_PAUSE * 4); // else the stream says it again
  const { response, page } = came;
  if (response.status === 429) return later(1000 * Number(response.headers.get("Retry-After") ?? 5));
  if (response.redirected) return location.reload();
  if (page === null) return later(REFRESH_PAUSE * 4);
  fresh = page;
  head = Number(fresh.querySelector("main").dataset.head);
  if (isSame()) fresh = null;
  else if (isAtTop()) show();
  else news.hidden = false;
  if (wanted > head) later(0);
}

const lines = (root) => [...root.querySelectorAll(".line")].map((line) => line.id).join(" ");
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
  for (const id of open) document.getElementById(id)?.querySelector(".stamp")?.setAttribute("open", "");
  if (focused) (at ? document.getElementById(at)?.querySelector(which) : record.querySelector(".pager a"))?.focus();
}

news.addEventListener("click", (event) => {
  if (fresh === null) return;
  event.preventDefault();
  show();
  scrollTo({ top: 0 });
  main.focus({ preventScroll: true });
});
addEventListener("scroll", () => fresh !== null && isAtTop() && show(), { passive: true });

link("connecting", "Connecting…");
// A guest hears of no rows: what happens to what is theirs stands for them.
listen({ rooms: "guest" in main.dataset ? null : [], sums: false, audit: true }, {
  event(name, data) {
    if (name === "ready") link("live", "Live");
    else if (name === "audit") recorded(data.row);
    else if (name === "command" && wanted === 0) later(AFTER_COMMAND);
  },
  lost: () => link("lost", "Reconnecting…"),
  signedOut() {
    link("lost", "Signed out");
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  },
});
