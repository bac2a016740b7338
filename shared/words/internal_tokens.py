"""What gateways ask the auth service about API tokens over internal HTTPS: paths and bodies."""

from typing import Annotated

import msgspec

from shared.words.internal import Address, Password
from shared.words.internal_factors import OwnCode
from shared.words.messages import Moment
from shared.words.scopes import Allowed, Scope

TOKENS = "/internal/tokens"
TOKEN_USE = "/internal/tokens/use"  # noqa: S105 - an address
TokenName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class TokenWish(msgspec.Struct, frozen=True, kw_only=True):
    """POST TOKENS, answered by TokenMade: a token for whoever has the session `session`, and the `current` password.

    `code`: of their app, where they have a strong factor and did not show it within the last minutes.
    """

    session: str
    current: Password
    code: OwnCode = ""
    name: TokenName
    scope: Scope
    expires_at: Moment
    address: Address


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """One token in a list. `used_at`: when it was last used, to the minute; None: never."""

    id: str
    name: str
    scope: tuple[Allowed, ...]
    created_at: Moment
    expires_at: Moment
    used_at: Moment | None
    used_from: str


class TokenMade(msgspec.Struct, frozen=True, kw_only=True):
    """A new token: nobody can be told it again."""

    token: str
    row: TokenRow


class TokenRows(msgspec.Struct, frozen=True, kw_only=True):
    """GET TOKENS?user=ID: that user's live tokens, newest first.

    DELETE TOKENS/{id}?user=&by=&address= revokes one. POST TOKEN_USE takes a SessionToken, as SESSION does.
    """

    tokens: tuple[TokenRow, ...]
