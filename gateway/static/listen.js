// How a page hears of the home: through the one stream of its browser, and where that cannot be shared, through one of its
// own as long as it is looked at. The hub's time comes along.

import { forget, heard } from "./hub_time.js";
import { address } from "./needs.js";
import { canShare, share } from "./sharing.js";
import { open } from "./stream.js";

const HIDDEN = 60_000; // milliseconds; a page that nobody looks at takes part for so long
const PULSE = 2_000; // milliseconds
const NAP = 20_000; // a pulse that is so late was slept through: a lid was closed, or the page was frozen

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

/**
 * Calls `wake()` whenever somebody looks, and `sleep()` when the page was hidden for `hiddenFor` or cannot go on. One that
 * slept comes back with nothing but what it hears anew: what it knew before is not true any more.
 */
function whileAwake(hiddenFor, wake, sleep) {
  let awake = false;
  let hidden = 0;
  let last = Date.now();

  const down = () => {
    clearTimeout(hidden);
    if (!awake) return;
    awake = false;
    sleep();
  };
  const up = () => {
    clearTimeout(hidden);
    if (awake || document.hidden) return;
    awake = true;
    wake();
  };
  const pulse = () => {
    const slept = Date.now() - last > NAP;
    last = Date.now();
    if (!slept || !awake) return;
    down();
    up();
  };

  document.addEventListener("visibilitychange", () => {
    pulse();
    if (!document.hidden) up();
    else if (hiddenFor === 0) down();
    else hidden = setTimeout(down, hiddenFor);
  });
  for (const [target, type] of [[window, "offline"], [window, "pagehide"], [document, "freeze"]]) target.addEventListener(type, down);
  for (const [target, type] of [[window, "online"], [window, "pageshow"], [document, "resume"]]) target.addEventListener(type, up);
  setInterval(pulse, PULSE);
  up();
}
