"""What one can ask the history for, by kind: the words of the filter, each with what it asks the alert service for."""

from typing import Final

from gateway.picture.plain import plain

KINDS: Final = {
    "acts": "Acts",
    "happenings": "All that merely happened",
    "device:opened,device:closed": "Doors and windows",
    "device:motion": "Motion",
    "device:pressed": "Bells and buttons",
    "room:away,room:back,room:offline,room:online-again": "Rooms away and back",
    "device:on,device:off,device:set": "Switched and set",
    "device:lock,device:unlock": "Locked and unlocked",
    "device:open,device:close,device:stop,device:press": "Moved and opened",
    "account:*,session:*,client:*": "People and sign-ins",
    "home:*,device:locked-out,device:lockout-lifted": "Lockdowns and lock-outs",
    "audit:*": "Proof and record",
}


def named(what: str) -> str:
    """A filter's `what` in words."""
    return KINDS.get(what, plain(what, 80))
