"""Intent and outcome become one letter, in whatever order and however often they come."""

import itertools

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alert_service.telling import joining, rules
from alert_service.telling.joining import INTENT_WAIT_SECONDS, OUTCOME_WAIT_SECONDS, Case
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import event

REFUSED = {"reason": "room-offline"}


class Desk:
    """Does with cases what the recorder does: each event once, the newest round, a letter for each that ended."""

    def __init__(self) -> None:
        self.cases: dict[int, Case] = {}
        self.known: set[tuple[str, str]] = set()
        self.rows = itertools.count(1)
        self.now = 0.0
        self.left = True

    def tell(self, source: str, told: AuditEvent) -> None:
        if (source, told.id) in self.known:
            return
        self.known.add((source, told.id))
        part = rules.part(source, told)
        assert part in {rules.Part.INTENT, rules.Part.OUTCOME}
        newest = self.cases[max(self.cases)] if self.cases else None
        row = next(self.rows)
        for case in joining.fold(newest, part, row, source, told, self.now, left=self.left):
            self.cases[case.round] = case

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for case in list(self.cases.values()):
            if (closed := joining.expire(case, self.now)) is not None:
                self.cases[closed.round] = closed

    @property
    def letters(self) -> list[Case]:
        return [case for case in self.cases.values() if case.ended is not None]


INTENT = event(id="asked", outcome=Outcome.ASKED)
DONE = event(id="done")


def test_intent_then_outcome_is_one_letter_as_soon_as_both_are_known() -> None:
    desk = Desk()
    desk.tell("gateway", INTENT)
    assert desk.letters == []
    desk.tell("hall", DONE)
    assert [(x.intent, x.outcome, x.ended) for x in desk.letters] == [(1, 2, Outcome.EXECUTED)]


def test_outcome_before_its_intent_waits_for_it() -> None:
    desk = Desk()
    desk.tell("hall", DONE)
    desk.wait(INTENT_WAIT_SECONDS - 1)
    assert desk.letters == []
    desk.tell("gateway", INTENT)
    assert [(x.intent, x.outcome) for x in desk.letters] == [(2, 1)]


def test_outcome_without_intent_leaves_after_a_short_wait() -> None:
    desk = Desk()
    desk.tell("hall", DONE)
    desk.wait(INTENT_WAIT_SECONDS)
    assert [(x.intent, x.ended) for x in desk.letters] == [(None, Outcome.EXECUTED)]


def test_a_trusted_clients_command_needs_no_gateway() -> None:
    desk = Desk()
    desk.tell("hall", event(issuer="phone", user=None))
    assert [x.ended for x in desk.letters] == [Outcome.EXECUTED]


def test_intent_without_outcome_is_told_as_unknown_and_a_late_outcome_once_more() -> None:
    desk = Desk()
    desk.tell("gateway", INTENT)
    desk.wait(OUTCOME_WAIT_SECONDS - 1)
    assert desk.letters == []
    desk.wait(1)
    assert [x.ended for x in desk.letters] == [Outcome.UNKNOWN]
    desk.tell("hall", DONE)
    assert [(x.ended, x.intent, x.outcome) for x in desk.letters] == [
        (Outcome.UNKNOWN, 1, None),
        (Outcome.EXECUTED, 1, 2),
    ]


def test_a_late_outcome_is_told_by_a_letter_that_is_still_here() -> None:
    desk = Desk()
    desk.tell("gateway", INTENT)
    desk.wait(OUTCOME_WAIT_SECONDS)
    desk.left = False
    desk.tell("hall", DONE)
    assert [(x.ended, x.heard, x.outcome) for x in desk.letters] == [(Outcome.UNKNOWN, Outcome.EXECUTED, 2)]


@pytest.mark.parametrize("first", [Outcome.EXECUTED, Outcome.UNKNOWN, Outcome.FAILED, Outcome.REJECTED])
def test_an_id_that_is_used_again_after_its_letter_gets_another_one(first: Outcome) -> None:
    """A room forgets an id after a day, and loses what it had not heard: what it does then is told again."""
    desk = Desk()
    desk.tell("gateway", INTENT)
    if first is not Outcome.UNKNOWN:
        desk.tell("hall", event(outcome=first))
    desk.wait(OUTCOME_WAIT_SECONDS)
    desk.tell("gateway", event(outcome=Outcome.ASKED))
    assert [x.ended for x in desk.letters] == [first]
    desk.tell("hall", DONE)
    assert [x.ended for x in desk.letters] == [first, Outcome.EXECUTED]
    assert desk.letters[1].intent not in (None, 1)
    desk.tell("hall", event())
    desk.wait(INTENT_WAIT_SECONDS)
    assert [x.ended for x in desk.letters] == [first, Outcome.EXECUTED, Outcome.EXECUTED], "told by its room alone"


