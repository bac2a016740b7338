"""What gateways ask the auth service about passkeys over internal HTTPS: paths and bodies.

Names within a credential are those of W3C WebAuthn 3, in which browsers write them.
"""

from typing import Annotated, Any, Literal

import msgspec

from shared.words.internal import Address, Password
from shared.words.internal_factors import FactorName, OwnCode
from shared.words.messages import Text

PASSKEY_BEGIN = "/internal/account/passkeys/begin"
PASSKEY_FINISH = "/internal/account/passkeys/finish"
LOGIN_CHALLENGE = "/internal/login/passkey/challenge"
LOGIN_PASSKEY = "/internal/login/passkey"

_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=1400)]
_Long = Annotated[str, msgspec.Meta(min_length=1, max_length=16_384)]


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """For what passkeys are good: the hub's first name, and the origins under which its pages are."""

    name: str
    origins: tuple[str, ...]


class CredentialAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What the authenticator says: of a passkey that was made an attestation, of one that is shown a signature."""

    client_data_json: _Long = msgspec.field(name="clientDataJSON")
    attestation_object: _Long | None = None
    authenticator_data: _Long | None = None
    signature: _Long | None = None
    user_handle: _Short | None = None


class Credential(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A passkey as a browser hands it over, bytes in base64url."""

    id: _Short
    raw_id: _Short
    type: Literal["public-key"]
    response: CredentialAnswer


class PasskeyBegin(msgspec.Struct, frozen=True, kw_only=True):
    """POST PASSKEY_BEGIN, answered by PasskeyBegun."""

    token: str
    current: Password
    code: OwnCode = ""
    name: FactorName = ""
    site: Site
    address: Address


class PasskeyBegun(msgspec.Struct, frozen=True, kw_only=True):
    """What `navigator.credentials.create` is given as `publicKey`; it counts with its answer, within ten minutes."""

    id: str
    options: dict[str, Any]


class PasskeyFinish(msgspec.Struct, frozen=True, kw_only=True):
    """POST PASSKEY_FINISH, answered by RecoveryCodes: the codes where this is the first factor, else none."""

    token: str
    id: Text
    credential: Credential
    site: Site
    address: Address


class ChallengeAsked(msgspec.Struct, frozen=True, kw_only=True):
    """POST LOGIN_CHALLENGE, answered by Challenge; `browser` is the pre-login cookie's id."""

    browser: Text
    site: Site


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """What `navigator.credentials.get` is given as `publicKey`: good once, for five minutes, in that browser."""

    options: dict[str, Any]


class PasskeyLogin(msgspec.Struct, frozen=True, kw_only=True):
    """POST LOGIN_PASSKEY, answered by LoginAnswer, or the problem sign-in-failed, always alike."""

    credential: Credential
    browser: Text
    site: Site
    address: Address
    agent: Text = ""
    own: bool = False
