"""One command as the gateway sees it, pure: permitted and valid, before anything is done about it."""

from datetime import datetime

import msgspec

from gateway.picture.devices import Device
from shared.words.messages import UserRef
from shared.words.names import Action

Fingerprint = tuple[str, str, str, int | None]
"""Room, device, action and value."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One command, permitted and valid: who wants what of which device, and since when.

    `issued_at` is in seconds since 1970: when it was pressed, as far as we were told, or when it arrived. `token`:
    the name of the API token by which a program asked for the person. `partner`: who wanted it first, where it takes
    two. `due`: it was an appointment, and that was its time. `recall`: its id was used before, so that the room is
    only asked how that ended.
    """

    id: str
    user: UserRef
    device: Device
    action: Action
    value: int | None
    origin: str
    issued_at: float
    token: str = ""
    partner: UserRef | None = None
    due: datetime | None = None
    recall: bool = False

    @property
    def safe(self) -> bool:
        """Whether it makes things safer, so that nothing may hold it up."""
        return self.action in self.device.safe_actions

    @property
    def fingerprint(self) -> Fingerprint:
        """What a repeat of its id must agree in."""
        return (self.device.room, self.device.id, self.action, self.value)
