// How long is left for a second person, or until an appointment, beside the time that stands there anyway; by the hub's clock where it is known.

import { atTheHub, moment } from "./hub_time.js";
import { say } from "./tongue.js";

const SECOND = 1_000;

/** Count down, on every page that shows what waits. */
export function countDown(main) {
  const paint = () => main.querySelectorAll(".left[data-until]").forEach(paintOne);
  paint();
  setInterval(paint, SECOND);
}

function paintOne(found) {
  const now = Date.parse(atTheHub(moment()) ?? new Date().toISOString());
  const left = Math.max(0, Math.ceil((Date.parse(found.dataset.until) - now) / SECOND));
  const [hours, minutes, seconds] = [Math.floor(left / 3600), Math.floor(left / 60) % 60, left % 60];
  const two = (number) => String(number).padStart(2, "0");
  const time = hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
  found.textContent = say("({time} left)", { time });
}
