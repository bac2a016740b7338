// A pressed button: asks first where that is wanted, says "asking…", and is released by the room's word alone.

import { say } from "./messages.js";

const OWN_WORD = 8_000; // how long the stream may still tell how a command ended whose answer got lost
const UNSURE = new Set(["unknown", "interrupted"]);
const DONE = { on: "switched on", off: "switched off", lock: "locked", unlock: "unlocked", stop: "stopped", press: "pressed", open: "opened", close: "closed" };
const waiting = new Map();

/** The stream's word about a command: counts where the answer to our own call got lost. */
export function heardCommand({ id, outcome, reason }) {
  waiting.get(id)?.({ outcome, reason });
}

/** Take over every command form of the page. */
export function takeForms(main) {
  main.addEventListener("submit", (event) => {
    const form = event.target.closest("form.command");
    if (!form || !event.submitter) return;
    event.preventDefault();
    if (event.submitter.ariaBusy !== "true") press(main, form, event.submitter);
  });
  main.addEventListener("input", ({ target }) => {
    if (target.matches("input[type=range]")) level(target);
  });
  for (const type of ["pointerdown", "keydown"]) {
    main.addEventListener(type, ({ target }) => target.matches?.("input[type=range]") && (target.dataset.held = "yes"));
  }
  showLevels(main);
}

/** Write each slider's value onto its button. */
export function showLevels(main) {
  main.querySelectorAll("input[type=range]").forEach(level);
}

function level(slider) {
  slider.form.querySelector(".level").textContent = ` ${slider.value} %`;
}

async function press(main, form, button) {
  const device = form.closest(".device");
  const wish = { action: button.value };
  const slider = form.elements.value;
  if (slider) wish.value = Number(slider.value);
  if (form.dataset.title && document.body.dataset.lockdown !== "true") {
    if (!(await confirmed(form.dataset, wish.value))) return;
    wish.confirm = true;
  }
  const label = button.querySelector(".label");
  const [text, name] = [label.textContent, button.ariaLabel];
  button.ariaBusy = "true";
  button.ariaLabel = `${name}: asking…`;
  label.textContent = "asking…";
  try {
    report(device, wish, await ask(main, device.dataset, wish));
  } finally {
    button.ariaBusy = "false";
    button.ariaLabel = name;
    label.textContent = text;
    if (slider) delete slider.dataset.held;
  }
}

/** Send it and wait: {outcome: "executed"} or the problem document. */
async function ask(main, { room, device }, wish) {
  const id = crypto.randomUUID();
  const told = new Promise((resolve) => waiting.set(id, resolve));
  try {
    const address = `/api/v1/devices/${encodeURIComponent(room)}/${encodeURIComponent(device)}/commands`;
    const answer = await post(address, main.dataset.csrf, { ...wish, id });
    if (slugOf(answer) !== "csrf") return answer;
    // Somebody signed in anew in another tab: nothing was sent yet, and the token has changed.
    main.dataset.csrf = (await (await fetch("/api/v1/csrf", { cache: "no-store" })).json()).csrf_token;
    return await post(address, main.dataset.csrf, { ...wish, id });
  } catch {
    const patience = document.body.dataset.link === "live" ? OWN_WORD : 0;
    const nothing = new Promise((resolve) => setTimeout(resolve, patience, null));
    const word = await Promise.race([told, nothing]);
    if (word?.outcome === "executed") return word;
    return {
      type: "/problems/unknown",
      title: "It is not known what happened",
      detail: "The hub did not answer. Look at the device before you repeat it.",
    };
  } finally {
    waiting.delete(id);
  }
}

async function post(address, token, body) {
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": token };
  return (await fetch(address, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

const slugOf = (problem) => String(problem.type ?? "").split("/").pop();

function report(device, wish, answer) {
  const name = `${device.dataset.name} in ${device.closest(".room").dataset.name}`;
  if (answer.outcome === "executed") {
    const moves = device.dataset.kind === "cover" && ["open", "close"].includes(wish.action);
    const done = moves ? "moves now" : wish.action === "set" ? `set to ${wish.value} %` : DONE[wish.action];
    say("good", `${name}: ${done}`, "The room confirmed it.");
    return;
  }
  const slug = slugOf(answer);
  if (slug === "sign-in-required") {
    location.assign("/login");
    return;
  }
  const wait = answer.retry_after ? ` Try again in ${answer.retry_after} seconds.` : "";
  say(UNSURE.has(slug) ? "unsure" : "bad", `${name}: ${answer.title ?? "The hub answered strangely"}`, (answer.detail ?? "") + wait);
}

/** The dialog: says exactly what will happen; Esc and Cancel say no. */
function confirmed({ title, text, button }, value) {
  const dialog = document.getElementById("confirmation");
  const exact = (words) => (value === undefined ? words : words.replace("…", value));
  document.getElementById("confirmation-title").textContent = exact(title);
  document.getElementById("confirmation-text").textContent = text;
  document.getElementById("confirmation-yes").textContent = exact(button);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}
