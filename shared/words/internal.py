"""What gateway and services say to one another over internal HTTPS: paths and bodies, one truth for both ends."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from shared.words.languages import Language
from shared.words.looks import NOTHING, HomeLook, OwnLooks
from shared.words.messages import DeviceDescription, Moment, Text
from shared.words.names import Action, ConfirmBy, Kind, Role
from shared.words.pending import DELAY_MINUTES, PendingWish
from shared.words.scopes import TokenUse

# auth service, for gateways
LOGIN_CODE = "/internal/login/code"
LOGIN = "/internal/login"
SESSION = "/internal/session"
SESSION_END = "/internal/session/end"
SESSIONS = "/internal/sessions"
USERS = "/internal/users"
REGISTRY = "/internal/registry"
ROOM_SEEN = "/internal/registry/room"
DEVICE = "/internal/registry/device"
LOCKDOWN = "/internal/lockdown"
LOCKDOWN_CODE = "/internal/lockdown/code"
MAIL_PATH = "/internal/login/mail"
# alert service, for gateways
AUDIT = "/internal/audit"
HEAD = "/internal/audit/head"
AUDIT_CHAIN = "/internal/audit/chain"
HAPPENINGS_LAST = "/internal/happenings/last"
READINGS = "/internal/readings"  # recorder, for gateways
READY = "/internal/ready"  # of every service

Email = Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
Address = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[0-9A-Fa-f:.]*(%[\w.-]+)?\Z")]
"""A caller's, as the gateway knows it; what stands in logs, record and letters is never whatever somebody wrote."""
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user as others may see one. `language` is the reader's own choice; without one it is the home's."""

    id: str
    name: str
    email: str
    role: Role
    language: Language | None = None


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a guest may do: one device, on which weekdays (0 is Monday), between which minutes of the day, from when on
    and until when. Hours that end before they begin go over midnight. `actions` None is all that the device does;
    without any one may look.
    """

    room: str
    device: str
    actions: tuple[Action, ...] | None = None
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    from_minute: int = 0
    to_minute: int = 1440
    since: Moment | None = None
    until: Moment | None = None


class Budget(msgspec.Struct, frozen=True):
    """So many of something in so many seconds."""

    most: int
    seconds: int


class Regulation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the gateway's `[limits]` grant an account: letters with a code, and wrong passwords before it is not heard.

    The auth service counts, which alone knows which passwords were right. Empty: without end.
    """

    letters: tuple[Budget, ...] = ()
    wrong_passwords: tuple[Budget, ...] = ()


class LoginCodeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Step 1: POST LOGIN_CODE, answered 202, alike for everyone. `browser` is the pre-login cookie's id.

    `known` is the gateway's id of a browser that opened the account before, "" for every other.
    """

    email: Email
    password: Password
    browser: Text
    address: Address
    known: Text = ""
    regulation: Regulation = Regulation()


class LoginRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Step 2: POST LOGIN, answered by LoginAnswer, or the problem sign-in-failed, always alike.

    `known`: as in step 1; the gateway holds a signed proof that this browser opened the account before. `own`: the
    browser is the person's own, so the session is a long one.
    """

    email: Email
    password: Password
    code: Annotated[str, msgspec.Meta(max_length=32)]
    browser: Text
    address: Address
    agent: Text = ""
    known: Text = ""
    own: bool = False
    regulation: Regulation = Regulation()


class MailPath(msgspec.Struct, frozen=True, kw_only=True):
    """GET MAIL_PATH: whether a letter with a code could go out just now, as far as that is known."""

    mail: Literal["works", "away", "unknown"] = "unknown"


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A live session, or use of an API token: whose it is and what they may. `id` is public, the token is not.

    `proved_until`: so long a strong factor that was shown in it counts for what asks for one; None where none was.
    `owes_factor`: everyone has to have a strong factor, and this person has none yet. `own`: how they look at the home.
    """

    id: str
    user: User
    grants: tuple[Grant, ...]
    expires_at: datetime
    token: TokenUse | None = None
    proved_until: datetime | None = None
    owes_factor: bool = False
    own: OwnLooks = NOTHING


class LoginAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A new session and its token, which only the browser's encrypted cookie ever holds."""

    token: str
    session: SessionInfo


