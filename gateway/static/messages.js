// What is said after an action: in the card of the device that it is about, under its buttons, and in the region that
// screen readers listen to. Good news goes by itself, the rest stays.

import { say } from "./tongue.js";

const STAY = 8_000;
const MOST = 2; // in one card

/** Say it in this card, and return what stands there. `tone` is "good", "bad" or "unsure". */
export function tell(card, tone, title, text) {
  const message = document.createElement("div");
  message.className = `said told ${tone}`;
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
  close.addEventListener("click", () => dismiss(message));
  message.append(line, close);
  const former = [...(shown(card)?.querySelectorAll(".said:not(.waits)") ?? [])];
  former.filter((it) => it.matches(".good") && tone === "good").forEach((it) => it.remove());
  former.filter((it) => it.isConnected).slice(0, 1 - MOST).forEach((it) => it.remove());
  put(card.id, message);
  message.scrollIntoView({ block: "nearest" });
  aloud(`${title} ${text}`);
  if (tone === "good") setTimeout(() => message.remove(), STAY);
  return message;
}

/** Have what was said stand in `main` as well once it has shown a newer page; `draw` shows that. */
export function keepTold(main, draw) {
  const told = [...main.querySelectorAll(".told")].map((message) => [message.closest(".device")?.id, message]);
  draw();
  for (const [id, message] of told) put(id, message);
}

/** The card as the page has it now: it may have been drawn anew since the press. */
const shown = ({ id }) => document.getElementById(id);

/** Under the buttons, so that none moves away beneath a finger; of a device that is gone, above all. */
function put(id, message) {
  const card = id && document.getElementById(id);
  if (!card) return document.querySelector("main").prepend(message);
  const above = [...card.querySelectorAll(".controls, .told")].at(-1) ?? card.lastElementChild;
  above.after(message);
}

/** Whoever closed it by keyboard is then where they pressed. */
function dismiss(message) {
  const card = message.closest(".device");
  const within = message.contains(document.activeElement);
  message.remove();
  if (within) card?.querySelector(".command")?.focus();
}

function aloud(text) {
  const line = document.createElement("p");
  line.textContent = text;
  document.getElementById("messages").append(line);
  setTimeout(() => line.remove(), STAY);
}
