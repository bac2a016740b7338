"""What gateways ask the auth service about one's own account over internal HTTPS: paths and bodies."""

import msgspec

from shared.words.internal import Address, Email, Password
from shared.words.internal_factors import OwnCode
from shared.words.messages import Moment, Text

PASSWORD = "/internal/account/password"  # noqa: S105 - an address
EMAIL = "/internal/account/email"
EMAIL_STATE = "/internal/account/email/state"


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


class EmailWish(msgspec.Struct, frozen=True, kw_only=True):
    """POST EMAIL, answered by EmailWanted: letters with a code go to the address that there is, and to this one.

    `token`, `current` and `code` as in PasswordChange.
    """

    token: str
    current: Password
    code: OwnCode = ""
    email: Email
    address: Address


class EmailWanted(msgspec.Struct, frozen=True, kw_only=True):
    """A change of address under way, in one session: which address, and until when both codes can be typed."""

    email: str
    expires_at: Moment


class EmailAsked(msgspec.Struct, frozen=True, kw_only=True):
    """POST EMAIL_STATE, answered by EmailState."""

    token: str


class EmailState(msgspec.Struct, frozen=True, kw_only=True):
    """What is under way in that session; `instead`: a strong factor does instead of the code at the former address."""

    wanted: EmailWanted | None
    instead: bool


class EmailConfirm(msgspec.Struct, frozen=True, kw_only=True):
    """PUT EMAIL, answered by LoginAnswer: every session of the user ends, and a new one begins for who asks.

    `old_code`, `new_code`: of the letters to the two addresses; `code`: of an app, or a recovery code, where
    `old_code` is left out and no strong factor was shown within the last minutes.
    """

    token: str
    old_code: OwnCode = ""
    new_code: OwnCode
    code: OwnCode = ""
    address: Address
    agent: Text = ""
