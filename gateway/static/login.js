// Both steps on one page, so that the password need not be typed twice. It stays in its field and nowhere else.

import { hindrance, refusal, show } from "./passkeys.js";
import { problem as problemOf, say, sayMany } from "./tongue.js";

const form = document.getElementById("login");
const { email, password, code, own, csrf_token: token } = form.elements;
const button = document.getElementById("submit");
const problem = document.getElementById("problem");

const LOOK_EVERY = 5_000; // milliseconds, for as long as a code lives
const LOOKS = 120;

if (form.dataset.step === "2") followMail();

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  problem.replaceChildren();
  try {
    if (form.dataset.step === "1") await askCode();
    else await signIn();
  } catch {
    complain(say("The hub cannot be reached"), say("Check your connection and try again."));
  } finally {
    button.ariaBusy = "false";
  }
});

const passkey = document.getElementById("passkey");
const byPasskey = document.getElementById("by-passkey"); // taken away by whoever is quicker than the answer

if (passkey) hindrance().then((reason) => (byPasskey.hidden = reason !== null));

passkey?.addEventListener("click", async () => {
  if (passkey.ariaBusy === "true") return;
  passkey.ariaBusy = "true";
  problem.replaceChildren();
  try {
    await signInByPasskey();
  } catch (error) {
    if (error instanceof DOMException) complain(say("No passkey was shown"), refusal(error));
    else complain(say("The hub cannot be reached"), say("Check your connection and try again."));
  } finally {
    passkey.ariaBusy = "false";
  }
});

async function signInByPasskey() {
  const asked = await send("/api/v1/login/passkey/challenge", {});
  if (!asked.ok) return refused(asked);
  const credential = await show((await asked.json()).options);
  const response = await send("/api/v1/login/passkey", { credential, own: own.checked });
  if (!response.ok) return refused(response);
  location.replace(form.dataset.next);
}

async function askCode() {
  const response = await send("/api/v1/login/code", { email: email.value.trim(), password: password.value });
  if (!response.ok) return refused(response);
  form.dataset.step = "2";
  for (const part of [document.getElementById("title"), document.getElementById("lead"), button]) part.textContent = part.dataset.second;
  document.getElementById("code-field").hidden = false;
  document.getElementById("again").hidden = false;
  document.getElementById("own-field").hidden = false;
  byPasskey?.remove();
  code.disabled = own.disabled = false;
  code.focus();
  followMail();
}

/** Shows the attempt's name, and whether letters go out just now, until the code could not be typed any more. */
async function followMail(looks = LOOKS) {
  try {
    const response = await fetch("/api/v1/login/attempt", { cache: "no-store" });
    if (response.ok) showMail(await response.json());
  } catch {
    // The next look, or the next press, says what is wrong.
  }
  if (looks > 1) setTimeout(followMail, LOOK_EVERY, looks - 1);
}

function showMail({ attempt, mail }) {
  for (const place of document.querySelectorAll(".attempt")) place.textContent = attempt;
  const away = mail === "away";
  const title = document.getElementById("title");
  title.textContent = away ? title.dataset.away : title.dataset.second;
  document.getElementById("lead").hidden = away;
  document.getElementById("mail-away").hidden = !away;
}

async function signIn() {
  const wish = { email: email.value.trim(), password: password.value, code: code.value.trim(), own: own.checked };
  const response = await send("/api/v1/login", wish);
  if (!response.ok) return refused(response);
  password.value = "";
  location.replace(form.dataset.next);
}

function send(address, body) {
  return fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token.value },
    body: JSON.stringify(body),
  });
}

async function refused(response) {
  const answer = await response.json();
  const { type = "", retry_after: wait } = answer;
  if (type.endsWith("/csrf")) return location.reload(); // the page lay open for too long
  const { title, detail } = await problemOf(answer);
  const again = wait ? [say("Too many tries for now."), say("Try again in {wait}.", { wait: inWords(wait) })].join(" ") : detail;
  complain(title || say("Something failed"), again);
  if (form.dataset.step === "2") code.select();
}

function inWords(seconds) {
  if (seconds < 90) return sayMany("{count} second", "{count} seconds", seconds);
  return sayMany("{count} minute", "{count} minutes", Math.ceil(seconds / 60));
}

function complain(title, detail) {
  const box = document.createElement("div");
  box.className = "said bad";
  const line = document.createElement("p");
  const strong = document.createElement("strong");
  strong.textContent = title;
  line.append(strong, ` ${detail}`);
  box.append(line);
  problem.replaceChildren(box);
}