class SessionToken(msgspec.Struct, frozen=True, kw_only=True):
    """POST SESSION: does it live (SessionInfo, or the problem sign-in-required)? POST SESSION_END ends it (204).

    Of one that ended the problem says why in `reason` (Ending), if that is known. `address`: from where it is used now.
    """

    token: str
    address: str = ""


Ending = Literal[
    "signed-out",
    "ended",
    "unused",
    "over",
    "password-changed",
    "email-changed",
    "role-changed",
    "disabled",
    "lockdown",
    "crowded",
    "renewed",
    "restored",
]
"""Why a session ended. "ended": from a list of sessions; "unused", "over": past how long it lives so, and at all;
"crowded": of too many the one unused for the longest; "renewed": it goes on with another token; "restored": the
home came back from a backup."""


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One session in a list."""

    id: str
    user_id: str
    created_at: Moment
    seen_at: Moment
    expires_at: Moment
    address: str
    agent: str
    own: bool = False


class SessionRows(msgspec.Struct, frozen=True, kw_only=True):
    """GET SESSIONS?user=ID: that user's live sessions, newest first.

    DELETE SESSIONS/{id}?user=&by=&address= ends one.
    """

    sessions: tuple[SessionRow, ...]


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    """One user in the master user's list."""

    user: User
    grants: tuple[Grant, ...]
    created_at: Moment
    signed_in_at: Moment | None
    disabled: bool = False

    @property
    def is_acting_master(self) -> bool:
        """A master user who may sign in: to whom letters about the house go."""
        return self.user.role is Role.MASTER and not self.disabled


class UserRows(msgspec.Struct, frozen=True, kw_only=True):
    """GET USERS."""

    users: tuple[UserRow, ...]


class RegisteredDevice(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub holds true about a device; where a room's word differs, the stricter stands.

    `locked_out`, `look`, `confirm_by` (at least), `delay_minutes` (of appointments): the master user's word; `name`,
    `confirm`: its room's.
    `safe_actions`: what counts as safe beyond what is so of its kind; None where nobody has noted it yet.
    """

    id: str
    name: str
    kind: Kind
    critical: bool
    confirm: bool
    locked_out: bool = False
    confirm_by: ConfirmBy = ConfirmBy.NONE
    delay_minutes: int = DELAY_MINUTES
    safe_actions: tuple[Action, ...] | None = None
    look: HomeLook = HomeLook()


class RegisteredRoom(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolled room and its devices. `name` is its own word, `look` the master user's."""

    id: str
    name: str
    devices: tuple[RegisteredDevice, ...]
    look: HomeLook = HomeLook()


class LockdownState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the home obeys safe actions only, and since when it does or does not; `at` is None before the first."""

    active: bool = False
    at: datetime | None = None


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """GET REGISTRY: every room that is enrolled and not revoked, and whether the home is locked down.

    `waiting`: of so many devices their rooms would loosen something. `pending`: what waits for its time or somebody.
    """

    rooms: tuple[RegisteredRoom, ...]
    lockdown: LockdownState = LockdownState()
    waiting: int = 0
    pending: tuple[PendingWish, ...] = ()


class RoomSeen(msgspec.Struct, frozen=True, kw_only=True):
    """PUT ROOM_SEEN/{room}: what a room's description says, answered by the RegisteredRoom that now stands."""

    name: Text
    devices: tuple[DeviceDescription, ...]


class LockoutChange(msgspec.Struct, frozen=True, kw_only=True):
    """PUT DEVICE/{room}/{device}/lockout: what the master user `by` (an id) wants, answered by the RegisteredRoom."""

    locked_out: bool
    by: Text
    address: Address


class LockdownCodeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """POST LOCKDOWN_CODE: mail whose session this is the code for what may be done next, beginning or ending (202)."""

    token: str
    address: Address


class LockdownChange(msgspec.Struct, frozen=True, kw_only=True):
    """PUT LOCKDOWN: what whose session this is wants, answered by the LockdownState that now stands.

    Beginning needs the code or the `password`, ending both.
    """

    token: str
    active: bool
    code: Annotated[str, msgspec.Meta(max_length=32)] = ""
    password: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    address: Address
