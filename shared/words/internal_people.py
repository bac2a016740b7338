"""What gateways ask the auth service about other people's accounts over internal HTTPS: paths and bodies."""

from typing import Annotated, Literal

import msgspec

from shared.words.internal import Address, Email, Password, User
from shared.words.internal_factors import OwnCode
from shared.words.languages import Language
from shared.words.messages import Moment
from shared.words.names import Role

USER = "/internal/users/{user}"
USER_ERASED = "/internal/users/{user}/erased"
PROFILE = "/internal/account/profile"
INVITATIONS = "/internal/invitations"
INVITATION_TAKEN = "/internal/invitations/taken"

Name = Annotated[str, msgspec.Meta(max_length=64)]
Letter = Literal["waiting", "sent", "refused"]
"""What became of an invitation's letter: on its way still, taken by the mail server, or refused by it for good."""


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """What every change of somebody else's account begins with: the master user whose session this is.

    `current`: the password that they have; `code`: of an app, or a recovery code, where they have a strong factor.
    """

    token: str
    current: Password
    code: OwnCode = ""
    address: Address


class Invite(Confirmed, frozen=True, kw_only=True):
    """POST INVITATIONS, answered by InvitationRow: somebody is invited.

    `home`: where the pages are, such as "https://home.example:8443", for the letter's link.
    """

    email: Email
    name: Name
    role: Role
    language: Language | None = None
    home: Annotated[str, msgspec.Meta(max_length=300, pattern=r"^https://[^\s/]+\Z")]


class InvitationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One invitation in a list; no secret. `by`: who invited. `spent`: after too many wrong codes none is right."""

    id: str
    email: str
    name: str
    role: Role
    language: Language | None
    by: str
    created_at: Moment
    expires_at: Moment
    letter: Letter
    spent: bool


class InvitationRows(msgspec.Struct, frozen=True, kw_only=True):
    """GET INVITATIONS: those that may still be taken, newest first.

    DELETE INVITATIONS/{id}?by=&address= withdraws one.
    """

    invitations: tuple[InvitationRow, ...]


class InvitationTaken(msgspec.Struct, frozen=True, kw_only=True):
    """POST INVITATION_TAKEN, answered by Joined: the code of the letter, and a password of one's own."""

    id: Annotated[str, msgspec.Meta(max_length=64)]
    code: Annotated[str, msgspec.Meta(max_length=32)]
    new: Password
    address: Address


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """Whose account it is now."""

    user: User


class UserChange(Confirmed, frozen=True, kw_only=True):
    """PUT USER, answered by the UserRow that now stands: what a master user changes; None stays as it is.

    POST USER_ERASED takes a Confirmed.
    """

    name: Name | None = None
    role: Role | None = None
    disabled: bool | None = None


class ProfileChange(msgspec.Struct, frozen=True, kw_only=True):
    """PUT PROFILE, answered by the User: how whose session this is wants to be called and spoken to.

    `language` None: the home's.
    """

    token: str
    name: Name
    language: Language | None
    address: Address
