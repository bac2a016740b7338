"""What gateways ask the auth service about guests' grants over internal HTTPS: path and bodies."""

import msgspec

from shared.words.internal import Address, Grant
from shared.words.messages import Text

GRANTS = "/internal/users/{user}/grants"


class GrantsChange(msgspec.Struct, frozen=True, kw_only=True):
    """PUT GRANTS: exactly these from now on, as the master user `by` (an id) wants; answered by the user's UserRow.

    `instead_of`: what stood when this was thought up; where something else stands by now nothing is changed.
    """

    grants: tuple[Grant, ...]
    by: Text
    address: Address
    instead_of: tuple[Grant, ...] | None = None
