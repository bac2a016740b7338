"""The agent on fake pins and a fake link: what each command comes to, what is told, and what is left behind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_agents.ledger.ledger import Intent
from device_agents.link.link import Down, Refused, Up
from shared.words import messages, topics
from shared.words.messages import (
    Acknowledgement,
    AuditEvent,
    Availability,
    By,
    CoverValue,
    Description,
    InputEvent,
    Lockdown,
    Receipt,
    ReceiptLine,
    Resend,
    State,
)
from tests.unit.device_agents.fakes import DEVICES, WALL, House, room_config

LAMP, DOOR, KETTLE, GATE = 17, 27, 24, 12
ADA = {"id": "u1", "name": "Ada"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.heartbeat()
    yield made
    if not made.link.closed:
        made.die()


def said(ack: Acknowledgement | None) -> tuple[str, str | None]:
    assert ack is not None
    return ack.outcome.value, ack.reason


# --- birth -----------------------------------------------------------------------------------------------------


def test_birth_tells_description_then_states_then_online(tmp_path: Path) -> None:
    house = House(tmp_path)
    said = house.link.said
    house.die()
    assert said[0][0] == topics.description("hall")
    assert [topic for topic, *_ in said[1:-1]] == [topics.state("hall", device.id) for device in house.config.devices]
    topic, payload, retained, expiry = said[-1]
    assert (topic, retained, expiry) == (topics.availability("hall"), True, 75.0)
    online = messages.decode(Availability, payload)
    assert (online.status, online.session) == ("online", "s1")
    description = messages.decode(Description, said[0][1])
    assert description.room == "hall"
    assert {device.id: device.safe_actions for device in description.devices}["front-door"] == ("lock",)
    assert all(retained for _, _, retained, _ in said)


def test_a_gateway_that_is_new_is_told_again_and_one_that_is_known_is_not(house: House) -> None:
    def count() -> int:
        return len(house.link.heard(Availability, topics.availability("hall")))

    before = count()
    house.heartbeat()
    assert count() == before
    house.heartbeat("g2")
    house.heartbeat("x", gateway="gateway-2")
    assert count() == before + 2
    house.heartbeat("g3", retained=True)
    house.heartbeat("g3", gateway="auth")
    assert count() == before + 2


def test_the_heartbeat_comes_every_thirty_seconds_while_the_link_is_up(house: House) -> None:
    before = len(house.link.heard(Availability, topics.availability("hall")))
    house.advance(95)
    assert len(house.link.heard(Availability, topics.availability("hall"))) == before + 3
    house.agent.take(Down(None, "gone"), house.now)
    house.advance(100)
    assert len(house.link.heard(Availability, topics.availability("hall"))) == before + 3


def test_after_a_reconnect_everything_is_told_again(house: House) -> None:
    house.agent.take(Down(None, "gone"), house.now)
    house.link.said.clear()
    house.agent.take(Up(None), house.now)
    assert house.link.said[0][0] == topics.description("hall")
    assert house.link.said[-1][0] == topics.availability("hall")


def test_a_device_that_went_is_cleared_from_the_broker_until_that_is_surely_there(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.die()
    house.config = room_config(tmp_path, DEVICES[1:])
    for _ in range(2):  # the second process does not know whether the broker took what the first one said
        house.born()
        assert (topics.state("hall", "lamp"), b"", True, None) in house.link.said
        assert "lamp" not in {
            device.id for device in house.link.heard(Description, topics.description("hall"))[0].devices
        }
        house.die()
    house.born()
    house.advance(31)
    house.restart()
    assert topics.state("hall", "lamp") not in {topic for topic, *_ in house.link.said}
    house.die()


def test_what_began_before_the_clock_was_set_began_that_much_later(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.wall_shift = -WALL
    house.restart()
    house.heartbeat()
    house.command("lamp", "on")
    assert house.state("lamp").since.year == 1970
    house.advance(20)
    began = house.now - 20
    house.wall_shift = 0.0
    house.advance(20)
    assert house.state("lamp").since == messages.utc(WALL + began)
    assert house.pins.waveform == [(LAMP, 1)]
    house.die()


@pytest.mark.parametrize("jump", [-1e9, -3600.0, -60.0, 60.0, 3600.0, 1e8])
def test_a_clock_that_jumps_moves_no_pin_and_forgives_no_late_command(tmp_path: Path, jump: float) -> None:
    house = House(tmp_path)
    house.hub_ahead = 0.0
    house.heartbeat()
    house.command("lamp", "on", id="a")
    waveform = list(house.pins.waveform)
    house.advance(12)
    house.wall_shift = jump
    house.advance(12)
    assert house.pins.waveform == waveform
    house.heartbeat()
    for issuer in ("phone", "gateway"):
        for age in (6.0, 50.0, 3000.0):
            assert said(house.command("lamp", "off", id=f"{issuer}{age}", issuer=issuer, age=age))[0] == "expired"
    assert house.pins.waveform == waveform
    assert said(house.command("lamp", "off", id="b")) == ("executed", None)
    house.die()


# --- commands --------------------------------------------------------------------------------------------------


def test_a_command_moves_the_pin_and_tells_state_then_answer(house: House) -> None:
    house.link.said.clear()
    ack = house.command("lamp", "on")
    assert said(ack) == ("executed", None)
    assert house.pins.waveform == [(LAMP, 1)]
    assert [topic for topic, *_ in house.link.said] == [
        topics.state("hall", "lamp"),
        topics.acknowledgement("hall", "lamp"),
    ]
    state = house.state("lamp")
    assert (state.value, state.by.source, state.by.issuer, state.by.command_id) == ("on", "command", "gateway", "c1")
    assert ack is not None
    assert ack.state == state
    assert house.link.done == 2  # the heartbeat and the command


def test_a_plain_command_by_hand_needs_neither_id_nor_time(house: House) -> None:
    ack = house.command("lamp", "on", issuer="phone", id=None, issued_at=None)
    assert said(ack) == ("executed", None)
    assert ack is not None
    assert len(ack.id) == 32


def test_a_repeat_is_answered_alike_and_moves_nothing(house: House) -> None:
    first = house.command("lamp", "on", id="a")
    house.command("lamp", "off", id="b")
    again = house.command("lamp", "on", id="a")
    assert first is not None
    assert again == msgspec.structs.replace(first, repeated=True)
    assert house.pins.waveform == [(LAMP, 1), (LAMP, 0)]
    assert house.state("lamp").value == "off"


def test_a_repeat_is_answered_alike_after_a_restart_and_however_late(house: House) -> None:
    first = house.command("lamp", "on", id="a")
    house.restart()
    house.heartbeat()
    assert first is not None
    assert house.command("lamp", "on", id="a", age=60) == msgspec.structs.replace(first, repeated=True)
    assert house.pins.waveform == [(LAMP, 1)]


def test_a_refusal_is_repeated_too(house: House) -> None:
    assert said(house.command("gate", "press", id="a")) == ("executed", None)
    assert said(house.command("gate", "press", id="b")) == ("rejected", "too-soon")
    house.advance(5)
    assert said(house.command("gate", "press", id="b")) == ("rejected", "too-soon")
    assert said(house.command("gate", "press", id="c")) == ("executed", None)


@pytest.mark.parametrize(
    "other",
    [
        {"device": "lamp", "action": "off"},
        {"device": "kettle", "action": "on"},
    ],
)
def test_an_id_that_is_used_for_something_else_is_a_security_event(house: House, other: dict[str, str]) -> None:
    house.command("lamp", "on", id="a", user=ADA)
    assert said(house.command(**other, id="a", user=ADA)) == ("rejected", "id-reused")  # type: ignore[arg-type]  # by name
    assert house.pins.waveform == [(LAMP, 1)]
    (event,) = house.events()
    assert (event.severity, event.detail["reason"]) == ("security", "id-reused")


@pytest.mark.parametrize(("device", "action", "pin"), [("gate", "press", GATE), ("front-door", "unlock", DOOR)])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_wish_that_comes_through_a_second_gateway_is_the_same_wish(
    house: House, device: str, action: str, pin: int, restarted: bool
) -> None:
    first = house.command(device, action, id="a", user=ADA)
    house.advance(5)
    if restarted:
        house.restart()
        house.heartbeat()
    house.heartbeat("x", gateway="gateway-2")
    again = house.command(device, action, id="a", user=ADA, issuer="gateway-2")
    assert first is not None
    assert again == msgspec.structs.replace(first, repeated=True)
    house.advance(5)
    assert house.pins.waveform.count((pin, 1)) == 1


@pytest.mark.parametrize(
    ("device", "action", "waits"),
    [("front-door", "unlock", True), ("gate", "press", True), ("front-door", "lock", False), ("lamp", "on", False)],
)
def test_what_may_not_be_done_twice_is_on_the_disk_first_and_what_is_safe_waits_for_none(
    house: House, device: str, action: str, waits: bool
) -> None:
    begin, waited = house.ledger.begin, []

    def watched(intent: Intent, *asked: AuditEvent, synced: bool) -> bool:
        waited.append((synced, list(house.pins.waveform)))
        return begin(intent, *asked, synced=synced)

    house.ledger.begin = watched  # type: ignore[method-assign]  # looks over the shoulder
    assert said(house.command(device, action)) == ("executed", None)
    assert waited == [(waits, [])], "before anything has moved"


def test_the_same_id_of_another_person_is_another_command(house: House) -> None:
    house.command("lamp", "on", id="a", user=ADA)
    assert said(house.command("lamp", "off", id="a", user={"id": "u2", "name": "Eve"})) == ("executed", None)


@pytest.mark.parametrize(("device", "action"), [("lamp", "on"), ("front-door", "unlock"), ("front-door", "lock")])
@pytest.mark.parametrize("age", [0.0, 60.0])
def test_who_only_wants_the_recorded_answer_moves_nothing(house: House, device: str, action: str, age: float) -> None:
    house.command("front-door", "unlock", id="before")
    waveform, events = list(house.pins.waveform), house.events()
    unknown = house.command(device, action, id="a", recall=True, age=age)
    assert said(unknown) == ("rejected", "id-used")
    assert (house.pins.waveform, house.events()) == (waveform, events)
    done = house.command(device, action, id="a")
    assert said(done) == ("executed", None), "asking alone makes no id known"
    again = house.command(device, action, id="a", recall=True, age=age)
    assert done is not None
    assert again == msgspec.structs.replace(done, repeated=True)


def test_the_same_id_of_another_issuer_is_another_command(house: House) -> None:
    house.command("lamp", "on", id="a")
    assert said(house.command("lamp", "off", id="a", issuer="phone")) == ("executed", None)


@pytest.mark.parametrize("device", ["front-door", "gate", "blind"])
@pytest.mark.parametrize("missing", ["id", "issued_at"])
def test_what_matters_wants_id_and_time(house: House, device: str, missing: str) -> None:
    action = {"front-door": "unlock", "gate": "press", "blind": "open"}[device]
    assert said(house.command(device, action, **{missing: None})) == ("rejected", "unstamped")  # type: ignore[arg-type]  # by name
    assert house.pins.waveform == []


def test_late_commands_expire(house: House) -> None:
    assert said(house.command("lamp", "on", age=5.2)) == ("expired", "expired")
    assert said(house.command("lamp", "on", id="p", issuer="phone", age=5.2)) == ("expired", "expired")
    assert said(house.command("lamp", "on", id="f", age=-9)) == ("rejected", "unstamped")
    assert said(house.command("lamp", "on", id="g", age=4.8)) == ("executed", None)


def test_whose_time_is_ahead_is_told_by_how_much_and_that_it_counts_in_seconds(house: House) -> None:
    answer = house.command("front-door", "unlock", id="f", issuer="phone", age=-90)
    assert said(answer) == ("rejected", "unstamped")
    assert answer is not None
    assert answer.detail is not None
    assert "issued_at is 90 s ahead of this home's clock" in answer.detail
    assert "not milliseconds" in answer.detail


def test_a_gateway_is_not_obeyed_before_its_clock_is_known_save_for_safety(house: House) -> None:
    assert said(house.command("lamp", "on", issuer="gateway-2")) == ("expired", "expired")
    house.heartbeat("x", gateway="gateway-2", retained=True)
    assert said(house.command("lamp", "on", id="b", issuer="gateway-2")) == ("expired", "expired")
    assert said(house.command("front-door", "lock", id="c", issuer="gateway-2")) == ("executed", None)
    house.heartbeat("x", gateway="gateway-2")
    assert said(house.command("lamp", "on", id="d", issuer="gateway-2")) == ("executed", None)


def test_a_disk_that_takes_too_long_makes_a_command_late(house: House) -> None:
    begin = house.ledger.begin

    def slow(*arguments: object, **options: object) -> bool:
        house.now += 6
        return begin(*arguments, **options)  # type: ignore[arg-type]  # handed on as they are

    house.ledger.begin = slow  # type: ignore[method-assign]  # this disk hangs
    assert said(house.command("front-door", "unlock")) == ("expired", "expired")
    assert house.pins.waveform == []
    assert said(house.command("front-door", "unlock")) == ("expired", "expired")


def test_retained_commands_are_refused_and_told_as_a_security_event(house: House) -> None:
    assert said(house.command("front-door", "unlock", retained=True)) == ("rejected", "retained")
    assert house.pins.waveform == []
    (event,) = house.events()
    assert (event.severity, event.outcome) == ("security", "rejected")


@pytest.mark.parametrize(
    ("device", "payload", "advice"),
    [
        ("lamp", b'{"action":"ON"}', "lamp is a switch: it has on, off."),
        ("blind", b'{"action":"toggle"}', "blind is a cover: it has open, close, stop, set."),
        ("contact", b'{"action":"toggle"}', "it only reports"),
        ("blind", b"open", 'such as {"action": "open"}.'),
        ("lamp", b"", 'such as {"action": "on"}.'),
        ("lamp", b'"on"', 'such as {"action": "on"}.'),
        ("lamp", b"1", 'such as {"action": "on"}.'),
        ("contact", b"on", "it only reports"),
    ],
)
def test_who_writes_a_command_otherwise_is_told_how(house: House, device: str, payload: bytes, advice: str) -> None:
    house.hear(topics.command("hall", device, "phone"), payload)
    answer = house.link.heard(Acknowledgement, topics.acknowledgement("hall", device))[-1]
    assert said(answer) == ("rejected", "malformed")
    assert answer.detail is not None
    assert advice in answer.detail


@pytest.mark.parametrize(
    ("device", "payload", "reason"),
    [
        ("lamp", b"{", "malformed"),
        ("lamp", b'{"action":"explode","id":"x"}', "malformed"),
        ("lamp", b'{"action":"on","id":"x","value":"much"}', "malformed"),
        ("lamp", b"\xff\xfe", "malformed"),
        ("lamp", b'{"action":' + b"[" * 5000 + b"}", "malformed"),
        ("cellar", b'{"action":"on","id":"x"}', "unknown-device"),
        ("lamp", b'{"action":"lock","id":"x"}', "unknown-action"),
        ("contact", b'{"action":"on","id":"x"}', "unknown-action"),
        ("lamp", b'{"action":"on","id":"x","value":5}', "invalid-value"),
        ("dimmer", b'{"action":"set","id":"x"}', "invalid-value"),
        ("dimmer", b'{"action":"set","id":"x","value":101}', "invalid-value"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(house: House, device: str, payload: bytes, reason: str) -> None:
    house.hear(topics.command("hall", device, "phone"), payload)
    ack = house.link.heard(Acknowledgement, topics.acknowledgement("hall", device))[-1]
    assert said(ack) == ("rejected", reason)
    assert (ack.id == "x") == (b'"x"' in payload)
    assert house.pins.waveform == []
    (event,) = house.events()
    assert (event.who.issuer, event.outcome, event.detail["reason"]) == ("phone", "rejected", reason)


def test_a_device_that_could_be_no_name_is_not_echoed(house: House) -> None:
    before = len(house.link.said)
    house.hear("home/hall/Not A Name/set/gateway", b'{"action":"on"}')
    house.hear("home/hall/Not A Name/set/gateway", b"{")
    house.hear("home/somewhere", b"x")
    assert len(house.link.said) == before


# --- critical devices and proof ----------------------------------------------------------------------------------


def test_a_critical_command_of_a_gateway_leaves_one_event_with_its_user(house: House) -> None:
    house.command("front-door", "unlock", user={"id": "u1", "name": "Ada"}, origin="10.0.0.7")
    (event,) = house.events()
    assert (event.what, event.where, event.outcome, event.severity) == (
        "device:unlock",
        "hall/front-door",
        "executed",
        "critical",
    )
    assert event.who.user is not None
    assert (event.who.issuer, event.who.user.name, event.who.address) == ("gateway", "Ada", "10.0.0.7")
    assert event.command_id == "c1"
    assert house.link.heard(AuditEvent, topics.audit("hall")) == [event]


def test_a_critical_command_of_a_trusted_client_is_spooled_before_it_acts_and_its_user_is_not_believed(
    house: House,
) -> None:
    house.command("front-door", "unlock", issuer="phone", user={"id": "u1", "name": "Ada"})
    asked, executed = house.events()
    assert (asked.outcome, executed.outcome) == ("asked", "executed")
    assert asked.who.user is executed.who.user is None


def test_a_plain_command_of_a_gateway_leaves_its_event_to_the_gateway(house: House) -> None:
    house.command("lamp", "on")
    assert house.events() == []
    house.command("lamp", "off", issuer="phone")
    (event,) = house.events()
    assert event.severity == "info"


def test_events_are_sent_again_until_receipted(house: House) -> None:
    house.command("front-door", "unlock")
    house.advance(10)
    sent = house.link.heard(AuditEvent, topics.audit("hall"))
    assert len(sent) > 1
    assert len({event.id for event in sent}) == 1
    receipt = Receipt(events=(ReceiptLine(id=sent[0].id, row=1, hash="h"),))
    house.hear(topics.receipt("hall"), receipt)
    before = len(sent)
    house.advance(300)
    assert len(house.link.heard(AuditEvent, topics.audit("hall"))) == before
    house.hear(topics.resend("hall"), Resend(seq=(sent[0].seq,)))
    assert len(house.link.heard(AuditEvent, topics.audit("hall"))) == before + 1
    house.hear(topics.receipt("hall"), b"nonsense")


def test_events_of_a_time_without_link_are_sent_when_it_is_back(house: House) -> None:
    house.agent.take(Down(None, "gone"), house.now)
    house.command("front-door", "unlock")
    house.advance(30)
    assert house.link.heard(AuditEvent, topics.audit("hall")) == []
    house.agent.take(Up(None), house.now)
    house.advance(1)
    assert len(house.link.heard(AuditEvent, topics.audit("hall"))) == 1


# --- a full disk -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["lamp", "front-door", "gate"])
def test_where_the_ledger_cannot_be_written_nothing_moves(house: House, device: str) -> None:
    house.ledger.full = True
    action = {"lamp": "on", "front-door": "unlock", "gate": "press"}[device]
    assert said(house.command(device, action)) == ("failed", "ledger-failed")
    assert house.pins.waveform == []
    house.ledger.full = False
    assert said(house.command(device, action)) == ("executed", None)


def test_a_safe_action_is_obeyed_with_a_full_disk_and_written_down_later(house: House) -> None:
    house.command("front-door", "unlock", id="a")
    house.ledger.full = True
    assert said(house.command("front-door", "lock", id="b")) == ("executed", None)
    assert house.pins.levels[DOOR] == 0
    assert [event.what for event in house.events()] == ["device:unlock"]
    assert said(house.command("front-door", "lock", id="b")) == ("executed", None)
    house.ledger.full = False
    house.advance(11)
    assert [event.what for event in house.events()] == ["device:unlock", "device:lock"]
    house.restart()
    assert said(house.command("front-door", "lock", id="b", age=9)) == ("executed", None)


def test_an_outcome_that_cannot_be_written_is_answered_alike_from_memory(house: House) -> None:
    house.kill_at = None
    begin = house.ledger.begin

    def fill_up_after(*arguments: object, **options: object) -> bool:
        begun = begin(*arguments, **options)  # type: ignore[arg-type]  # handed on as they are
        house.ledger.full = True
        return begun

    house.ledger.begin = fill_up_after  # type: ignore[method-assign]  # the last free page was the intent's
    first = house.command("lamp", "on", id="a")
    assert said(first) == ("executed", None)
    assert first is not None
    assert house.command("lamp", "on", id="a") == msgspec.structs.replace(first, repeated=True)
    assert said(house.command("lamp", "off", id="a")) == ("rejected", "id-reused")
    assert house.pins.waveform == [(LAMP, 1)]


def test_a_ledger_that_cannot_be_read_stops_all_but_safe_actions(house: House) -> None:
    house.ledger.unreadable = True
    house.ledger.full = True
    assert said(house.command("front-door", "unlock")) == ("failed", "ledger-failed")
    assert said(house.command("lamp", "on", age=9)) == ("failed", "ledger-failed")
    assert said(house.command("front-door", "lock", id="b")) == ("executed", None)


# --- pins that do not follow --------------------------------------------------------------------------------------


def test_a_pin_that_does_not_follow_fails_and_the_state_says_what_is_so(house: House) -> None:
    house.pins.stuck.add(LAMP)
    assert said(house.command("lamp", "on")) == ("failed", "pin-failed")
    assert house.state("lamp").value == "off"
    house.pins.stuck.add(DOOR)
    assert said(house.command("front-door", "unlock", id="b")) == ("failed", "pin-failed")
    assert house.state("front-door").value == "jammed"
    mismatch, command, other = house.events()
    assert (command.outcome, command.detail["reason"]) == ("failed", "pin-failed")
    assert [(e.what, e.where, e.severity) for e in (mismatch, other)] == [
        ("device:mismatch", "hall/lamp", "critical"),
        ("device:mismatch", "hall/front-door", "critical"),
    ]
    assert mismatch.detail == {"pin": "17", "wrote": "1", "reads": "0"}


def test_a_pin_that_breaks_fails_its_command_alone(house: House) -> None:
    house.pins.broken.add(LAMP)
    assert said(house.command("lamp", "on")) == ("failed", "pin-failed")
    assert said(house.command("kettle", "on", id="b")) == ("executed", None)


def test_what_only_the_agent_ends_is_tried_until_it_ends(house: House) -> None:
    house.command("kettle", "on")
    house.pins.broken.add(KETTLE)
    house.advance(605)
    assert house.state("kettle").value == "on"
    house.pins.broken.clear()
    house.advance(2)
    assert house.state("kettle").value == "off"


# --- timers and inputs --------------------------------------------------------------------------------------------


def test_max_on_switches_off_and_says_so(house: House) -> None:
    house.command("kettle", "on")
    house.heartbeat()
    house.advance(50)
    for _ in range(60):
        house.heartbeat()
        house.advance(10)
    state = house.state("kettle")
    assert (state.value, state.by.source) == ("off", "timer")


def test_a_pulse_is_one_edge_up_and_one_down(house: House) -> None:
    house.command("gate", "press")
    house.advance(0.49)
    assert house.pins.waveform == [(GATE, 1)]
    house.advance(0.02)
    assert house.pins.waveform == [(GATE, 1), (GATE, 0)]
    assert house.state("gate").by.command_id == "c1"


def test_a_cover_reports_its_way_and_its_end(house: House) -> None:
    house.advance(1)  # no relay of a cover is switched on within its dead time after a start
    assert said(house.command("blind", "close")) == ("executed", None)
    assert house.state("blind").value == CoverValue(position=None, moving="closing")
    house.advance(23)
    assert house.state("blind").value == CoverValue(position=0, moving=None)
    house.restart()
    assert house.state("blind").value == CoverValue(position=0, moving=None)


def test_inputs_tell_states_and_events(house: House) -> None:
    house.edge(22, 0)
    house.advance(1)
    state = house.state("contact")
    assert (state.value, state.by.source) == ("open", "input")
    house.edge(23, 1)
    house.advance(0.1)
    house.edge(23, 0)
    house.advance(1)
    (event,) = house.link.heard(InputEvent, topics.event("hall", "doorbell"))
    assert event.event == "press"
    assert (topics.event("hall", "doorbell"), False, 5.0) in [(t, r, e) for t, _, r, e in house.link.said]
    house.edge(4, 1)
    house.advance(1)
    assert house.state("hallway").value == "motion"


def test_clocks_that_disagree_are_told_once(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.advance(65)
    said = [record.message for record in caplog.records if "Clocks" in record.message]
    assert said == ["Clocks disagree: trusted clients may be refused"]
    house.hub_ahead = 0.0
    house.heartbeat()
    house.advance(65)
    assert [record.message for record in caplog.records if "Clocks" in record.message][1:] == ["Clocks agree again"]


# --- lockdown and a lost hub --------------------------------------------------------------------------------------


def test_a_lockdown_leaves_only_what_is_safe(house: House) -> None:
    house.command("lamp", "on", id="a")
    house.hear(topics.LOCKDOWN, Lockdown(active=True, at=messages.utc(house.wall())), retained=True)
    assert said(house.command("lamp", "on", id="b")) == ("rejected", "lockdown")
    assert said(house.command("lamp", "off", id="c")) == ("executed", None)
    house.hear(topics.LOCKDOWN, b"")
    assert said(house.command("lamp", "on", id="d")) == ("executed", None)


def test_without_any_gateway_outputs_fall_to_their_policy_once(house: House) -> None:
    house.command("kettle", "on")
    house.command("lamp", "on", id="b")
    house.advance(55)
    assert house.state("kettle").value == "on"
    house.advance(10)
    state = house.state("kettle")
    assert (state.value, state.by.source) == ("off", "failsafe")
    assert house.state("lamp").value == "on"
    waveform = list(house.pins.waveform)
    house.advance(500)
    assert house.pins.waveform == waveform


def test_a_gateway_heard_in_time_keeps_everything_as_it_is(house: House) -> None:
    house.command("kettle", "on")
    for _ in range(20):
        house.advance(5)
        house.heartbeat()
    assert house.state("kettle").value == "on"


# --- start and stop -----------------------------------------------------------------------------------------------


def test_a_restart_clicks_nothing_that_is_to_stay_and_keeps_since(house: House) -> None:
    house.command("lamp", "on", id="a")
    house.command("dimmer", "set", id="b", value=40)
    before = house.state("lamp")
    waveform = list(house.pins.waveform)
    for _ in range(5):
        house.now += 60
        house.restart()
    assert house.pins.waveform == waveform
    assert house.state("lamp") == before
    assert house.state("dimmer").value == 40


def test_a_restart_locks_and_ends_what_was_timed(house: House) -> None:
    house.command("front-door", "unlock", id="a")
    house.command("kettle", "on", id="b")
    house.command("gate", "press", id="c")
    house.restart()
    assert [house.pins.levels[pin] for pin in (DOOR, KETTLE, GATE)] == [0, 0, 0]
    house.heartbeat()
    assert said(house.command("gate", "press", id="d")) == ("rejected", "too-soon")


def test_a_stop_ends_what_must_not_go_on_and_says_goodbye(house: House) -> None:
    house.command("lamp", "on", id="a")
    house.command("kettle", "on", id="b")
    house.command("gate", "press", id="c")
    house.command("blind", "open", id="d")
    house.agent.stop()
    assert house.link.closed
    assert {pin for pin, level in house.pins.levels.items() if level} == {LAMP}
    house.born()
    assert house.state("lamp").value == "on"
    assert house.state("lamp").by.command_id == "a"


# --- killed in the middle -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["committed", "moved", "finished", "stated", "answered"])
@pytest.mark.parametrize(
    ("device", "action", "pin"), [("lamp", "on", LAMP), ("front-door", "unlock", DOOR), ("gate", "press", GATE)]
)
def test_killed_anywhere_there_is_never_a_second_edge_and_never_a_false_word(
    house: House, point: str, device: str, action: str, pin: int
) -> None:
    house.kill_at = point
    house.command(device, action, id="a")
    moved = (pin, 1) in house.pins.waveform
    assert moved == (point != "committed")
    house.restart()
    house.heartbeat()
    finished = point not in {"committed", "moved"}
    for _ in range(3):
        expected = ("executed", None) if finished else ("failed", "interrupted")
        assert said(house.command(device, action, id="a")) == expected
        house.advance(2)
        house.restart()
        house.heartbeat()
    assert house.pins.waveform.count((pin, 1)) == moved
    events = [event for event in house.events() if event.command_id == "a"]
    if device == "front-door":
        (event,) = events
        assert event.outcome == ("executed" if finished else "failed")
    else:
        assert events == []


def test_an_interruption_that_cannot_be_written_is_answered_alike_nevertheless(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.kill_at = "moved"
    house.command("front-door", "unlock", id="a")
    house.die()
    monkeypatch.setattr("tests.unit.device_agents.fakes.FragileLedger.full", True)
    house.born()
    house.heartbeat()
    assert said(house.command("front-door", "unlock", id="a")) == ("failed", "interrupted")
    monkeypatch.undo()
    house.restart()
    assert len(house.events()) == 1
    assert house.pins.waveform == [(DOOR, 1), (DOOR, 0)]


def test_states_are_values_of_their_kinds(house: House) -> None:
    values = {
        device.id: house.link.heard(State, topics.state("hall", device.id))[0].value for device in house.config.devices
    }
    assert values == {
        "lamp": "off",
        "front-door": "locked",
        "kettle": "off",
        "dimmer": 0,
        "blind": CoverValue(position=None, moving=None),
        "gate": None,
        "contact": "closed",
        "doorbell": None,
        "hallway": "clear",
    }


# --- a slow link -----------------------------------------------------------------------------------------------


def test_on_a_slow_link_a_gateways_command_is_taken_for_late_and_a_safe_one_is_obeyed(house: House) -> None:
    house.link.slow = True
    assert said(house.command("lamp", "on")) == ("expired", "expired")
    assert said(house.command("front-door", "lock", id="c2")) == ("executed", None)
    house.link.slow = False
    assert said(house.command("lamp", "on", id="c3")) == ("executed", None)


def test_a_heartbeat_that_comes_over_a_slow_link_teaches_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.link.slow = True
    house.heartbeat()
    house.link.slow = False
    assert said(house.command("lamp", "on")) == ("expired", "expired")
    house.heartbeat()
    assert said(house.command("lamp", "on", id="c2")) == ("executed", None)
    house.die()


def test_an_earlier_agent_that_ended_unasked_is_told_once(house: House, tmp_path: Path) -> None:
    note = tmp_path / "ended"
    note.write_text("1700000000000 watchdog ABRT\n1700000009000 signal KILL\n")
    house.agent.tell_ends(tmp_path)
    house.agent.tell_ends(tmp_path)
    house.agent.tell_ends(None)
    (told,) = [event for event in house.ledger.spool.pending(100) if event.what == "service:replaced"]
    assert (told.where, told.who.issuer) == ("hall", "hall")
    assert told.detail == {"because": "it was ended by the signal KILL", "times": "2"}
    assert not note.exists()


def test_an_agent_that_ends_again_and_again_is_one_event_in_ten_minutes(house: House, tmp_path: Path) -> None:
    """Each is a letter, and nobody reads six hundred of them."""
    for second in range(1200):
        with (tmp_path / "ended").open("a") as note:
            note.write(f"{1700000000000 + second * 1000} exit-code 1\n")
        house.agent.tell_ends(tmp_path)
        house.now += 1
    told = [event.detail for event in house.ledger.spool.pending(100) if event.what == "service:replaced"]
    because = "it failed with the exit code 1"
    assert told == [{"because": because}, {"because": because, "times": "600"}]


def test_a_note_that_cannot_be_read_keeps_no_agent_from_starting(house: House, tmp_path: Path) -> None:
    (tmp_path / "ended").mkdir()
    house.agent.tell_ends(tmp_path)
    assert not house.ledger.spool.pending(100)


def test_what_the_broker_refused_is_said_again_once_the_hub_may_know_the_devices(house: House) -> None:
    house.link.said.clear()
    house.agent.take(Refused(), house.now)
    house.agent.take(Refused(), house.now)
    house.advance(1.0)
    states = [topic for topic, *_ in house.link.said if topic.endswith("/state")]
    assert states == [topics.state("hall", device.id) for device in house.config.devices]
    house.link.said.clear()
    house.advance(20.0)
    assert not [topic for topic, *_ in house.link.said if topic.endswith("/state")], "nothing was refused any more"


def test_what_is_refused_again_and_again_is_said_ever_more_seldom(house: House) -> None:
    house.link.said.clear()
    for _ in range(300):
        house.agent.take(Refused(), house.now)
        house.advance(1.0)
    lamps = [topic for topic, *_ in house.link.said if topic == topics.state("hall", "lamp")]
    assert 5 < len(lamps) < 30


# --- who moved a cover -------------------------------------------------------------------------------------------


def test_a_cover_stands_where_it_does_by_the_command_that_sent_it_there(house: House) -> None:
    house.command("blind", "close", id="close-1")
    house.advance(1.0)
    house.command("blind", "open", id="open-1")  # both relays rest first
    assert house.state("blind").value == CoverValue(position=None, moving=None)
    house.advance(1.0)
    assert house.state("blind").value == CoverValue(position=None, moving="opening")
    assert house.state("blind").by == By(source="command", issuer="gateway", command_id="open-1")
    house.advance(30.0)
    house.heartbeat()
    assert house.state("blind").value == CoverValue(position=100, moving=None)
    assert house.state("blind").by == By(source="command", issuer="gateway", command_id="open-1")
    answer = house.command("blind", "set", value=40, id="set-1")
    assert answer is not None
    assert answer.state is not None
    assert answer.state.value == CoverValue(position=100, moving="closing"), "it has not arrived yet, and says so"
    house.advance(20.0)
    assert house.state("blind").value == CoverValue(position=40, moving=None)
    assert house.state("blind").by.command_id == "set-1"


def test_what_max_on_ends_is_still_a_timers_doing(house: House) -> None:
    house.command("kettle", "on")
    for _ in range(61):
        house.advance(10.0)
        house.heartbeat()
    assert (house.state("kettle").value, house.state("kettle").by.source) == ("off", "timer")


# --- what a client leaves behind ---------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["kettle", "iron"])
def test_no_last_will_switches_on_what_may_not_stay_on(tmp_path: Path, device: str) -> None:
    iron = {"id": "iron", "name": "Iron", "kind": "switch", "pin": 16, "stamped": True}
    house = House(tmp_path, (*DEVICES, iron))
    house.hub_ahead = 0.0
    house.heartbeat()
    will: dict[str, Any] = {"issuer": "phone", "issued_at": None}
    edges = list(house.pins.waveform)
    for id_ in (None, "w1"):
        assert said(house.command(device, "on", **will, id=id_)) == ("rejected", "unstamped")
    assert said(house.command(device, "on", issuer="phone", id=None)) == ("rejected", "unstamped")
    assert house.pins.waveform == edges
    assert said(house.command(device, "off", **will, id=None)) == ("executed", None), "off asks for nothing"
    assert said(house.command(device, "on", issuer="phone", id="w2")) == ("executed", None)
    assert said(house.command("lamp", "on", **will, id=None)) == ("executed", None), "a plain lamp goes on as before"
    house.die()
