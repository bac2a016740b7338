"""What the house's page says of each thing that was looked at: how it stands, and what to do, in whole sentences."""

from typing import Final, NamedTuple

from gateway.pages.speaking import say, say_many
from gateway.picture.kept import Checked
from gateway.picture.plain import plain
from shared.words.languages import later

_SENTENCES: Final = {
    ("demo", "wrong"): (
        later("This is a demo: its keys and passwords are published."),
        later("Make a home of your own on the hub."),
    ),
    ("demo", "well"): (later("Keys and secrets were made for this home alone."), ""),
    ("strong", "wrong"): (
        later("Without a strong second factor, who looks after the home: {names}"),
        later("Add a passkey or an authenticator app on the account page: a mailed code is as safe as the mailbox."),
    ),
    ("strong", "well"): (later("Whoever looks after the home has a strong second factor."), ""),
    ("strong", "unknown"): (later("Whether accounts have strong factors could not be looked at."), ""),
    ("certificates", "wrong"): (
        later("Certificates that end soon, or have ended: {names}"),
        later("A room renews by itself while it runs: see that it is on, or renew it on the hub."),
    ),
    ("certificates", "well"): (later("Every room and client has a certificate that is good for a month or more."), ""),
    ("certificates", "unknown"): (later("When certificates end could not be looked at."), ""),
    ("no-ends", "unknown"): (later("Nobody knows when the certificates of these end: {names}"), ""),
    ("versions", "wrong"): (
        later("Of another version than the hub: {names}"),
        later("Bring hub and rooms to the same version, on each of them."),
    ),
    ("versions", "well"): (later("Hub and rooms are of the same version."), ""),
    ("no-version", "unknown"): (later("Of which version these are, they have not said yet: {names}"), ""),
    ("proof", "wrong"): (
        later("The gateway cannot write proof: critical actions are refused."),
        later("Free space on the hub's disk, or replace it."),
    ),
    ("proof", "well"): (later("What is done is proven before it is done."), ""),
    ("letters", "wrong"): (
        later("Letters do not all arrive."),
        later("See below what the mail server says, and look at the hub's settings for mail."),
    ),
    ("letters", "well"): (later("The mail server takes the home's letters."), ""),
    ("letters", "unknown"): (later("How the letters fare could not be looked at."), ""),
    ("record", "wrong"): (
        later("The record was changed, or is torn, at row {count}."),
        later("Check it from outside, and compare it with its letters."),
    ),
    ("record", "well"): (later("The record is whole, as far as it was checked."), ""),
    ("record", "unknown"): (later("Whether the record is whole is not known yet."), ""),
    ("recording", "wrong"): (
        later("Nothing can be recorded just now: it waits."),
        later("Free space on the hub's disk, or replace it."),
    ),
    ("disk", "wrong"): (
        later("The hub's disk is nearly full."),
        later("Free some: without proof critical commands are refused."),
    ),
    ("disk", "well"): (later("There is room on the hub's disk."), ""),
    ("disk", "unknown"): (later("The hub's disk could not be looked at."), ""),
    ("no-backup", "wrong"): (
        later("No backup is known."),
        later("Make one on the hub, and keep it elsewhere. One that another program made is not known here."),
    ),
    ("backup", "wrong"): (
        later("The last known backup is {count} days old."),
        later("Make one on the hub, and keep it elsewhere."),
    ),
    ("backup", "well"): (later("There is a backup of the last month. Where it lies now is not known here."), ""),
    ("backup", "unknown"): (later("When a backup was made last could not be looked at."), ""),
    ("waiting", "wrong"): (
        later("Rooms describe something less strictly than it stands."),
        later("Decide about it on the page of what waits for your word."),
    ),
    ("waiting", "unknown"): (later("Whether something waits for your word could not be looked at."), ""),
    ("waiting", "well"): (later("No room asks to be less strict."), ""),
    ("no-doctor", "unknown"): (
        later("The hub's own doctor has not looked yet, or what it found cannot be read."),
        later("It looks at settings, files, the broker and the mail server, which no page can."),
    ),
    ("old-doctor", "unknown"): (
        later("The hub's own doctor looked {count} days ago: too long to say anything."),
        later("Have it look again, on the hub."),
    ),
    ("doctor-fault", "wrong"): (later("The hub's own doctor found, about {names}:"), ""),
    ("doctor-skipped", "unknown"): (
        later("The hub's own doctor could not look at everything ({count} left out)."),
        later("Have it look again while everything runs."),
    ),
    ("doctor", "well"): (later("All that the hub's own doctor looked at is well ({count})."), ""),
}
_ELSEWHERE: Final = {"strong": "/account/factors", "waiting": "/waiting"}
_MOST_NAMES: Final = 5


class Told(NamedTuple):
    """One thing in words. `detail`: what a part of the hub said; `step` a command, `link` a page where one mends it."""

    state: str
    title: str
    advice: str
    detail: str
    step: str
    link: str
    standard: str


def told(one: Checked) -> Told:
    """A check in the page's language."""
    title, advice = _SENTENCES[(one.about, one.state)]
    listed = ", ".join(plain(name) for name in one.names[:_MOST_NAMES])
    if (more := len(one.names) - _MOST_NAMES) > 0:
        listed = say_many("{listed} and {count} more", "{listed} and {count} more", more, listed=listed)
    well = one.state == "well"
    return Told(
        state=one.state,
        title=say(title, names=listed, count=one.count),
        advice=say(advice) if advice else "",
        detail=plain(say(one.detail), 300) if one.detail else "",
        step="" if well else plain(one.step, 300),
        link="" if well else _ELSEWHERE.get(one.about, ""),
        standard=one.standard,
    )
