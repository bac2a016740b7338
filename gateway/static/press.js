// A pressed button: asks first where that is wanted, says "asking…", and is released by the room's word, or after five
// seconds by saying that nothing is known.

import { section } from "./cards.js";
import { moment } from "./hub_time.js";
import { tell } from "./messages.js";
import { later, problem, say } from "./tongue.js";
import { send, slugOf } from "./wish.js";

const UNSURE = new Set(["unknown", "interrupted"]);
const DONE = {
  on: later("{name}: switched on"),
  off: later("{name}: switched off"),
  set: later("{name}: set to {value} %"),
  lock: later("{name}: locked"),
  unlock: later("{name}: unlocked"),
  stop: later("{name}: stopped"),
  press: later("{name}: pressed"),
  open: later("{name}: opened"),
  close: later("{name}: closed"),
};
const ENDED = {
  rejected: later("{name}: The room refused it"),
  expired: later("{name}: It came to the room too late"),
  failed: later("{name}: The room could not do it"),
};
let withdraw = () => {}; // the question before this one, where nobody answered it
let click = { button: null, pressed: null }; // the last one: an event that waited says when it was made

/** Take over every button of the page that is a command. */
export function takeForms(main) {
  const noted = (event) => (click = { button: event.target.closest?.("button"), pressed: moment(event) });
  document.addEventListener("click", noted, { capture: true });
  main.addEventListener("submit", (event) => {
    if (!event.submitter?.matches(".command")) return;
    event.preventDefault();
    if (event.submitter.ariaBusy !== "true") press(main, event.submitter);
  });
  main.addEventListener("input", ({ target }) => {
    if (target.matches(".set input[name=value]")) level(target);
  });
  for (const type of ["pointerdown", "keydown"]) {
    main.addEventListener(type, ({ target }) => target.matches?.(".set input[name=value]") && (target.dataset.held = "yes"));
  }
  showLevels(main);
}

/** Write each slider's value onto its button. */
export function showLevels(main) {
  main.querySelectorAll(".set input[name=value]").forEach(level);
}

function level(field) {
  field.form.querySelector(".level").textContent = field.value === "" ? "" : ` ${field.value} %`;
}

/** When this button was pressed. */
const when = (button) => (click.button === button ? click.pressed : moment());

async function press(main, button) {
  let pressed = when(button);
  const device = button.closest(".device");
  const wish = { action: button.value };
  const field = button.closest(".set")?.elements.value;
  if (field?.value === "") return field.reportValidity(); // where it stands is not known, and nothing was chosen yet
  if (field) wish.value = Number(field.value);
  if (button.dataset.agrees) wish.agrees_to = button.dataset.agrees;
  if (button.dataset.value) wish.value = Number(button.dataset.value);
  if (button.dataset.title && document.body.dataset.lockdown !== "true") {
    if (device.dataset.confirm === "step-up") return askElsewhere(device, wish);
    if (!(await confirmed(button.dataset, wish.value))) return;
    pressed = when(document.getElementById("confirmation-yes"));
    wish.confirm = true;
  }
  const label = button.querySelector(".label");
  const [text, name] = [label.textContent, button.ariaLabel];
  button.ariaBusy = "true";
  button.ariaLabel = say("{name}: asking…", { name });
  label.textContent = say("asking…");
  try {
    await report(device, wish, await send(device.dataset, token(main), wish, pressed));
  } finally {
    button.ariaBusy = "false";
    button.ariaLabel = name;
    label.textContent = text;
    if (field) delete field.dataset.held;
  }
}

/** A page of its own asks, and for a passkey or a code besides. */
function askElsewhere({ dataset: { room, device } }, { action, value = "" }) {
  const back = location.pathname.startsWith("/rooms/") ? "room" : "home";
  const asked = new URLSearchParams({ action, back, ...(value === "" ? {} : { value }) });
  location.assign(`/rooms/${encodeURIComponent(room)}/${encodeURIComponent(device)}/confirm?${asked}`);
}

/** The page's CSRF token, which changes when somebody signs in anew. */
function token(main) {
  return {
    now: () => main.dataset.csrf,
    async renew(signal) {
      main.dataset.csrf = (await (await fetch("/api/v1/csrf", { cache: "no-store", signal })).json()).csrf_token;
    },
  };
}

async function report(device, wish, answer) {
  const name = say("{device} in {room}", { device: device.dataset.name, room: section(device.dataset.room).dataset.name });
  if (answer.outcome === "executed") return executed(name, device, wish, answer.state);
  if (answer.outcome === "pending") return waits(name, device, answer);
  const slug = slugOf(answer);
  if (slug === "sign-in-required") {
    location.assign("/login");
    return;
  }
  const { title, detail } = await problem(answer);
  const strange = say("The hub answered strangely");
  const again = answer.retry_after ? say("Try again in {count} seconds.", { count: answer.retry_after }) : "";
  const said = tell(device, UNSURE.has(slug) ? "unsure" : "bad", `${name}: ${title || strange}`, `${detail} ${again}`.trim());
  answer.word?.then(({ outcome, reason }) => {
    if (outcome === "unknown") return; // as it says already
    said.remove();
    if (outcome === "executed") return executed(name, device, wish);
    const text = reason ? say("It says: {reason}.", { reason }) : say("Look at the device before you repeat it.");
    tell(device, "bad", say(ENDED[outcome] ?? ENDED.failed, { name }), text);
  });
}

function waits(name, device, { until, due }) {
  const time = new Date(due ?? until).toLocaleTimeString("en-GB", { timeZone: document.documentElement.dataset.timezone });
  if (due) {
    const text = say("Nothing is done yet. At {time} it is, unless somebody refuses it. Stay signed in until then.", { time });
    tell(device, "good", say("{name}: there is an appointment", { name }), text);
    return;
  }
  const text = say("Nothing is done yet: somebody else has to want the same, by {time}.", { time });
  tell(device, "good", say("{name}: it takes a second person", { name }), text);
}

function executed(name, device, wish, state) {
  const there = state?.value?.moving === null && state.value.position === wish.value;
  const moves = device.dataset.kind === "cover" && ["open", "close", "set"].includes(wish.action) && !there;
  const done = moves ? say("{name}: moves now", { name }) : say(DONE[wish.action], { name, value: wish.value });
  tell(device, "good", done, say("The room confirmed it."));
}

/**
 * The dialog: says exactly what will happen; Esc and Cancel say no. That it has closed is told with the browser's next
 * frame, when it may be asking something else already: so each question listens for its own answer.
 */
function confirmed({ title, text, button }, value) {
  const dialog = document.getElementById("confirmation");
  const exact = (words) => (value === undefined ? words : words.replace("…", value));
  withdraw();
  document.getElementById("confirmation-title").textContent = exact(title);
  document.getElementById("confirmation-text").textContent = text;
  document.getElementById("confirmation-yes").textContent = exact(button);
  dialog.showModal();
  return new Promise((resolve) => {
    const listening = new AbortController();
    const { signal } = listening;
    const answer = (yes) => {
      listening.abort();
      resolve(yes);
    };
    withdraw = () => answer(false);
    dialog.addEventListener("submit", ({ submitter }) => answer(submitter.value === "yes"), { signal });
    dialog.addEventListener("close", () => dialog.open || answer(false), { signal });
  });
}
