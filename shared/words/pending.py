"""What is pending at devices that do not act at once: how auth service and gateways tell one another, paths and bodies.

It waits for a second person, or for the time of an appointment (`due`).
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from shared.words.messages import Id, Moment, UserRef
from shared.words.names import Action, ConfirmBy

PRESS = "/internal/registry/{room}/{device}/pending"
PENDING = PRESS + "/{id}"
"""DELETE ?by=ID&address=: whoever that is will not have it done (204)."""
DUE = PENDING + "/due"
WENT = PENDING + "/went"

DELAY_MINUTES = 10
"""From a press to its appointment, where the master user chose no other."""
MOST_DELAY_MINUTES = 12 * 60
"""So that a time of day names one moment."""

DelayMinutes = Annotated[int, msgspec.Meta(ge=1, le=MOST_DELAY_MINUTES)]


class PendingWish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person wants of a device that does not act at once: it stands until `until`.

    `id` is the press's own; `value` belongs to `set`. `due`: when it is carried out, unless somebody vetoes it; None of
    what waits for a second person, and never acts by itself.
    """

    id: Id
    room: str
    device: str
    action: Action
    by: UserRef
    pressed_at: datetime
    until: datetime
    value: int | None = None
    due: datetime | None = None


class Press(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST PRESS: whose session this is presses, answered by Pressed.

    `late`: it was long ago; then only what an id of before came to is answered. `local` is the gateway's moment in the
    home's zone, by which guests' hours are judged. `agrees_to`: the id of what was shown as pending; without one it
    agrees to whatever is, and puts it up where nothing is. `confirm_by`: what the device was seen to ask for.
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
    confirm_by: ConfirmBy = ConfirmBy.TWO_PERSONS


class Pressed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a press. "pending": it stands, and waits. "agreed": `wish` was another person's and is taken away
    for this press to carry out, which nobody else will. "acted": this id agreed before, or was carried out at its time;
    nothing is to move again.
    """

    outcome: Literal["pending", "agreed", "acted"]
    wish: PendingWish | None = None


class CameDue(msgspec.Struct, frozen=True, kw_only=True):
    """POST DUE, of an appointment whose time has come: answered by the PendingWish, which is this gateway's alone to
    carry out. `local` is its moment in the home's zone.
    """

    local: Moment


class Went(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST WENT, by the gateway that was given it: nothing more is to be done about it (204).

    `reason`: why nothing was sent to the room; None where something was, of which the command's own record tells.
    """

    reason: Annotated[str, msgspec.Meta(max_length=64)] | None = None
