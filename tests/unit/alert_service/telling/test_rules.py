"""Which events become letters, and under which key."""

import pytest

from alert_service.telling import rules
from alert_service.telling.rules import Part
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import event


@pytest.mark.parametrize(
    ("source", "told", "part"),
    [
        ("hall", event(severity=Severity.INFO), Part.NONE),
        ("gateway", event(severity=Severity.INFO, outcome=Outcome.REJECTED), Part.NONE),
        ("gateway", event(outcome=Outcome.ASKED), Part.INTENT),
        ("gateway-2", event(outcome=Outcome.ASKED, issuer="gateway-2"), Part.INTENT),
        ("hall", event(), Part.OUTCOME),
        ("hall", event(outcome=Outcome.EXPIRED, severity=Severity.SECURITY), Part.OUTCOME),
        ("hall", event(issuer="phone", user=None), Part.OUTCOME),
        ("gateway", event(outcome=Outcome.REJECTED), Part.OUTCOME),
        ("auth", event(what="account:created", where="account", command_id=None), Part.ALONE),
        ("auth", event(what="session:started", command_id=None, severity=Severity.INFO), Part.NONE),
        ("hall", event(command_id=None, severity=Severity.SECURITY), Part.ALONE),
        ("auth", event(what="device:locked-out", where="hall/lamp", command_id=None), Part.ALONE),
        ("auth", event(what="device:lockout-lifted", where="hall/lamp", command_id=None), Part.ALONE),
        ("hall", event(what="device:mismatch", issuer="hall", user=None, command_id=None), Part.ALONE),
        ("hall", event(what="device:mismatch", command_id="c1", outcome=Outcome.FAILED), Part.ALONE),
        ("hall", event(what="device:follows-again", command_id=None, severity=Severity.INFO), Part.NONE),
        ("hall", event(what="device:on", issuer="hall", user=None, detail={"button": "bell"}), Part.OUTCOME),
    ],
)
def test_an_event_plays_its_part(source: str, told: AuditEvent, part: Part) -> None:
    assert rules.part(source, told) is part


def test_a_room_cannot_pass_as_a_gateway_that_asked() -> None:
    assert rules.part("hall", event(outcome=Outcome.ASKED)) is Part.ALONE


@pytest.mark.parametrize("issuer", ["phone", "hall"])
def test_of_what_no_gateway_asked_for_the_room_tells_the_intent(issuer: str) -> None:
    asked = event(issuer=issuer, user=None, outcome=Outcome.ASKED)
    assert rules.part("hall", asked) is Part.INTENT
    assert rules.part("garage", asked) is Part.ALONE, "it is another room's"
    assert rules.command_key(asked) == rules.command_key(event(issuer=issuer, user=None))


def test_a_room_cannot_settle_another_rooms_command() -> None:
    assert rules.part("garage", event(where="hall/front-door")) is Part.ALONE
    assert rules.part("hal", event(where="hall/front-door")) is Part.ALONE


def test_a_gateway_cannot_settle_another_gateways_command() -> None:
    assert rules.part("gateway-2", event(outcome=Outcome.REJECTED)) is Part.ALONE


def test_an_id_used_twice_is_told_apart_from_the_command_it_imitates() -> None:
    reused = event(severity=Severity.SECURITY, outcome=Outcome.REJECTED, detail={"reason": "id-reused"})
    assert rules.part("hall", reused) is Part.ALONE
    used = event(outcome=Outcome.REJECTED, detail={"reason": "id-used"})
    assert rules.part("gateway", used) is Part.ALONE, "it is no outcome of the command that had the id"


def test_intent_and_outcome_share_a_key_and_other_commands_do_not() -> None:
    intent, outcome = event(outcome=Outcome.ASKED), event()
    assert rules.command_key(intent) == rules.command_key(outcome)
    for other in (event(issuer="phone"), event(command_id="c2"), event(where="garage/door")):
        assert rules.command_key(other) != rules.command_key(intent)


def test_keys_of_different_kinds_never_meet() -> None:
    assert (
        len({rules.event_key("a", "1"), rules.digest_key("a", 1), rules.event_key("a1", ""), rules.event_key("", "a1")})
        == 4
    )
