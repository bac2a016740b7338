// Keeps an open page of rooms true: where the rooms have become other ones, it is fetched anew and put in, quietly.

import { fetchPage } from "./fetch_page.js";
import { isLinked } from "./frame.js";

const REFRESH_AFTER = 300; // milliseconds; several rooms may change at once
const REFRESH_PAUSE = 3_000; // and never more often than this

/**
 * What asks for the page anew, once the rooms are other ones than `main` shows.
 *
 * `isBusy()`: somebody is at something that must not go away. `seen(fresh)`: what to take over of any newer main.
 * `drawn(root)`: the rooms as a text, by which two mains are compared. `put(fresh)`: show the newer one.
 */
export function renewing(main, { isBusy = () => false, seen = () => {}, drawn, put }) {
  let refresh = 0;
  let refreshed = -Infinity;

  function changed() {
    clearTimeout(refresh);
    refresh = setTimeout(fetchAnew, Math.max(REFRESH_AFTER, refreshed + REFRESH_PAUSE - performance.now()));
  }

  async function fetchAnew() {
    if (isBusy()) return changed();
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
    if (fresh.dataset.page !== main.dataset.page) return location.reload(); // it has become a large home, or is none any more
    seen(fresh);
    if (drawn(fresh) !== drawn(main)) put(fresh);
  }

  return changed;
}
