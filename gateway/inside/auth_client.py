"""What the gateway asks of the auth service: sign-ins, sessions, users and the registry.

Every call raises HomeError: the service's own problem, or "auth-unreachable".
"""

from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import msgspec

from shared.door.client import AuthAddress, ServiceClient
from shared.trust import tls
from shared.words import (
    internal,
    internal_account,
    internal_factors,
    internal_grants,
    internal_house,
    internal_joining,
    internal_looks,
    internal_passkeys,
    internal_people,
    internal_proofs,
    internal_room_file,
    internal_tokens,
    internal_waiting,
    pending,
)
from shared.words.scopes import is_token

T = TypeVar("T")
PASSWORD_SECONDS: Final = 30.0
"""Some seconds where `bcrypt_rounds` is as high as it may be or the hub busy, and up to 64 may be checked before it."""


class AuthClient:
    """The auth service over HTTPS with mutual certificates. Use as an async context manager."""

    def __init__(self, address: AuthAddress, identity: tls.Identity) -> None:
        self._service = ServiceClient(address, identity, absent="auth-unreachable")

    async def __aenter__(self) -> Self:
        await self._service.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._service.__aexit__()

    async def _checked(self, method: str, path: str, answer: type[T], body: msgspec.Struct) -> T:
        """A call that bears a password: checking it takes its time, and others' may be checked before it."""
        return await self._service.call(method, path, answer, body, seconds=PASSWORD_SECONDS)

    async def ask_code(self, request: internal.LoginCodeRequest) -> None:
        """Have a confirmation code mailed, if account and password fit; nothing tells whether they did."""
        await self._service.call("POST", internal.LOGIN_CODE, type(None), request)

    async def mail_path(self) -> internal.MailPath:
        """Whether a letter with a code could go out just now."""
        return await self._service.call("GET", internal.MAIL_PATH, internal.MailPath)

    async def sign_in(self, request: internal.LoginRequest) -> internal.LoginAnswer:
        """Open a session. Raises sign-in-failed, always alike."""
        return await self._checked("POST", internal.LOGIN, internal.LoginAnswer, request)

    async def change_password(self, wanted: internal_account.PasswordChange) -> internal.LoginAnswer:
        """Another password, and a new session in place of all. Raises the service's own problems."""
        return await self._checked("POST", internal_account.PASSWORD, internal.LoginAnswer, wanted)

    async def begin_email(self, wish: internal_account.EmailWish) -> internal_account.EmailWanted:
        """Have codes mailed to the address that there is and to the one that is wanted. Raises the service's own."""
        return await self._checked("POST", internal_account.EMAIL, internal_account.EmailWanted, wish)

    async def email_state(self, token: str) -> internal_account.EmailState:
        """What change of address is under way in that session. Raises sign-in-required."""
        asked = internal_account.EmailAsked(token=token)
        return await self._service.call("POST", internal_account.EMAIL_STATE, internal_account.EmailState, asked)

    async def confirm_email(self, typed: internal_account.EmailConfirm) -> internal.LoginAnswer:
        """Another address, and a new session in place of all. Raises the service's own problems."""
        return await self._service.call("PUT", internal_account.EMAIL, internal.LoginAnswer, typed)

    async def factors(self, token: str) -> internal_factors.Factors:
        """The authenticator apps of whose session this is."""
        asked = internal_factors.FactorsAsked(token=token)
        return await self._service.call("POST", internal_factors.FACTORS, internal_factors.Factors, asked)

    async def begin_factor(self, asked: internal_factors.FactorBegin) -> internal_factors.FactorBegun:
        """A new app's secret, once. Raises the service's own problems, as do the next three."""
        return await self._checked("POST", internal_factors.FACTOR_BEGIN, internal_factors.FactorBegun, asked)

    async def confirm_factor(self, asked: internal_factors.FactorConfirm) -> internal_factors.RecoveryCodes:
        """Its first code; recovery codes where it is the first factor."""
        return await self._service.call("POST", internal_factors.FACTOR_CONFIRM, internal_factors.RecoveryCodes, asked)

    async def remove_factor(self, asked: internal_factors.FactorRemove) -> None:
        """Take one away."""
        await self._checked("POST", internal_factors.FACTOR_REMOVE, type(None), asked)

    async def renew_recovery(self, asked: internal_factors.RecoveryAsked) -> internal_factors.RecoveryCodes:
        """Ten other recovery codes."""
        return await self._checked("POST", internal_factors.RECOVERY, internal_factors.RecoveryCodes, asked)

    async def verify(self, token: str, address: str = "") -> internal.SessionInfo:
        """Whose live session, or API token, `token` is, used from `address`. Raises sign-in-required."""
        body = internal.SessionToken(token=token, address=address)
        path = internal_tokens.TOKEN_USE if is_token(token) else internal.SESSION
        return await self._service.call("POST", path, internal.SessionInfo, body)

    async def make_token(self, wanted: internal_tokens.TokenWish) -> internal_tokens.TokenMade:
        """A new API token. Raises sign-in-required, invalid-value or no-proof."""
        return await self._checked("POST", internal_tokens.TOKENS, internal_tokens.TokenMade, wanted)

    async def tokens(self, user_id: str) -> internal_tokens.TokenRows:
        """A user's live API tokens, newest first."""
        query = {"user": user_id}
        return await self._service.call("GET", internal_tokens.TOKENS, internal_tokens.TokenRows, query=query)

    async def revoke_token(self, token_id: str, *, user: str, address: str) -> None:
        """Revoke an API token of the user's. Raises not-found."""
        path = f"{internal_tokens.TOKENS}/{quote(token_id, safe='')}"
        await self._service.call("DELETE", path, type(None), query={"user": user, "address": address})

    async def sign_out(self, token: str) -> None:
        """End a session."""
        await self._service.call("POST", internal.SESSION_END, type(None), internal.SessionToken(token=token))

    async def sessions(self, user_id: str) -> internal.SessionRows:
        """A user's live sessions, newest first."""
        return await self._service.call("GET", internal.SESSIONS, internal.SessionRows, query={"user": user_id})

    async def end_session(self, session_id: str, *, user: str, by: str, address: str) -> None:
        """End a session from a list. `user` must own it, or is empty where the master user `by` ends anyone's."""
        path = f"{internal.SESSIONS}/{quote(session_id, safe='')}"
        await self._service.call("DELETE", path, type(None), query={"user": user, "by": by, "address": address})

    async def begin_passkey(self, asked: internal_passkeys.PasskeyBegin) -> internal_passkeys.PasskeyBegun:
        """What a browser is to make. Raises the service's own problems."""
        return await self._checked("POST", internal_passkeys.PASSKEY_BEGIN, internal_passkeys.PasskeyBegun, asked)

    async def finish_passkey(self, asked: internal_passkeys.PasskeyFinish) -> internal_factors.RecoveryCodes:
        """It is made; recovery codes where it is the first factor."""
        return await self._service.call("POST", internal_passkeys.PASSKEY_FINISH, internal_factors.RecoveryCodes, asked)

    async def challenge(self, asked: internal_passkeys.ChallengeAsked) -> internal_passkeys.Challenge:
        """What a passkey must answer to sign in."""
        return await self._service.call("POST", internal_passkeys.LOGIN_CHALLENGE, internal_passkeys.Challenge, asked)

    async def sign_in_by_passkey(self, request: internal_passkeys.PasskeyLogin) -> internal.LoginAnswer:
        """Open a session. Raises sign-in-failed, always alike."""
        return await self._service.call("POST", internal_passkeys.LOGIN_PASSKEY, internal.LoginAnswer, request)

    async def ask_proof(self, asked: internal_proofs.ProofChallengeAsked) -> internal_passkeys.Challenge:
        """What a passkey must answer to prove who is signed in."""
        return await self._service.call("POST", internal_proofs.PROOF_CHALLENGE, internal_passkeys.Challenge, asked)

    async def prove(self, shown: internal_proofs.ProofShown) -> internal.LoginAnswer:
        """The session goes on, proved, with another token. Raises the service's own problems."""
        return await self._service.call("POST", internal_proofs.PROOF, internal.LoginAnswer, shown)

    async def factor_demand(self) -> internal_proofs.DemandState:
        """Whether everyone has to have a strong factor, and who has none."""
        return await self._service.call("GET", internal_proofs.FACTOR_DEMAND, internal_proofs.DemandState)

    async def demand_factor(self, wanted: internal_proofs.DemandChange) -> internal_proofs.DemandState:
        """That everyone has to, or not any more. Raises the service's own problems."""
        return await self._service.call("PUT", internal_proofs.FACTOR_DEMAND, internal_proofs.DemandState, wanted)

    async def confirm_by(
        self, room: str, device: str, wanted: internal_proofs.ConfirmByChange
    ) -> internal.RegisteredRoom:
        """How a device is confirmed; the answer is its room as it now stands. Raises the service's own problems."""
        path = internal_proofs.CONFIRM_BY.format(room=quote(room, safe=""), device=quote(device, safe=""))
        return await self._service.call("PUT", path, internal.RegisteredRoom, wanted)

    async def press(self, room: str, device: str, press: pending.Press) -> pending.Pressed:
        """One person's press at a device that does not act at once. Raises the service's own problems."""
        path = pending.PRESS.format(room=quote(room, safe=""), device=quote(device, safe=""))
        return await self._service.call("POST", path, pending.Pressed, press)

    async def came_due(self, wish: pending.PendingWish, told: pending.CameDue) -> pending.PendingWish:
        """An appointment's time has come: the answer is ours alone to carry out. Raises wish-over."""
        path = _pending(pending.DUE, wish.room, wish.device, wish.id)
        return await self._service.call("POST", path, pending.PendingWish, told)

    async def went(self, wish: pending.PendingWish, told: pending.Went) -> None:
        """What we were given is over."""
        await self._service.call("POST", _pending(pending.WENT, wish.room, wish.device, wish.id), type(None), told)

    async def take_back(self, room: str, device: str, wish: str, *, by: str, address: str) -> None:
        """Whoever `by` is will not have it done. Raises forbidden, wish-over or no-proof."""
        path = _pending(pending.PENDING, room, device, wish)
        await self._service.call("DELETE", path, type(None), query={"by": by, "address": address})

    async def change_look(
        self, path: str, wanted: internal_looks.LookChange[Any], *, room: str = "", device: str = ""
    ) -> None:
        """How the home is looked at; `path` is one of internal_looks. Raises the service's own problems."""
        path = path.format(room=quote(room, safe=""), device=quote(device, safe=""))
        await self._service.call("PUT", path, type(None), wanted)

    async def users(self) -> internal.UserRows:
        """Every user, for the master user's list."""
        return await self._service.call("GET", internal.USERS, internal.UserRows)

    async def change_grants(self, user_id: str, wanted: internal_grants.GrantsChange) -> internal.UserRow:
        """Replace a guest's grants; the answer is what now stands. Raises the service's own problems."""
        path = internal_grants.GRANTS.format(user=quote(user_id, safe=""))
        return await self._service.call("PUT", path, internal.UserRow, wanted)

    async def change_user(self, user_id: str, wanted: internal_people.UserChange) -> internal.UserRow:
        """Change somebody's account; the answer is what now stands. Raises the service's own problems."""
        path = internal_people.USER.format(user=quote(user_id, safe=""))
        return await self._checked("PUT", path, internal.UserRow, wanted)

    async def erase_user(self, user_id: str, asked: internal_people.Confirmed) -> None:
        """Have somebody's account be no more."""
        path = internal_people.USER_ERASED.format(user=quote(user_id, safe=""))
        await self._checked("POST", path, type(None), asked)

    async def change_profile(self, wanted: internal_people.ProfileChange) -> internal.User:
        """One's own name and language. Raises sign-in-required, invalid-value or no-proof."""
        return await self._service.call("PUT", internal_people.PROFILE, internal.User, wanted)

    async def invite(self, wanted: internal_people.Invite) -> internal_people.InvitationRow:
        """Have somebody invited by letter. Raises the service's own problems."""
        return await self._checked("POST", internal_people.INVITATIONS, internal_people.InvitationRow, wanted)

    async def invitations(self) -> internal_people.InvitationRows:
        """Those that may still be taken."""
        return await self._service.call("GET", internal_people.INVITATIONS, internal_people.InvitationRows)

    async def withdraw(self, invitation_id: str, *, by: str, address: str) -> None:
        """Take an invitation back. Raises forbidden, not-found or no-proof."""
        path = f"{internal_people.INVITATIONS}/{quote(invitation_id, safe='')}"
        await self._service.call("DELETE", path, type(None), query={"by": by, "address": address})

    async def take_invitation(self, asked: internal_people.InvitationTaken) -> internal_people.Joined:
        """Become a user. Raises confirmation-failed, always alike, invalid-value or no-proof."""
        return await self._checked("POST", internal_people.INVITATION_TAKEN, internal_people.Joined, asked)

    async def join(self, wish: internal_joining.JoinWish) -> internal_joining.Joined:
        """A machine becomes a room or a client. Raises join-refused, and the service's own problems."""
        return await self._service.call("POST", internal_joining.JOIN, internal_joining.Joined, wish, seconds=30.0)

    async def open_window(self, wish: internal_joining.WindowWish) -> internal_joining.WindowOpened:
        """A new room or client may join. Raises the service's own problems."""
        return await self._service.call("POST", internal_joining.WINDOWS, internal_joining.WindowOpened, wish)

    async def ping(self) -> None:
        """Have it say that it could do its work."""
        await self._service.call("GET", internal.READY, dict)

    async def registry(self) -> internal.Registry:
        """Every room that is enrolled and not revoked."""
        return await self._service.call("GET", internal.REGISTRY, internal.Registry)

    async def room_seen(self, room: str, seen: internal.RoomSeen) -> internal.RegisteredRoom:
        """Tell what a room says of itself; the answer is what now stands."""
        path = f"{internal.ROOM_SEEN}/{quote(room, safe='')}"
        return await self._service.call("PUT", path, internal.RegisteredRoom, seen)

    async def house(self) -> internal_house.HouseKept:
        """How the house is kept, as far as it knows."""
        return await self._service.call("GET", internal_house.HOUSE, internal_house.HouseKept)

    async def waiting(self) -> internal_waiting.WaitingDevices:
        """What rooms would loosen and the master user has not decided."""
        return await self._service.call("GET", internal_waiting.WAITING, internal_waiting.WaitingDevices)

    async def decide(self, room: str, device: str, wanted: internal_waiting.WaitingDecision) -> internal.RegisteredRoom:
        """The master user's word about one device; the answer is what now stands. Raises the service's own problems."""
        path = f"{internal_waiting.WAITING}/{quote(room, safe='')}/{quote(device, safe='')}"
        return await self._service.call("POST", path, internal.RegisteredRoom, wanted)

    async def set_room_file(self, room: str, wanted: internal_room_file.FileChange) -> internal_room_file.FileSent:
        """Have a room sent other devices for its file. Raises the service's own problems."""
        path = internal_room_file.ROOM_FILE.format(room=quote(room, safe=""))
        return await self._service.call("PUT", path, internal_room_file.FileSent, wanted)

    async def ask_lockdown_code(self, request: internal.LockdownCodeRequest) -> None:
        """Have the code for what can be done next mailed. Raises sign-in-required or forbidden."""
        await self._service.call("POST", internal.LOCKDOWN_CODE, type(None), request)

    async def lock_down(self, wanted: internal.LockdownChange) -> internal.LockdownState:
        """Begin a lockdown, or end it; the answer is what now stands. Raises the service's own problems."""
        return await self._checked("PUT", internal.LOCKDOWN, internal.LockdownState, wanted)

    async def lock_out(self, room: str, device: str, wanted: internal.LockoutChange) -> internal.RegisteredRoom:
        """Lock a device out, or lift that; the answer is what now stands. Raises the service's own problems."""
        path = f"{internal.DEVICE}/{quote(room, safe='')}/{quote(device, safe='')}/lockout"
        return await self._service.call("PUT", path, internal.RegisteredRoom, wanted)


def _pending(path: str, room: str, device: str, wish: str) -> str:
    return path.format(room=quote(room, safe=""), device=quote(device, safe=""), id=quote(wish, safe=""))
