"""What is written down about a command: who is believed, how it ended, how grave it is."""

from typing import Any

import msgspec
import pytest

from device_agents.config import DeviceConfig
from device_agents.obeying import wish
from device_agents.obeying.wish import Wish
from shared.words.messages import Command, UserRef
from shared.words.names import Action, Kind, Outcome, Severity
from shared.words.problem import HomeError

LAMP = DeviceConfig(id="lamp", name="Lamp", kind=Kind.SWITCH, pin=17)
DOOR = DeviceConfig(id="front-door", name="Front door", kind=Kind.LOCK, pin=27, critical=True)
BLIND = DeviceConfig(id="blind", name="Blind", kind=Kind.COVER, pins=(5, 6), safe_actions=(Action.CLOSE,))
ADA = UserRef(id="u1", name="Ada")


def made(issuer: str = "gateway", *, critical: bool = False, **fields: Any) -> Wish:
    plain = Command(action=Action.ON, id="a", user=ADA, origin="10.0.0.7")
    command = msgspec.structs.replace(plain, **fields)
    return Wish(room="hall", device="lamp", issuer=issuer, id="a", command=command, critical=critical)


def test_a_fingerprint_tells_what_was_wished_and_by_whom() -> None:
    same = made(issued_at=5.0).fingerprint
    assert made().fingerprint == same
    others = {made(action=Action.OFF).fingerprint, made(value=5).fingerprint, made(user=None).fingerprint}
    assert len(others | {same}) == 4


def refusal(slug: str | None) -> HomeError | None:
    return None if slug is None else HomeError(slug)


@pytest.mark.parametrize(("issuer", "believed"), [("gateway", True), ("gateway-2", True), ("phone", False)])
def test_only_a_gateway_is_believed_about_its_user(issuer: str, believed: bool) -> None:
    who = wish.event(made(issuer), Outcome.EXECUTED, 1.0).who
    assert (who.issuer, who.user is not None, who.address is not None) == (issuer, believed, believed)


@pytest.mark.parametrize(
    ("wanted", "reason", "severity"),
    [
        (made(), None, Severity.INFO),
        (made(critical=True), None, Severity.CRITICAL),
        (made(critical=True), "expired", Severity.CRITICAL),
        (made(), "expired", Severity.INFO),
        (made("phone"), "expired", Severity.SECURITY),
        (made(), "retained", Severity.SECURITY),
        (made(critical=True), "id-reused", Severity.SECURITY),
        (made("phone"), "unknown-action", Severity.INFO),
    ],
)
def test_an_event_is_as_grave_as_it_should_be(wanted: Wish, reason: str | None, severity: Severity) -> None:
    event = wish.event(wanted, wish.outcome_of(refusal(reason)), 1.0, reason=reason)
    assert (event.severity, event.detail.get("reason")) == (severity, reason)
    assert (event.what, event.where, event.command_id) == ("device:on", "hall/lamp", "a")


@pytest.mark.parametrize(
    ("slug", "outcome"),
    [
        (None, "executed"),
        ("expired", "expired"),
        ("pin-failed", "failed"),
        ("ledger-failed", "failed"),
        ("interrupted", "failed"),
        ("too-soon", "rejected"),
        ("lockdown", "rejected"),
    ],
)
def test_each_slug_is_an_outcome_and_stands_in_the_catalogue(slug: str | None, outcome: str) -> None:
    assert wish.outcome_of(refusal(slug)) == outcome


def test_safe_is_what_the_kind_or_the_owner_says() -> None:
    assert [wish.is_safe(DOOR, action) for action in (Action.LOCK, Action.UNLOCK)] == [True, False]
    assert [wish.is_safe(BLIND, action) for action in (Action.STOP, Action.CLOSE, Action.OPEN)] == [True, True, False]


def test_what_needs_a_stamp_needs_both_halves() -> None:
    bare, full = Command(action=Action.ON), Command(action=Action.ON, id="a", issued_at=1.0)
    assert wish.is_stamped(LAMP, bare)
    kettle, iron = (msgspec.structs.replace(LAMP, **more) for more in ({"max_on": 600.0}, {"stamped": True}))
    for device in (DOOR, BLIND, kettle, iron):
        assert wish.is_stamped(device, full)
        assert not wish.is_stamped(device, msgspec.structs.replace(full, id=None))
        assert not wish.is_stamped(device, msgspec.structs.replace(full, issued_at=None))


@pytest.mark.parametrize(
    ("payload", "id_"),
    [(b'{"id":"x","action":1}', "x"), (b"{", None), (b'{"id":5}', None), (b'{"id":"not good"}', None), (b"\xff", None)],
)
def test_an_id_is_found_in_what_makes_no_sense(payload: bytes, id_: str | None) -> None:
    assert wish.id_in(payload) == id_
