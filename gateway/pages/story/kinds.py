"""What one can ask the history for, by kind: the words of the filter, each with what it asks the alert service for."""

from typing import Final

from gateway.pages.speaking import say
from gateway.picture.plain import plain
from shared.words.languages import later

KINDS: Final = {
    "acts": later("Acts"),
    "happenings": later("All that merely happened"),
    "device:opened,device:closed": later("Doors and windows"),
    "device:motion": later("Motion"),
    "device:pressed": later("Bells and buttons"),
    "room:away,room:back,room:offline,room:online-again": later("Rooms away and back"),
    "device:on,device:off,device:set": later("Switched and set"),
    "device:lock,device:unlock": later("Locked and unlocked"),
    "device:open,device:close,device:stop,device:press": later("Moved and opened"),
    "account:*,session:*,client:*": later("People and sign-ins"),
    "home:*,device:locked-out,device:lockout-lifted": later("Lockdowns and lock-outs"),
    "audit:*": later("Proof and record"),
}


def named(what: str) -> str:
    """A filter's `what` in words."""
    return say(KINDS[what]) if what in KINDS else plain(what, 80)
