"""How a command ended, pure: from a room's acknowledgement to what the caller is told (docs/api.md)."""

from typing import Final, Literal

import msgspec

from gateway.picture.plain import plain
from shared.words.messages import Acknowledgement, State
from shared.words.names import Outcome
from shared.words.problem import CATALOGUE, HomeError

REFUSAL_CHARACTERS: Final = 200
ID_USED: Final = "id-used"
_STATUS: Final = {Outcome.REJECTED: 409, Outcome.FAILED: 502}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended. `slug` is its problem, None when it was executed; `outcome` None means nothing was sent.

    `repeated`: it is the room's word of an earlier time, and nothing moved now.
    """

    outcome: Outcome | None
    slug: str | None = None
    reason: str | None = None
    detail: str | None = None
    state: State | None = None
    repeated: bool = False


class Executed(msgspec.Struct, frozen=True, kw_only=True):
    """The room's word that it was done."""

    id: str
    outcome: Literal["executed"] = "executed"
    state: State | None = None


EXPIRED: Final = Verdict(outcome=Outcome.EXPIRED, slug="expired")
"""It lay somewhere for too long before it reached us: nothing was sent."""


def verdict_of(said: Acknowledgement, state: State | None) -> Verdict:
    """The room's word; `state` is where its device stands as far as we know."""
    return Verdict(
        outcome=said.outcome,
        slug=None if said.outcome is Outcome.EXECUTED else _slug(said),
        reason=said.reason,
        # The room's own sentence, where it has one: text of another machine, so no more than one plain line.
        detail=plain(said.detail, REFUSAL_CHARACTERS) if said.detail else None,
        state=said.state or state,
        repeated=said.repeated,
    )


def answer(command_id: str, verdict: Verdict) -> Executed:
    """What the caller is told. Raises HomeError where it was not executed."""
    if verdict.slug is None:
        return Executed(id=command_id, state=verdict.state)
    members: dict[str, object] = {"id": command_id}
    if verdict.outcome is not None:
        members |= {"outcome": verdict.outcome, "reason": verdict.reason or verdict.slug}
    error = HomeError(verdict.slug, verdict.detail, **members)
    # Whatever the slug says elsewhere: a room's refusal is a conflict, its failure a bad gateway.
    if verdict.outcome is not None:
        error.status = _STATUS.get(verdict.outcome, error.status)
    raise error


def _slug(said: Acknowledgement) -> str:
    if said.outcome is Outcome.EXPIRED:
        return "expired"
    fallback = "failed" if said.outcome is Outcome.FAILED else "rejected"
    return said.reason if said.reason in CATALOGUE else fallback
