"""Why nothing came of what was pending, in words: for the history and for letters."""

from typing import Final

ENDED: Final = {
    "nobody-agreed": "Nobody agreed within two minutes.",
    "missed": "It could not be done within five seconds of its time.",
    "gateway-lost": "The hub stopped in the middle of it.",
    "rights-changed": "Whoever wanted it may not do it any more.",
    "session-ended": "The session is over in which it was asked for.",
    "device-changed": "The device, or how it is confirmed, was changed.",
    "hub-restarted": "The hub was started anew.",
    "clock": "The hub's clock was set.",
}
"""By `reason` of `device:wish-dropped` and its like; a `lockdown` is in the catalogue of problems."""