def test_an_id_that_is_used_again_and_never_answered_is_told_as_unknown() -> None:
    desk = Desk()
    desk.tell("gateway", INTENT)
    desk.tell("hall", DONE)
    desk.tell("gateway", event(outcome=Outcome.ASKED))
    desk.wait(OUTCOME_WAIT_SECONDS)
    assert [x.ended for x in desk.letters] == [Outcome.EXECUTED, Outcome.UNKNOWN]


def test_a_wish_that_is_told_twice_while_it_is_under_way_is_one_letter() -> None:
    desk = Desk()
    desk.tell("gateway", INTENT)
    desk.tell("gateway", event(outcome=Outcome.ASKED))
    desk.tell("hall", DONE)
    desk.wait(OUTCOME_WAIT_SECONDS)
    assert [(x.intent, x.outcome, x.ended) for x in desk.letters] == [(1, 3, Outcome.EXECUTED)]


def test_an_outcome_after_a_letter_that_nobody_was_named_in_waits_for_who_it_was() -> None:
    desk = Desk()
    desk.tell("gateway", event(outcome=Outcome.UNKNOWN))
    desk.wait(OUTCOME_WAIT_SECONDS)
    desk.tell("hall", DONE)
    assert [x.ended for x in desk.letters] == [Outcome.UNKNOWN]
    desk.tell("gateway", INTENT)
    assert [(x.intent, x.outcome, x.ended) for x in desk.letters] == [
        (None, 1, Outcome.UNKNOWN),
        (3, 2, Outcome.EXECUTED),
    ]


def test_two_that_moved_are_two_letters_also_while_the_first_waits() -> None:
    desk = Desk()
    desk.tell("hall", DONE)
    desk.tell("hall", event())
    desk.wait(INTENT_WAIT_SECONDS)
    assert [(x.ended, x.outcome) for x in desk.letters] == [(Outcome.EXECUTED, 1), (Outcome.EXECUTED, 2)]


@pytest.mark.parametrize("issuer", ["phone", "hall"])
def test_what_a_client_or_a_button_wants_is_one_letter_that_tells_how_it_ended(issuer: str) -> None:
    desk = Desk()
    desk.tell("hall", event(issuer=issuer, user=None, outcome=Outcome.ASKED))
    desk.wait(OUTCOME_WAIT_SECONDS - 1)
    assert desk.letters == []
    desk.tell("hall", event(issuer=issuer, user=None))
    desk.wait(OUTCOME_WAIT_SECONDS)
    assert [(x.intent, x.outcome, x.ended) for x in desk.letters] == [(1, 2, Outcome.EXECUTED)]


def test_what_a_client_wants_and_its_room_never_ends_is_told_as_unknown() -> None:
    desk = Desk()
    desk.tell("hall", event(issuer="phone", user=None, outcome=Outcome.ASKED))
    desk.wait(OUTCOME_WAIT_SECONDS)
    assert [x.ended for x in desk.letters] == [Outcome.UNKNOWN]


def test_a_gateway_that_gave_up_before_its_intent_came_waits_for_both() -> None:
    desk = Desk()
    desk.tell("gateway", event(outcome=Outcome.UNKNOWN))
    desk.tell("hall", DONE)
    assert desk.letters == []
    desk.tell("gateway", INTENT)
    assert [(x.intent, x.outcome, x.ended) for x in desk.letters] == [(3, 2, Outcome.EXECUTED)]


def test_a_gateways_refusal_is_an_outcome() -> None:
    desk = Desk()
    desk.tell("gateway", INTENT)
    desk.tell("gateway", event(outcome=Outcome.REJECTED, detail=REFUSED))
    assert [x.ended for x in desk.letters] == [Outcome.REJECTED]


def test_a_gateways_unknown_waits_for_the_rooms_word() -> None:
    desk = Desk()
    desk.tell("gateway", INTENT)
    desk.tell("gateway", event(outcome=Outcome.UNKNOWN))
    assert desk.letters == []
    desk.tell("hall", DONE)
    assert [x.ended for x in desk.letters] == [Outcome.EXECUTED]


