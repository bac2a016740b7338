"""Each kind of letter offers what may help against what it tells, and nothing else."""

import msgspec
import pytest

from alert_service.letters import letters
from alert_service.telling.offers import Offer, offer
from alert_service.telling.story import Story
from alert_service.telling.wording import KNOWN
from shared.words.languages import DEFAULT
from shared.words.messages import AuditEvent
from shared.words.names import Outcome
from tests import letter_samples
from tests.unit.alert_service.letters.test_letters import LINKED, row
from tests.unit.alert_service.parts import event

LOCK, SESSIONS, HISTORY = "/lockdown", "/account#sessions", "/history"
OFFERED = {
    **dict.fromkeys(
        ("unlocked", "no-answer", "failed", "claimed", "id-reused", "refused", "digest", "lockdown-over"),
        (LOCK, SESSIONS),
    ),
    **dict.fromkeys(
        ("together", "together-mixed", "together-both", "new-place", "password", "account", "grants"), (LOCK, SESSIONS)
    ),
    **dict.fromkeys(("lockdown", "locked-out"), (SESSIONS,)),
    **dict.fromkeys(("mismatch", "room-away", "room-back", "broken"), ()),
    **dict.fromkeys(("daily", "daily-broken"), ()),
    **dict.fromkeys(("open", "open-as-far-as-known", "closed-again", "was-open", "bell", "sum"), ()),
}
"""Which pages each sample leads to, beside the history."""


def test_every_kind_of_letter_offers_what_helps_and_no_more() -> None:
    found = {
        name: tuple(page for page in (LOCK, SESSIONS) if f"https://home.example:8443{page}" in written.text)
        for name, written in letter_samples.samples(DEFAULT)
    }
    assert found == OFFERED
    assert all(f"https://home.example:8443{HISTORY}" in one.text for _, one in letter_samples.samples(DEFAULT))


def test_the_lockdown_alone_stands_out() -> None:
    for name, written in letter_samples.samples(DEFAULT):
        assert written.html.count('class="first"') == (LOCK in OFFERED[name]), name


def story(what: str, *, source: str = "auth", ended: Outcome = Outcome.EXECUTED, person: bool = False) -> Story:
    told = event(what=what, where="home" if what.startswith("home:") else "hall/lamp", outcome=ended, command_id=None)
    return Story(ended=ended, outcome=row(source, told if person else _of_nobody(told)))


def _of_nobody(told: AuditEvent) -> AuditEvent:
    return msgspec.structs.replace(told, who=msgspec.structs.replace(told.who, user=None, address=None))


@pytest.mark.parametrize(
    ("what", "ended", "lock"),
    [
        ("home:locked-down", Outcome.EXECUTED, False),
        ("home:locked-down", Outcome.FAILED, True),
        ("home:lockdown-ended", Outcome.EXECUTED, True),
        ("home:lockdown-ended", Outcome.FAILED, False),
        ("device:locked-out", Outcome.EXECUTED, False),
        ("device:locked-out", Outcome.FAILED, True),
        ("device:lockout-lifted", Outcome.EXECUTED, True),
        ("device:loosened", Outcome.EXECUTED, True),
        ("device:loosening", Outcome.EXECUTED, False),
        ("device:mismatch", Outcome.FAILED, False),
        ("account:sign-in-failed", Outcome.REJECTED, False),
        ("certificate:ending", Outcome.EXECUTED, False),
        ("certificate:renewed", Outcome.EXECUTED, False),
        ("accounts:torn", Outcome.FAILED, False),
        ("audit:unwritable", Outcome.FAILED, False),
    ],
)
def test_a_lockdown_is_offered_where_it_would_help(what: str, ended: Outcome, lock: bool) -> None:
    assert offer(story(what, ended=ended)).lock is lock


def test_sessions_are_offered_wherever_a_person_is_involved() -> None:
    assert [what for what in KNOWN if not offer(story(what, person=True)).sessions] == []
    alone = {what for what in KNOWN if offer(story(what)).sessions}
    assert alone == {what for what in KNOWN if what.startswith(("account:", "session:"))}


def test_a_room_that_speaks_in_the_hubs_name_makes_no_letter_offer_anything() -> None:
    assert offer(story("session:new-place", source="hall", person=True)) == Offer()


def test_a_home_that_is_locked_down_is_offered_no_lockdown() -> None:
    told = story("device:unlock", source="gateway", person=True)
    assert LOCK in letters.write(told, LINKED).text
    locked = letters.write(told, msgspec.structs.replace(LINKED, locked_down=True)).text
    assert LOCK not in locked
    assert SESSIONS in locked
