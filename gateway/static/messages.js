// What is said after an action, in the region that screen readers listen to. Good news goes by itself, the rest stays.

import { say } from "./tongue.js";

const STAY = 8_000;
const MOST = 2;

/** Say it, and return what stands there. `tone` is "good", "bad" or "unsure". */
export function tell(tone, title, text) {
  const region = document.getElementById("messages");
  const message = document.createElement("div");
  message.className = `said ${tone}`;
  const line = document.createElement("p");
  const strong = document.createElement("strong");
  const rest = document.createElement("span");
  strong.textContent = title;
  rest.textContent = text;
  line.append(strong, " ", rest);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "close";
  close.setAttribute("aria-label", say("Dismiss"));
  close.textContent = "×";
  close.addEventListener("click", () => message.remove());
  message.append(line, close);
  if (tone === "good") region.querySelectorAll(".good").forEach((former) => former.remove());
  while (region.childElementCount >= MOST) region.firstElementChild.remove();
  region.append(message);
  if (tone === "good") setTimeout(() => message.remove(), STAY);
  return message;
}