def test_the_same_wish_tried_again_after_a_refusal_gets_its_own_letter() -> None:
    desk = Desk()
    desk.tell("gateway", INTENT)
    desk.tell("gateway", event(outcome=Outcome.REJECTED, detail=REFUSED))
    desk.tell("gateway", event(outcome=Outcome.ASKED))
    assert [x.ended for x in desk.letters] == [Outcome.REJECTED]
    desk.tell("hall", DONE)
    assert [x.ended for x in desk.letters] == [Outcome.REJECTED, Outcome.EXECUTED]


def test_the_same_wish_tried_again_and_never_answered_is_told_as_unknown() -> None:
    desk = Desk()
    desk.tell("gateway", INTENT)
    desk.tell("gateway", event(outcome=Outcome.REJECTED, detail=REFUSED))
    desk.tell("gateway", event(outcome=Outcome.ASKED))
    desk.wait(OUTCOME_WAIT_SECONDS)
    assert [x.ended for x in desk.letters] == [Outcome.REJECTED, Outcome.UNKNOWN]


def test_a_client_cannot_hide_what_it_does_behind_a_refusal_under_the_same_id() -> None:
    desk = Desk()
    desk.tell("hall", event(issuer="phone", outcome=Outcome.REJECTED, severity=Severity.SECURITY))
    desk.tell("hall", event(issuer="phone", outcome=Outcome.EXECUTED))
    assert [x.ended for x in desk.letters] == [Outcome.REJECTED, Outcome.EXECUTED]


def test_a_refusal_within_the_wait_does_not_hide_that_it_moved() -> None:
    desk = Desk()
    desk.tell("hall", event(outcome=Outcome.EXPIRED))
    desk.tell("hall", event(outcome=Outcome.EXECUTED))
    desk.wait(INTENT_WAIT_SECONDS)
    assert [x.ended for x in desk.letters] == [Outcome.EXECUTED]


def test_an_intent_that_comes_after_its_letter_starts_nothing() -> None:
    desk = Desk()
    desk.tell("gateway", event(outcome=Outcome.REJECTED, detail=REFUSED))
    desk.tell("gateway", INTENT)
    desk.wait(OUTCOME_WAIT_SECONDS)
    assert [(x.ended, x.intent) for x in desk.letters] == [(Outcome.REJECTED, 2)]


steps = st.lists(
    st.one_of(st.sampled_from(["intent", "outcome", "gave-up"]), st.floats(0.1, 40.0)), min_size=1, max_size=12
)


@given(
    steps,
    st.sampled_from([x for x in Outcome if x not in (Outcome.ASKED, Outcome.UNKNOWN)]),
    st.sampled_from(["gateway", "hall"]),
)
@example(["gave-up", 30.0, "outcome"], Outcome.EXECUTED, "hall")
def test_any_order_any_repeats_any_timing_make_one_letter_and_one_more_where_the_first_knew_nothing(
    steps: list[str | float], ending: Outcome, by: str
) -> None:
    gave_up = event(id="gave-up", outcome=Outcome.UNKNOWN)
    outcome = event(id="ended", outcome=ending)
    desk = Desk()
    for step in steps:
        match step:
            case "intent":
                desk.tell("gateway", INTENT)
            case "outcome":
                desk.tell(by, outcome)
            case "gave-up" if by == "hall":
                desk.tell("gateway", gave_up)
            case float():
                desk.wait(step)
    desk.tell("gateway", INTENT)
    desk.wait(OUTCOME_WAIT_SECONDS)
    told = [letter.ended for letter in desk.letters]
    assert len(desk.cases) == len(told)
    assert told in ([ending], [Outcome.UNKNOWN, ending]) or (told == [Outcome.UNKNOWN] and "outcome" not in steps)
    assert desk.letters[-1].intent is not None  # the first may have left before anybody said who asked


@given(st.permutations(["intent", "outcome", "wait", "more"]))
def test_a_settled_letter_never_changes_what_it_said(order: list[str]) -> None:
    desk = Desk()
    said: list[Outcome | None] = []
    for step in order:
        match step:
            case "intent":
                desk.tell("gateway", INTENT)
            case "outcome":
                desk.tell("hall", DONE)
            case "more":
                desk.tell("hall", event(outcome=Outcome.FAILED))
            case _:
                desk.wait(OUTCOME_WAIT_SECONDS)
        if desk.letters:
            said.append(desk.letters[0].ended)
    assert len(set(said)) <= 1


def test_a_closed_case_never_expires_again() -> None:
    closed = Case(outcome=1, heard=Outcome.EXECUTED, ended=Outcome.EXECUTED)
    assert joining.expire(closed, 1e12) is None
    assert joining.expire(msgspec.structs.replace(closed, ended=None, due_at=5.0), 4.9) is None
