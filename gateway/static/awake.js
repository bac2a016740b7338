// Whether anybody looks at this page. One that nobody looks at gives up its part in the stream after a while, and one that
// slept comes back with nothing but what it hears anew: what it knew before is not true any more.

const PULSE = 2_000; // milliseconds
const NAP = 20_000; // a pulse that is so late was slept through: a lid was closed, or the page was frozen

/** Calls `wake()` whenever somebody looks, and `sleep()` when the page was hidden for `hiddenFor` or cannot go on. */
export function whileAwake(hiddenFor, wake, sleep) {
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
