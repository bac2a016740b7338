// Shows a passkey in a form that asks for a proof; without this script a code is typed. Afterwards the form asks for
// nothing, and goes on by itself where nothing else is missing.

import { hindrance, refusal, show } from "./passkeys.js";
import { problem, say } from "./tongue.js";

for (const part of document.querySelectorAll(".proof[data-passkey=true]")) offer(part);

async function offer(part) {
  const button = part.querySelector(".show-passkey");
  if ((await hindrance()) !== null) return; // a code is asked for all the same
  button.hidden = false;
  button.addEventListener("click", () => prove(part, button));
}

async function prove(part, button) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  complain(part, "");
  const token = part.form.elements.csrf_token.value;
  try {
    const asked = await send("/api/v1/step-up/challenge", {}, token, part);
    if (!asked) return;
    const credential = await show(asked.options);
    if (!(await send("/api/v1/step-up", { credential }, token, part))) return;
    part.disabled = true; // its field is sent no more, and is not missing
    button.textContent = say("Your passkey was right");
    button.focus();
    const submit = part.form.querySelector("button[type=submit]");
    if (part.form.checkValidity()) part.form.requestSubmit(submit);
    else part.form.reportValidity();
  } catch (error) {
    complain(part, error instanceof DOMException ? refusal(error) : say("The hub cannot be reached. Try again in a moment."));
  } finally {
    button.ariaBusy = "false";
  }
}

async function send(address, body, token, part) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.ok) return answer;
  if (answer.type.endsWith("/csrf") || answer.type.endsWith("/sign-in-required")) location.reload();
  complain(part, inWords(await problem(answer)));
  return null;
}

const inWords = ({ title, detail }) => (detail ? `${title}. ${detail}` : title);

function complain(part, words) {
  const place = part.querySelector("[role=alert]");
  place.textContent = words;
  place.hidden = !words;
}
