"""How the hub's signer is asked: its socket, its orders and its answers, and a client for auth and the command.

One order and one answer a connection, each a line of JSON. Who asks is told by the kernel, not by the order.
"""

import socket
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from shared.trust import unix
from shared.words.problem import HomeError

SOCKET = Path("/run/homesystem-signer/signer.sock")
"""Where the signer listens, unless a home says otherwise."""
UNIT = "homesystem-signer"
MOST_BYTES = 65536
"""A line has no more: a list of granted devices is the longest part of one."""
_MOST_ANSWER_BYTES = 4 * 2**20
"""A line for each room and client of a large home."""
_SECONDS = 20.0

Role = Literal["room", "client", "service"]
Step = Literal["begin", "sign", "serve", "end"]
WebStep = Literal["begin", "serve", "end"]


class Phase(StrEnum):
    """How far an authority is followed by another: each phase has what the one before it has; the web's are two."""

    BELIEVED = "believed"
    """Both are believed, and the former signs."""
    SIGNING = "signing"
    """The one that follows signs for rooms, trusted clients and whatever of the hub calls others."""
    SERVING = "serving"
    """And for the broker and the other servers."""


Authority = Literal["device-ca", "web-ca"]


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="order"):
    """What the signer is told; one with a part that it does not know is refused."""


class Sign(Order, frozen=True, tag="sign", omit_defaults=True):
    """Sign a certificate for the key of `csr` (PKCS #10, PEM), which gives the key and nothing else.

    `hosts`, `serves` and `authority` are for the hub's own certificates. `former`: while an authority follows another,
    for a holder that cannot learn to believe it by itself yet.
    """

    name: str
    role: Role | None
    csr: str
    hosts: tuple[str, ...] = ()
    serves: bool = False
    authority: Authority = "device-ca"
    former: bool = False


class Found(Order, frozen=True, tag="found"):
    """Make the authorities that are missing; `hosts` are the names and addresses that the web's may vouch for.

    The first of them is the hub's name; `former` are those that browsers may still use. `broker_port` is where the
    broker listens on this machine.
    """

    hosts: tuple[str, ...]
    broker_port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    former: tuple[str, ...] = ()


class Show(Order, frozen=True, tag="show"):
    """Show an authority's own certificate, of the web's that for `hosts`, or the revocation lists, signed anew.

    While an authority follows another it is the certificates of both, that which signs (for rooms) first; `voucher` is
    the former device authority's word for the key of the other, and empty at any other time.
    """

    what: Literal["device-ca", "web-ca", "crl", "voucher"]
    hosts: tuple[str, ...] = ()


class Revoke(Order, frozen=True, tag="revoke"):
    """Put a name's certificates on the revocation list; its name is never signed again.

    With `replaced` the newest stays good, and the name. With `awaits` the name alone stays, for another machine.
    """

    name: str
    replaced: bool = False
    awaits: bool = False


class Grant(Order, frozen=True, tag="grant"):
    """Give an identity its rights at the broker: a client's to the devices in `may`, or a room's to speak of those."""

    name: str
    role: Literal["room", "client"]
    may: tuple[tuple[str, str], ...] = ()


class Withdraw(Order, frozen=True, tag="withdraw"):
    """Take every right at the broker from a room or a client, and drop its connection."""

    name: str


class Refresh(Order, frozen=True, tag="refresh"):
    """Give the hub's own identities and the rooms what this version means them to have at the broker."""


class Look(Order, frozen=True, tag="look"):
    """Show what an identity has at the broker."""

    name: str


class Ends(Order, frozen=True, tag="ends"):
    """Tell when the newest certificate of each name ends, and the authorities."""


class Rotate(Order, frozen=True, tag="rotate"):
    """Take a step towards the device authority that follows, each after the one before; to take one again is nothing.

    `begin` makes it, `sign` and `serve` have it sign, `end` ends the former one and destroys its key.
    """

    step: Step


class Follow(Order, frozen=True, tag="follow"):
    """Tell how far the device authority is followed by another."""


