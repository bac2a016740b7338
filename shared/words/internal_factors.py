"""What gateways ask the auth service about one's own second factors over internal HTTPS: paths and bodies.

Each body has the token of the session that asks; what changes anything has the `current` password, too, and, where
there is a factor already, the `code` of an app or a recovery code.
"""

from typing import Annotated

import msgspec

from shared.words.internal import Address, Password
from shared.words.messages import Moment, Text

FACTORS = "/internal/account/factors"
FACTOR_BEGIN = "/internal/account/factors/begin"
FACTOR_CONFIRM = "/internal/account/factors/confirm"
FACTOR_REMOVE = "/internal/account/factors/remove"
RECOVERY = "/internal/account/factors/recovery"

FactorName = Annotated[str, msgspec.Meta(max_length=64)]
OwnCode = Annotated[str, msgspec.Meta(max_length=32)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class FactorsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """POST FACTORS, answered by Factors."""

    token: str


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticator app of somebody's."""

    id: str
    name: str
    kind: str = "totp"
    created_at: Moment
    used_at: Moment | None = None


class Factors(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has, and how many recovery codes were not used yet."""

    factors: tuple[Factor, ...]
    recovery_left: int


class FactorBegin(msgspec.Struct, frozen=True, kw_only=True):
    """POST FACTOR_BEGIN, answered by FactorBegun: it counts once its first code was typed, within ten minutes."""

    token: str
    current: Password
    code: OwnCode = ""
    name: FactorName = ""
    address: Address


class FactorBegun(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the app, once: the secret (base 32), and the same as the address that a QR code shows."""

    id: str
    secret: str
    uri: str


class FactorConfirm(msgspec.Struct, frozen=True, kw_only=True):
    """POST FACTOR_CONFIRM, answered by RecoveryCodes: the codes where this is the first factor, else none."""

    token: str
    id: Text
    code: Code
    address: Address


class RecoveryCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Shown once; each signs in once, in the place of an app's code."""

    codes: tuple[str, ...]


class FactorRemove(msgspec.Struct, frozen=True, kw_only=True):
    """POST FACTOR_REMOVE (204)."""

    token: str
    id: Text
    current: Password
    code: OwnCode = ""
    address: Address


class RecoveryAsked(msgspec.Struct, frozen=True, kw_only=True):
    """POST RECOVERY, answered by RecoveryCodes: ten others; the former are void."""

    token: str
    current: Password
    code: OwnCode = ""
    address: Address
