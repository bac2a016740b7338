// How a page hears of the home: through the one stream of its browser, and where that cannot be shared, through one of its
// own as long as it is looked at. The hub's time comes along.

import { whileAwake } from "./awake.js";
import { forget, heard } from "./hub_time.js";
import { address } from "./needs.js";
import { canShare, share } from "./sharing.js";
import { open } from "./stream.js";

const HIDDEN = 60_000; // milliseconds; a page that nobody looks at takes part for so long

/**
 * Listens until the page goes. `on.event(name, data)` for each event, `on.lost()` when nothing is known any more,
 * `on.signedOut()` when the session is over. Needs: see needs.js.
 */
export function listen(needs, on) {
  const who = document.body.dataset.viewer;
  let over = false;
  let leave = () => {};
  const mine = {
    event(name, data) {
      if (data.now) heard(data.now);
      if (name !== "heartbeat") on.event(name, data);
    },
    lost: on.lost,
    signedOut() {
      over = true;
      on.signedOut();
    },
  };

  function wake() {
    if (!over) leave = canShare() ? share(who, needs, mine) : open(address(needs), mine);
  }

  function sleep() {
    if (navigator.onLine) forget(); // a network that is gone takes no time away
    leave();
    leave = () => {};
    on.lost();
  }

  whileAwake(canShare() ? HIDDEN : 0, wake, sleep);
}
