"""What a letter offers to do, pure: the lockdown only where it would help, the sessions where a person is involved."""

from collections.abc import Iterable
from typing import NamedTuple

from alert_service.telling import acts
from alert_service.telling.story import Story
from alert_service.telling.wording import may_say
from shared.words.names import Outcome


class Offer(NamedTuple):
    """Which buttons stand beside that of the history."""

    lock: bool = False
    sessions: bool = False
    refuse: str | None = None
    """The place (`hall/front-door`) of an appointment that can still be refused."""


_ACTS = frozenset(
    {
        *(f"device:{action}" for action in acts.ACTS),
        *("device:loosened", "device:confirm-loosened", "device:command", acts.APPOINTED),
    }
)
_OPENS = frozenset(
    {
        *("session:new-place", "session:started", "account:code-made"),
        *("account:invited", "account:role-changed", "account:enabled"),
        *("account:created", "account:changed", "account:disabled", "account:erased", "account:password-changed"),
        "account:email-changed",
        *(
            "account:factor-added",
            "account:factor-removed",
            "account:recovery-used",
            "account:grants-changed",
            "account:token-made",
        ),
        *("client:added", "room:added", "certificate:signed", "rights:changed"),
    }
)
"""What somebody who is inside does to stay there, or to shut others out: a lockdown signs everyone out."""
_LOCKED_DOWN, _LOCKDOWN_ENDED, _LOCKED_OUT = "home:locked-down", "home:lockdown-ended", "device:locked-out"
_OF_PEOPLE = ("account", "session")


def offer(story: Story) -> Offer:
    """What may help against what this tells; nothing against a room that speaks in the hub's name but to revoke it."""
    named = story.named
    what = named.event.what
    if not may_say(named.source, what):
        return Offer()
    person = named.event.who.user is not None or what.partition(":")[0] in _OF_PEOPLE
    return Offer(
        lock=_locking_helps(what, story.known is Outcome.EXECUTED),
        sessions=person,
        refuse=named.event.where if what == acts.APPOINTED else None,
    )


def offer_of(stories: Iterable[Story]) -> Offer:
    """What may help against any of these."""
    offers = [offer(story) for story in stories]
    refuse = next((one.refuse for one in offers if one.refuse is not None), None)
    return Offer(any(one.lock for one in offers), any(one.sessions for one in offers), refuse)


def _locking_helps(what: str, done: bool) -> bool:
    if what in {_LOCKED_DOWN, _LOCKED_OUT}:
        return not done  # what was to be made safe is not
    if what == _LOCKDOWN_ENDED:
        return done
    return what in _ACTS or what in _OPENS
