"""What gateways ask the auth service about one's own account over internal HTTPS: paths and bodies."""

import msgspec

from shared.words.internal import Address, Password
from shared.words.internal_factors import OwnCode
from shared.words.messages import Text

PASSWORD = "/internal/account/password"  # noqa: S105 - an address


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True):
    """POST PASSWORD, answered by LoginAnswer: every session of the user ends, and a new one begins for who asks.

    `token`: whose session this is; `current`: the password that they have; `code`: of their app, where they
    have a strong factor and did not show it within the last minutes; `agent`: their browser.
    """

    token: str
    current: Password
    code: OwnCode = ""
    new: Password
    address: Address
    agent: Text = ""
