"""One command as the agent sees it, pure: who wants what of which device, and what is written down about it."""

import secrets
from typing import NamedTuple

import msgspec

from device_agents.config import DeviceConfig
from shared.messages import Acknowledgement, AuditEvent, Command, Id, State, Who, utc
from shared.names import ACTIONS, FULL, SAFE_ACTIONS, STAMPED_KINDS, Action, Outcome, Severity, is_gateway

SECURITY_SLUGS = frozenset({"retained", "id-reused"})
"""Refusals that nobody causes by accident."""
_EXPIRED = frozenset({"expired"})
_FAILED = frozenset({"pin-failed", "ledger-failed", "no-proof", "interrupted"})


class Wish(NamedTuple):
    """A command with its issuer, which the broker vouches for, and its id, made here where the issuer gave none."""

    room: str
    device: str
    issuer: str
    id: str
    command: Command
    critical: bool

    @property
    def fingerprint(self) -> str:
        """What tells it from another command with the same id."""
        user = self.command.user.id if self.command.user is not None else ""
        return f"{self.device} {self.command.action} {self.command.value} {user}"

    @property
    def audited(self) -> bool:
        """Whether the room itself writes an event about it; a gateway writes those of its plain commands."""
        return self.critical or not is_gateway(self.issuer)


def made_id() -> str:
    """An id for who gave none."""
    return secrets.token_hex(16)


class _Named(msgspec.Struct):
    id: Id


def id_in(payload: bytes) -> str | None:
    """The id in a command that cannot be read otherwise, so that its issuer learns of it."""
    try:
        return msgspec.json.decode(payload, type=_Named).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def misfit(config: DeviceConfig, command: Command) -> str | None:
    """The slug for which a device cannot obey such a command at all, or None."""
    if command.action not in ACTIONS.get(config.kind, ()):
        return "unknown-action"
    if (command.value is not None) != (command.action is Action.SET):
        return "invalid-value"
    if command.value is not None and not 0 <= command.value <= FULL:
        return "invalid-value"
    return None


def is_safe(config: DeviceConfig, action: Action) -> bool:
    """Whether the action makes things safer: obeyed without spool, limits or lockdown in the way."""
    return action in SAFE_ACTIONS.get(config.kind, ()) or action in config.safe_actions


def is_stamped(config: DeviceConfig, command: Command) -> bool:
    """Whether the command carries the id and the time that its device wants."""
    wanted = config.critical or config.kind in STAMPED_KINDS
    return not wanted or (command.id is not None and command.issued_at is not None)


def outcome_of(slug: str | None) -> Outcome:
    """How a command ended that was refused or failed for `slug`."""
    if slug is None:
        return Outcome.EXECUTED
    if slug in _EXPIRED:
        return Outcome.EXPIRED
    return Outcome.FAILED if slug in _FAILED else Outcome.REJECTED


def acknowledgement(wish: Wish, slug: str | None, state: State | None, wall: float) -> Acknowledgement:
    """The agent's word on it; `slug` None means executed."""
    return Acknowledgement(id=wish.id, outcome=outcome_of(slug), at=utc(wall), reason=slug, state=state)


def event(wish: Wish, outcome: Outcome, wall: float, *, reason: str | None = None) -> AuditEvent:
    """The audit event about it. A user is named only on a gateway's word."""
    trusted = is_gateway(wish.issuer)
    detail = {}
    if reason is not None:
        detail["reason"] = reason
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
