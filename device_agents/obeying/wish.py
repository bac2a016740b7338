"""One command as the agent sees it, pure: who wants what of which device, and what is written down about it."""

from typing import NamedTuple

import msgspec

from device_agents.config import DeviceConfig
from device_agents.ids import made_id
from device_agents.ledger import parties
from shared.words.messages import Acknowledgement, AuditEvent, Command, Id, State, Who, utc
from shared.words.names import ACTIONS, FULL, SAFE_ACTIONS, Action, Outcome, Severity, is_gateway
from shared.words.problem import HomeError

SECURITY_SLUGS = frozenset({"retained", "id-reused"})
"""Refusals that nobody causes by accident."""
_DETAIL_CHARACTERS = 200
_NO_COMMAND = ("JSON is malformed", "Input data was truncated", "Expected `object`")
"""How msgspec begins where the whole is none of ours."""
_EXPIRED = frozenset({"expired"})
_FAILED = frozenset({"pin-failed", "ledger-failed", "no-proof", "interrupted"})


class Wish(NamedTuple):
    """A command with its issuer, which the broker vouches for, and its id, made here where the issuer gave none.

    `button` names the input of this room whose own wish it is; its issuer is the room.
    """

    room: str
    device: str
    issuer: str
    id: str
    command: Command
    critical: bool
    button: str = ""

    @property
    def party(self) -> str:
        """Who chose its id."""
        return parties.party(self.issuer, self.command.user)

    @property
    def fingerprint(self) -> str:
        """What tells it from another command with the same id."""
        user = self.command.user.id if self.command.user is not None else ""
        return f"{self.device} {self.command.action} {self.command.value} {user}"

    @property
    def audited(self) -> bool:
        """Whether the room itself writes an event about it; a gateway writes those of its plain commands."""
        return self.critical or not is_gateway(self.issuer)


class _Named(msgspec.Struct):
    id: Id


def id_in(payload: bytes) -> str | None:
    """The id in a command that cannot be read otherwise, so that its issuer learns of it."""
    try:
        return msgspec.json.decode(payload, type=_Named).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def explained(error: HomeError, config: DeviceConfig | None) -> HomeError:
    """`error` of a command that cannot be read, with what could be: its sender may be a program just written."""
    if config is None:
        return error
    actions = ACTIONS.get(config.kind, ())
    how = None
    if "`$.action`" in error.detail or not actions:
        how = _offer(config)
    elif error.detail.startswith(_NO_COMMAND):
        how = f'Send an object, such as {{"action": "{actions[0]}"}}.'
    return error if how is None else HomeError(error.slug, f"{error.detail}. {how}")


def misfit(config: DeviceConfig, command: Command) -> HomeError | None:
    """Why a device cannot obey such a command at all, or None."""
    if command.action not in ACTIONS.get(config.kind, ()):
        return HomeError("unknown-action", _offer(config))
    if command.action is not Action.SET:
        if command.value is None:
            return None
        return HomeError("invalid-value", f"{command.action} takes no value.")
    if command.value is None or not 0 <= command.value <= FULL:
        return HomeError("invalid-value", f"set needs a value, a whole number from 0 to {FULL}.")
    return None


def _offer(config: DeviceConfig) -> str:
    actions = ACTIONS.get(config.kind, ())
    offered = f"it has {', '.join(actions)}" if actions else "it only reports, and obeys no commands"
    return f"{config.id} is a {config.kind}: {offered}."


def is_safe(config: DeviceConfig, action: Action) -> bool:
    """Whether the action makes things safer: obeyed without spool, limits or lockdown in the way."""
    return action in SAFE_ACTIONS.get(config.kind, ()) or action in config.safe_actions


def is_stamped(config: DeviceConfig, command: Command) -> bool:
    """Whether the command carries the id and the time that its device wants."""
    return not config.needs_stamp or (command.id is not None and command.issued_at is not None)


def slug_of(why: HomeError | None) -> str | None:
    """The slug of what it was refused or failed for."""
    return None if why is None else why.slug


def outcome_of(why: HomeError | None) -> Outcome:
    """How a command ended that was refused or failed for `why`."""
    if why is None:
        return Outcome.EXECUTED
    if why.slug in _EXPIRED:
        return Outcome.EXPIRED
    return Outcome.FAILED if why.slug in _FAILED else Outcome.REJECTED


def acknowledgement(wish: Wish, why: HomeError | None, state: State | None, wall: float) -> Acknowledgement:
    """The agent's word on it; `why` None means executed."""
    detail = None if why is None else why.detail[:_DETAIL_CHARACTERS]
    return Acknowledgement(
        id=wish.id, outcome=outcome_of(why), at=utc(wall), reason=slug_of(why), detail=detail, state=state
    )


def event(wish: Wish, outcome: Outcome, wall: float, *, reason: str | None = None) -> AuditEvent:
    """The audit event about it. A user is named only on a gateway's word."""
    trusted = is_gateway(wish.issuer)
    detail = {}
    if reason is not None:
        detail["reason"] = reason
    if wish.button:
        detail["button"] = wish.button
    if wish.command.value is not None:
        detail["value"] = str(wish.command.value)
    return AuditEvent(
        id=made_id(),
        at=utc(wall),
        what=f"device:{wish.command.action}",
        where=f"{wish.room}/{wish.device[:64]}",
        who=Who(
            issuer=wish.issuer,
            user=wish.command.user if trusted else None,
            address=wish.command.origin if trusted else None,
        ),
        outcome=outcome,
        severity=_severity(wish, reason),
        command_id=wish.id,
        detail=detail,
    )


def _severity(wish: Wish, reason: str | None) -> Severity:
    if reason in SECURITY_SLUGS or (reason == "expired" and not is_gateway(wish.issuer)):
        return Severity.SECURITY
    return Severity.CRITICAL if wish.critical else Severity.INFO
