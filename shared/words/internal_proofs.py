"""What gateways ask the auth service over internal HTTPS where somebody who is signed in proves once more who they are,
and how devices ask for that: paths and bodies.
"""

from typing import Annotated

import msgspec

from shared.words.internal import Address
from shared.words.internal_passkeys import Credential, Site
from shared.words.names import ConfirmBy
from shared.words.pending import DelayMinutes

PROOF = "/internal/session/proof"
PROOF_CHALLENGE = "/internal/session/proof/challenge"
FACTOR_DEMAND = "/internal/account/factors/demand"
CONFIRM_BY = "/internal/registry/{room}/{device}/confirm-by"


class ProofChallengeAsked(msgspec.Struct, frozen=True, kw_only=True):
    """POST PROOF_CHALLENGE, answered by internal_passkeys.Challenge, which is good once, in that session."""

    token: str
    site: Site


class ProofShown(msgspec.Struct, frozen=True, kw_only=True):
    """POST PROOF, answered by LoginAnswer: the session goes on with another token.

    Either a `code` of an app (or a recovery code), or what a passkey answered.
    """

    token: str
    code: Annotated[str, msgspec.Meta(max_length=32)] = ""
    credential: Credential | None = None
    site: Site | None = None
    address: Address


class ConfirmByChange(msgspec.Struct, frozen=True, kw_only=True):
    """PUT CONFIRM_BY: what the master user, whose session this is, wants, answered by the RegisteredRoom.

    `delay_minutes` belongs to appointments; without it what stands does.
    """

    token: str
    confirm_by: ConfirmBy
    delay_minutes: DelayMinutes | None = None
    address: Address


class DemandState(msgspec.Struct, frozen=True, kw_only=True):
    """GET FACTOR_DEMAND: whether everyone has to have a strong factor, and who has none (ids)."""

    demanded: bool
    without: tuple[str, ...]


class DemandChange(msgspec.Struct, frozen=True, kw_only=True):
    """PUT FACTOR_DEMAND: what the master user, whose session this is, wants, answered by the DemandState."""

    token: str
    demanded: bool
    address: Address
