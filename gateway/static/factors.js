// Makes a passkey on the page of second factors; without this script the page offers none.

import { hindrance, make, refusal } from "./passkeys.js";
import { problem, say } from "./tongue.js";

const form = document.getElementById("passkey");
const why = document.getElementById("passkey-hindrance");

if (form) offer();

async function offer() {
  why.hidden = true; // it says that there is no script
  const reason = await hindrance();
  why.hidden = reason === null;
  why.textContent = reason ?? "";
  form.hidden = reason !== null;
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { current, code, name, csrf_token: token } = form.elements;
  const button = form.querySelector("button");
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  complain("");
  try {
    const begun = await send("/api/v1/factors/passkey", { current: current.value, code: code?.value.trim() ?? "", name: name.value.trim() }, token);
    if (!begun) return;
    const made = await make(begun.options);
    const done = await send(`/api/v1/factors/passkey/${begun.id}`, { credential: made }, token);
    if (!done) return;
    if (done.recovery_codes.length) return showCodes(done.recovery_codes);
    location.assign("/account/factors");
  } catch (error) {
    complain(error instanceof DOMException ? refusal(error) : say("The hub cannot be reached. Try again in a moment."));
  } finally {
    current.value = "";
    button.ariaBusy = "false";
  }
});

async function send(address, body, token) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token.value },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.ok) return answer;
  if (answer.type.endsWith("/csrf") || answer.type.endsWith("/sign-in-required")) location.reload();
  complain(inWords(await problem(answer)));
  return null;
}

/** They are in this answer alone, so the page turns into them. */
function showCodes(codes) {
  const page = document.getElementById("recovery-made").content.cloneNode(true);
  const list = page.querySelector(".codes");
  for (const code of codes) {
    const line = document.createElement("li");
    const sign = document.createElement("code");
    sign.textContent = code;
    line.append(sign);
    list.append(line);
  }
  document.querySelector("main").replaceChildren(page);
  document.querySelector("main h1").focus();
}

const inWords = ({ title, detail }) => (detail ? `${title}. ${detail}` : title);

function complain(words) {
  const place = document.getElementById("passkey-said");
  place.textContent = words;
  place.hidden = !words;
}
