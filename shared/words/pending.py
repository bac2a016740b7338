"""What waits for a second person: how auth service and gateways tell one another of it, paths and bodies."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from shared.words.messages import Id, Moment, UserRef
from shared.words.names import Action

PRESS = "/internal/registry/{room}/{device}/pending"
PENDING = PRESS + "/{id}"
"""DELETE ?by=ID&address=: whoever that is will not have it done (204)."""


class PendingWish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person wants of a device that asks for two persons: it stands until `until`, and never acts by itself.

    `id` is the press's own; `value` belongs to `set`.
    """

    id: Id
    room: str
    device: str
    action: Action
    by: UserRef
    pressed_at: datetime
    until: datetime
    value: int | None = None


class Press(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST PRESS: whose session this is presses, answered by Pressed.

    `late`: it was long ago; then only what an id of before came to is answered. `local` is the gateway's moment in the
    home's zone, by which guests' hours are judged. `agrees_to`: the id of what was shown as pending; without one it
    agrees to whatever is, and puts it up where nothing is.
    """

    token: str
    id: Id
    action: Action
    pressed_at: Moment
    local: Moment
    address: Annotated[str, msgspec.Meta(max_length=64)]
    late: bool = False
    value: int | None = None
    agrees_to: Id | None = None


class Pressed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a press. "pending": it stands, and waits. "agreed": `wish` was another person's and is taken away
    for this press to carry out, which nobody else will. "acted": this id agreed before; nothing is to move again.
    """

    outcome: Literal["pending", "agreed", "acted"]
    wish: PendingWish | None = None
