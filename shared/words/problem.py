"""What can go wrong, said once: the catalogue of slugs that travel in RFC 9457 problems and in acknowledgements.

Raise `HomeError(slug)` anywhere; the web floor turns it into `application/problem+json` or a page.
"""

from typing import Any, NamedTuple

TYPE_PREFIX = "/problems/"
"""A problem's `type` is this and its slug, relative to the gateway, where a page explains it (RFC 9457, 3.1.1)."""


class Entry(NamedTuple):
    """One kind of problem: its HTTP status, its title and, as a sentence, what to do next."""

    status: int
    title: str
    advice: str


CATALOGUE: dict[str, Entry] = {
    # the request itself
    "bad-request": Entry(400, "The request could not be read", "Check the request's form and try again."),
    "malformed": Entry(400, "The message is malformed", "Send JSON in the documented shape."),
    "invalid-value": Entry(422, "Something cannot be taken as it is", "Correct the named value and try again."),
    "too-large": Entry(413, "The body is too large", "Send less than 64 KiB."),
    "too-slow": Entry(408, "The request did not come in time", "Nothing was done. Try again."),
    "unsupported-media-type": Entry(415, "The body is not JSON", "Send JSON with Content-Type: application/json."),
    "not-found": Entry(404, "There is nothing here", "Check the address; what you may not see is not shown either."),
    "method-not-allowed": Entry(405, "This address does not take that method", "Use a method named in Allow."),
    "rate-limited": Entry(429, "Too many requests", "Wait as long as it says (Retry-After); off, lock and stop work."),
    "already-exists": Entry(409, "It exists already", "Choose another name; one that was revoked is never used again."),
    "changed-meanwhile": Entry(
        409, "Somebody changed it meanwhile", "Nothing was done. Look at what stands now, and change that."
    ),
    # who is asking
    "sign-in-required": Entry(401, "You are not signed in", "Sign in and try again."),
    "sign-in-failed": Entry(
        401,
        "The sign-in failed",
        "Check e-mail, password and code. A code lives 10 minutes and works once: ask for a new one if in doubt.",
    ),
    "confirmation-failed": Entry(
        403,
        "The confirmation failed",
        "Check what you typed. A code lives 10 minutes, works once, and only for what it was mailed for.",
    ),
    "step-up-required": Entry(
        403,
        "This asks for your passkey or a code of your app",
        "Prove who you are by POST /api/v1/step-up; that counts for five minutes.",
    ),
    "factor-required": Entry(
        403,
        "Your home asks everyone for a passkey or an authenticator app",
        "Add one on your account page; until then you may look, and make things safer.",
    ),
    "wrong-password": Entry(403, "The password is wrong", "Type the password that you have now, and try again."),
    "csrf": Entry(
        403,
        "The request was not confirmed as yours",
        "Reload the page. Programs fetch /api/v1/csrf and send its token as X-CSRF-Token, from the same origin.",
    ),
    "forbidden": Entry(403, "You may not do this", "Ask the master user for the right to."),
    "join-refused": Entry(
        403,
        "This machine may not join",
        "On the hub, homesystem room add or client add prints a line that works once, for ten minutes.",
    ),
    "last-master": Entry(409, "A home needs a master user", "Make another master user first."),
    # what a room or a device says
    "unknown-device": Entry(404, "There is no such device", "Check the room's and the device's name."),
    "unknown-action": Entry(409, "The device has no such action", "Use an action that its description lists."),
    "confirmation-required": Entry(409, "This action asks for a confirmation", "Repeat it with confirm set to true."),
    "second-person-required": Entry(
        403, "This takes two persons", "Ask for it in person: a program with a token is no person."
    ),
    "appointment-in-person": Entry(
        403, "This is done by appointment", "Ask for it in person: a program with a token makes no appointment."
    ),
    "nobody-to-agree": Entry(
        409,
        "This takes two persons, and nobody else may use it now",
        "Ask the master user to let a second person use it, or to have it confirmed otherwise.",
    ),
    "other-wish-pending": Entry(
        409, "Somebody wants it otherwise", "Nothing was done. Agree to what is pending, or take that back first."
    ),
    "wish-over": Entry(
        409,
        "That is not pending any more",
        "It was done, taken back, or too old. Look at the device, and ask for it anew.",
    ),
    "id-reused": Entry(409, "The id was used for another command", "Make a new id for every command."),
    "id-used": Entry(
        409,
        "The id was used before, and how that ended is not recorded any more",
        "Nothing was done now. Look at the device, and make a new id for a new command.",
    ),
    "retained": Entry(409, "A retained command is never obeyed", "Publish commands without the retain flag."),
    "unstamped": Entry(
        409,
        "The command has no id or no fresh issued_at",
        "Send id and issued_at: what is critical, has max_on or says stamped needs both, and so do pulses and covers.",
    ),
    "interlocked": Entry(409, "Another device holds this one back", "Switch the other device of the group off first."),
    "lockdown": Entry(
        409, "The home is locked down", "Off, lock and stop still work; the master user ends a lockdown."
    ),
    "locked-out": Entry(409, "The device is locked out", "Ask the master user to lift the lock-out."),
    "too-soon": Entry(409, "The device must rest first", "Try again in a moment."),
    "expired": Entry(504, "The command came too late", "Nothing was done. Try again."),
    "unknown": Entry(
        504,
        "It is not known what happened",
        "The room did not answer in time. Look at the device before you repeat it.",
    ),
    "interrupted": Entry(
        502,
        "The room was interrupted in the middle of it",
        "It is not known whether the device moved. Look at it before you repeat the command.",
    ),
    "pin-failed": Entry(502, "The room could not move the device", "Check the wiring; the room's log says more."),
    "ledger-failed": Entry(
        502,
        "The room could not write its ledger, so nothing was moved",
        "Free space on the room's card; its log says more.",
    ),
    "rejected": Entry(409, "The room refused the command", "Nothing was done; the room's log says why."),
    "failed": Entry(
        502, "The room could not do it", "Look at the device before you repeat it; the room's log says more."
    ),
    # what is away
    "room-offline": Entry(503, "The room is offline", "Nothing was sent. Check the room's power and network."),
    "signer-unreachable": Entry(
        503, "The signer cannot be reached", "Nothing was signed. On the hub: systemctl start homesystem-signer."
    ),
    "upgrading": Entry(
        503,
        "The home is being brought up to date",
        "Nothing was done. Try again in a minute. One that was cut off: sudo homesystem upgrade at the hub.",
    ),
    "broker-unreachable": Entry(503, "The broker cannot be reached", "Nothing was sent. It reconnects by itself."),
    "auth-unreachable": Entry(503, "The auth service cannot be reached", "Try again in a moment."),
    "readings-unreachable": Entry(503, "The recorder cannot be reached", "Everything else goes on."),
    "alerts-unreachable": Entry(503, "The alert service cannot be reached", "Actions go on; the history is late."),
    "no-proof": Entry(
        503,
        "No proof of a critical action can be written, so it was refused",
        "Free space on the hub's disk. Off, lock and stop still work.",
    ),
    "internal": Entry(500, "Something failed on our side", "Try again; the log names this request by its id."),
}


class HomeError(Exception):
    """The one error of the house: a slug of the catalogue, a sentence for this occasion, and facts as fields.

    `facts` become members of the problem document, so nothing secret belongs there.
    """

    def __init__(self, slug: str, detail: str | None = None, **facts: Any) -> None:
        entry = CATALOGUE[slug]
        self.slug = slug
        self.status = entry.status
        self.title = entry.title
        self.detail = detail or entry.advice
        self.facts = facts
        super().__init__(f"{slug}: {self.detail}")

    def document(self, instance: str) -> dict[str, Any]:
        """The RFC 9457 document; `instance` names this one occurrence."""
        return {
            "type": TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            **self.facts,
        }
