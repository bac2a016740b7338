// Passkeys: what the hub asks for in JSON, as the browser wants it, and back. Knows of no page.

import { later, say } from "./tongue.js";

const UNTRUSTED = later(
  "This device does not trust the hub's certificate yet, and then browsers refuse passkeys. Add the home's authority to it first.",
);

/** Why no passkey can be made or shown here, in words; null where one can. */
export async function hindrance() {
  if (!window.PublicKeyCredential || !navigator.credentials) return say("This browser knows no passkeys.");
  if (!(await isTheirName())) return say("This browser takes passkeys under the hub's first name alone.");
  return (await trusts()) === false ? say(UNTRUSTED) : null;
}

/** Whether passkeys may be used under this page's name: it is theirs, or the browser knows Related Origin Requests. */
async function isTheirName() {
  const name = document.documentElement.dataset.passkeys;
  if (!name || location.hostname === name || location.hostname.endsWith(`.${name}`)) return true;
  return (await PublicKeyCredential.getClientCapabilities?.())?.relatedOrigins === true;
}

/** Whether this browser trusts the hub's certificate; null where it does not say. */
export async function trusts() {
  if (!navigator.serviceWorker) return null;
  try {
    // This is no script, so nothing is ever installed; but whether the certificate is trusted is looked at first.
    await navigator.serviceWorker.register("/healthz");
  } catch (error) {
    if (/certificate/i.test(error.message)) return false;
    // Chromium has looked at the certificate once it minds what came; others say nothing of it.
    if (/MIME type/i.test(error.message)) return navigator.userAgentData ? true : null;
  }
  return null;
}

/** Make one; what the hub is to be sent. */
export async function make(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: (options.excludeCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) })),
  };
  return plain(await navigator.credentials.create({ publicKey }));
}

/** Show one; what the hub is to be sent. */
export async function show(options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: (options.allowCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) })), // none: the person chooses
  };
  return plain(await navigator.credentials.get({ publicKey }));
}

/** What a browser's refusal means. */
export function refusal(error) {
  if (error.name === "InvalidStateError") return say("This device has a passkey for your account already.");
  if (error.name === "NotAllowedError")
    return /certificate/i.test(error.message) ? say(UNTRUSTED) : say("It was cancelled, took too long, or there is none here.");
  if (error.name === "SecurityError") return say("Passkeys do not work under this address.");
  return say("The browser could not do it.");
}

function plain({ id, rawId, type, response }) {
  const said = { clientDataJSON: text(response.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"])
    if (response[part]) said[part] = text(response[part]);
  return { id, rawId: text(rawId), type, response: said };
}

function bytes(base64url) {
  const raw = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (sign) => sign.charCodeAt(0));
}

function text(buffer) {
  const raw = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(raw).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