class RotateWeb(Order, frozen=True, tag="rotate-web"):
    """As `Rotate`, towards the web authority that follows the one for `hosts`, under the same names.

    `begin` notes when the hub is to change over, and may be given again with another moment; `serve` changes over.
    """

    step: WebStep
    hosts: tuple[str, ...]
    changes_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class FollowWeb(Order, frozen=True, tag="follow-web"):
    """Tell how far the web authority for `hosts` is followed by another."""

    hosts: tuple[str, ...]


class Drop(Order, frozen=True, tag="drop"):
    """Drop the connection of a room or a client, which keeps its rights, and may come back if it is let in."""

    name: str


AnyOrder = (
    Sign
    | Found
    | Show
    | Revoke
    | Grant
    | Withdraw
    | Refresh
    | Look
    | Ends
    | Rotate
    | Follow
    | RotateWeb
    | FollowWeb
    | Drop
)


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer"):
    """What the signer says."""


class Pem(Answer, frozen=True, tag="pem"):
    """A certificate or a list."""

    pem: str


class Changed(Answer, frozen=True, tag="changed"):
    """Whose rights, or how many certificates, were changed."""

    names: tuple[str, ...] = ()
    count: int = 0


class Seen(Answer, frozen=True, tag="seen"):
    """What an identity has at the broker: the role of its name, and what it is bound to; None where there is none."""

    right: dict[str, Any] | None
    roles: tuple[str, ...] | None
    disabled: bool
    connections: int


class End(msgspec.Struct, frozen=True, kw_only=True):
    """When one certificate ends. `role` is `authority` for an authority."""

    name: str
    role: str
    at: datetime


class Ending(Answer, frozen=True, tag="ending"):
    """The ends, by name."""

    ends: tuple[End, ...]


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A room or client that has a certificate of the former authority, which is good until `until`.

    `serials` (hex) are those that it has of the one that follows.
    """

    name: str
    role: str
    until: datetime
    serials: tuple[str, ...] = ()


class Following(Answer, frozen=True, tag="following"):
    """How far it has come, since when, when the former authority ends by itself, and who has a certificate of it.

    `phase` is None where none follows; then `ends` is the end of the one that there is.
    """

    phase: Phase | None
    ends: datetime
    since: datetime | None = None
    holders: tuple[Holder, ...] = ()


class WebFollowing(Answer, frozen=True, tag="web-following"):
    """As `Following`, of the web authority; `pem` is the certificate of the one that follows."""

    phase: Phase | None
    ends: datetime
    since: datetime | None = None
    changes_at: datetime | None = None
    pem: str = ""


class Refused(Answer, frozen=True, tag="refused"):
    """The order is not obeyed: a slug of shared.words.problem, and a sentence."""

    slug: str
    detail: str


A = TypeVar("A", bound=Answer)
_answers = msgspec.json.Decoder(Pem | Changed | Seen | Ending | Following | WebFollowing | Refused)


def ask(path: Path, order: AnyOrder, kind: type[A]) -> A:
    """One order to the signer at `path`, and its answer; blocks for up to 20 s.

    Raises HomeError: what the signer says, or "signer-unreachable".
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
            connection.settimeout(_SECONDS)
            with unix.address(path) as place:
                connection.connect(place)
            connection.sendall(msgspec.json.encode(order) + b"\n")
            line = _line(connection)
    except OSError as error:
        raise HomeError("signer-unreachable", f"The signer cannot be reached at {path} ({error}).") from error
    try:
        answer = _answers.decode(line)
    except msgspec.DecodeError as error:
        raise HomeError("signer-unreachable", f"The signer at {path} does not speak our language: {error}.") from error
    if isinstance(answer, Refused):
        raise HomeError(answer.slug, answer.detail)
    if not isinstance(answer, kind):
        raise HomeError("signer-unreachable", f"The signer at {path} answered something else than was asked.")
    return answer


def _line(connection: socket.socket) -> bytes:
    found = b""
    while not found.endswith(b"\n"):
        part = connection.recv(16384)
        if not part:
            raise OSError("it hung up without an answer")
        found += part
        if len(found) > _MOST_ANSWER_BYTES:
            raise OSError("its answer has no end")
    return found
