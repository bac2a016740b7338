// The page that stands in while the home cannot be reached: since when, by this device's clock, and it tries again by itself.
// It shows nothing of the home, for nothing is known of it.

import { LOCALE, say } from "./tongue.js";

const UNREACHED = "unreached-since";
const FIRST = 5_000; // milliseconds until the next try; each waits longer than the one before
const LONGEST = 60_000;
const since = new Date(Number(sessionStorage.getItem(UNREACHED)) || Date.now());
let wait = FIRST;
let timer = 0;

sessionStorage.setItem(UNREACHED, String(since.getTime()));
const line = document.getElementById("since");
line.textContent = say("Not reached since {when}.", { when: since.toLocaleString(LOCALE, { dateStyle: "long", timeStyle: "short" }) });
line.hidden = false;
document.getElementById("again").addEventListener("click", (event) => {
  event.preventDefault();
  retry();
});
addEventListener("online", retry);
document.addEventListener("visibilitychange", () => !document.hidden && retry());
timer = setTimeout(retry, wait);

/** The page that was asked for is asked for again as soon as the hub answers at all. */
async function retry() {
  clearTimeout(timer);
  try {
    if ((await fetch("/healthz", { cache: "no-store", credentials: "omit" })).ok) return location.reload();
  } catch {
    // It is still away, which the page says already.
  }
  wait = Math.min(wait * 2, LONGEST);
  timer = setTimeout(retry, wait);
}
