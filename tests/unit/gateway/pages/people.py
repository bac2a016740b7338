"""What the auth service of house.py knows of other people's accounts: invitations made, withdrawn and taken."""

import functools
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from deploy.pki import building, leaf
from shared.words import internal_joining
from shared.words.internal import LoginAnswer, User, UserRow
from shared.words.internal_account import EmailConfirm, EmailState, EmailWanted, EmailWish
from shared.words.internal_people import (
    Confirmed,
    InvitationRow,
    InvitationRows,
    InvitationTaken,
    Invite,
    Joined,
    ProfileChange,
    UserChange,
)
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.gateway import parts

PASSWORD = "a long password"
CODE = "ABCD-2345"


@functools.cache
def authority() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """Of whatever."""
    key, ends = ec.generate_private_key(ec.SECP256R1()), parts.NOW + timedelta(days=1)
    return key, building.authority(key, leaf.subject("anybody"), begins=parts.NOW, ends=ends, hosts=None)


def signed(csr: str) -> str:
    """A certificate (PEM) for the key of a request."""
    key = building.requested_key(csr.encode())
    return building.pem(building.certificate(leaf.client("tablet", "client"), key, authority(), parts.NOW, 1)).decode()


class FakePeople(parts.FakeAuth):
    """Invitations, by the master user's password."""

    def __init__(self) -> None:
        super().__init__()
        self.invited: list[Invite] = []
        self.invitation_rows: list[InvitationRow] = []
        self.withdrawn: list[tuple[str, str]] = []
        self.joined: list[InvitationTaken] = []
        self.machines: list[internal_joining.JoinWish] = []
        self.windows: list[internal_joining.WindowWish] = []
        self.user_changes: list[UserChange] = []
        self.erased: list[str] = []
        self.profiles: list[ProfileChange] = []
        self.people: list[UserRow] = []
        self.refuses: HomeError | None = None
        self.wishes: list[EmailWish] = []
        self.addresses_typed: list[EmailConfirm] = []
        self.wanted: EmailWanted | None = None
        self.instead = False

    @property
    def changes_of_people(self) -> int:
        """How many there were."""
        invitations = len(self.invited) + len(self.withdrawn) + len(self.joined)
        addresses = len(self.wishes) + len(self.addresses_typed)
        return invitations + addresses + len(self.user_changes) + len(self.erased) + len(self.profiles)

    async def change_user(self, user_id: str, wanted: UserChange) -> UserRow:
        self._confirm(wanted)
        self.user_changes.append(wanted)
        row = next(row for row in self.people if row.user.id == user_id)
        user = replace(row.user, name=wanted.name or row.user.name, role=wanted.role or row.user.role)
        return replace(row, user=user, disabled=row.disabled if wanted.disabled is None else wanted.disabled)

    async def erase_user(self, user_id: str, asked: Confirmed) -> None:
        self._confirm(asked)
        self.erased.append(user_id)

    async def change_profile(self, wanted: ProfileChange) -> User:
        if self.away:
            raise HomeError("auth-unreachable")
        self.profiles.append(wanted)
        return replace(self.sessions[wanted.token].user, name=wanted.name, language=wanted.language)

    async def begin_email(self, wish: EmailWish) -> EmailWanted:
        if self.away:
            raise HomeError("auth-unreachable")
        if wish.current != PASSWORD:
            raise HomeError("wrong-password")
        if "@" not in wish.email:
            detail = "The e-mail address is not of the form name@example.org."
            raise HomeError("invalid-value", detail, field="email")
        self.wishes.append(wish)
        self.wanted = EmailWanted(email=wish.email, expires_at=parts.NOW + timedelta(minutes=10))
        return self.wanted

    async def email_state(self, token: str) -> EmailState:
        if self.away:
            raise HomeError("auth-unreachable")
        return EmailState(wanted=self.wanted, instead=self.instead)

    async def confirm_email(self, typed: EmailConfirm) -> LoginAnswer:
        for field, code in (("old_code", typed.old_code), ("new_code", typed.new_code)):
            if code != CODE and not (self.instead and not code and field == "old_code"):
                raise HomeError("confirmation-failed", "Check the code.", field=field)
        self.addresses_typed.append(typed)
        info = self.sessions[typed.token]
        email = self.wanted.email if self.wanted is not None else "another@example.org"
        after = replace(info, id="s-after", user=replace(info.user, email=email))
        self.sessions = {token: one for token, one in self.sessions.items() if one.user.id != info.user.id}
        self.sessions["after"] = after
        return LoginAnswer(token="after", session=after)

    def _confirm(self, asked: Confirmed) -> None:
        if self.away:
            raise HomeError("auth-unreachable")
        if asked.current != PASSWORD:
            raise HomeError("wrong-password")
        if self.refuses is not None:
            raise self.refuses

    async def invite(self, wanted: Invite) -> InvitationRow:
        self._confirm(wanted)
        self.invited.append(wanted)
        row = InvitationRow(
            id="i1",
            email=wanted.email,
            name=wanted.name,
            role=wanted.role,
            language=wanted.language,
            by="Ada",
            created_at=parts.NOW,
            expires_at=parts.NOW + timedelta(hours=48),
            letter="waiting",
            spent=False,
        )
        self.invitation_rows.append(row)
        return row

    async def invitations(self) -> InvitationRows:
        if self.away:
            raise HomeError("auth-unreachable")
        return InvitationRows(invitations=tuple(self.invitation_rows))

    async def withdraw(self, invitation_id: str, *, by: str, address: str) -> None:
        assert address
        self.withdrawn.append((invitation_id, by))
        self.invitation_rows = [row for row in self.invitation_rows if row.id != invitation_id]

    async def open_window(self, wish: internal_joining.WindowWish) -> internal_joining.WindowOpened:
        if self.refuses is not None:
            raise self.refuses
        self.windows.append(wish)
        return internal_joining.WindowOpened(token="0" * 32, expires_at=parts.NOW + timedelta(minutes=10))

    async def join(self, wish: internal_joining.JoinWish) -> internal_joining.Joined:
        if self.refuses is not None:
            raise self.refuses
        self.machines.append(wish)
        return internal_joining.Joined(
            name=wish.name or "tablet",
            certificate=signed(wish.csr) if wish.kind == "phone" else "its own",
            authority=building.pem(authority()[1]).decode() if wish.kind == "phone" else "whom it believes",
            may=("hall/lamp",) if wish.kind == "client" else (),
        )

    async def take_invitation(self, asked: InvitationTaken) -> Joined:
        if self.away:
            raise HomeError("auth-unreachable")
        if asked.code != CODE:
            raise HomeError("confirmation-failed", "Check the code.", field="code")
        if len(asked.new) < 8:
            raise HomeError("invalid-value", "The password is too short.", field="new")
        self.joined.append(asked)
        return Joined(user=User(id=asked.id, name="Ben", email="ben@example.org", role=Role.MEMBER))
