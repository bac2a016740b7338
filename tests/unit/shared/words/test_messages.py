"""One shape per message: the golden JSON is the wire's contract, and every message survives the way there and back."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.words import messages
from shared.words.messages import (
    Acknowledgement,
    AuditEvent,
    Availability,
    By,
    Command,
    CoverValue,
    Description,
    DeviceDescription,
    InputEvent,
    Lockdown,
    Lockouts,
    Message,
    Receipt,
    ReceiptLine,
    Resend,
    Revoked,
    State,
    UserRef,
    Who,
)
from shared.words.names import Action, Kind, Outcome, Severity
from shared.words.problem import HomeError
from shared.words.renewing import Authorities, Certificate, Csr
from shared.words.room_file import Complaint, FileAnswer, OfferedPin, RoomFile, RoomSettings

AT = datetime(2026, 11, 23, 20, 45, 18, 123000, tzinfo=UTC)
WHEN = "2026-11-23T20:45:18.123000Z"
ADA = UserRef(id="u1", name="Ada")

GOLDEN: list[tuple[Message, str]] = [
    (Csr(csr="-----BEGIN"), '{"csr":"-----BEGIN"}'),
    (Csr(csr="-----BEGIN", follows=True), '{"csr":"-----BEGIN","follows":true}'),
    (Certificate(certificate="-----BEGIN"), '{"certificate":"-----BEGIN"}'),
    (
        Certificate(certificate="-----BEGIN", authorities=("new", "old"), voucher="new by old"),
        '{"certificate":"-----BEGIN","authorities":["new","old"],"voucher":"new by old"}',
    ),
    (
        Authorities(signs="ab" * 32, believed=("ab" * 32, "cd" * 32)),
        f'{{"signs":"{"ab" * 32}","believed":["{"ab" * 32}","{"cd" * 32}"]}}',
    ),
    (
        RoomSettings(id="s-1", of="0" * 64, devices=({"id": "lamp", "pin": 17},)),
        '{"id":"s-1","of":"' + "0" * 64 + '","devices":[{"id":"lamp","pin":17}]}',
    ),
    (
        RoomFile(
            room="hall",
            version="0" * 64,
            devices=({"id": "lamp", "pin": 17},),
            pins=(OfferedPin(line=17, name="GPIO17", place=11, quiet=True),),
            answer=FileAnswer(
                id="s-1",
                outcome="refused",
                at=AT,
                complaints=(Complaint(text="there is no pin 77", device="lamp", setting="pin"),),
            ),
        ),
        '{"room":"hall","version":"' + "0" * 64 + '","devices":[{"id":"lamp","pin":17}],'
        '"pins":[{"line":17,"name":"GPIO17","place":11,"quiet":true}],'
        '"answer":{"id":"s-1","outcome":"refused","at":"' + WHEN + '",'
        '"complaints":[{"text":"there is no pin 77","device":"lamp","setting":"pin"}]}}',
    ),
    (Command(action=Action.ON), '{"action":"on"}'),
    (
        Command(action=Action.SET, value=0, id="c-1", issued_at=AT, user=ADA, origin="192.0.2.7"),
        '{"action":"set","value":0,"id":"c-1","issued_at":"' + WHEN + '","user":{"id":"u1","name":"Ada"},'
        '"origin":"192.0.2.7"}',
    ),
    (Command(action=Action.LOCK, issued_at=1.5), '{"action":"lock","issued_at":1.5}'),
    (
        Acknowledgement(id="c-1", outcome=Outcome.REJECTED, at=AT, reason="interlocked"),
        '{"id":"c-1","outcome":"rejected","at":"' + WHEN + '","reason":"interlocked"}',
    ),
    (
        State(value="on", since=AT, by=By(source="command", issuer="phone", command_id="c-1")),
        '{"value":"on","since":"' + WHEN + '","by":{"source":"command","issuer":"phone","command_id":"c-1"}}',
    ),
    (
        State(value=CoverValue(position=None, moving="opening"), since=AT, by=By(source="boot")),
        '{"value":{"position":null,"moving":"opening"},"since":"' + WHEN + '","by":{"source":"boot"}}',
    ),
    (
        State(value=None, since=AT, by=By(source="input")),
        '{"value":null,"since":"' + WHEN + '","by":{"source":"input"}}',
    ),
    (InputEvent(event="press", at=AT), '{"event":"press","at":"' + WHEN + '"}'),
    (
        Description(
            room="hall",
            name="Hall",
            agent_version="1",
            devices=(
                DeviceDescription(
                    id="front-door",
                    name="Front door",
                    kind=Kind.LOCK,
                    critical=True,
                    confirm=True,
                    actions=(Action.LOCK, Action.UNLOCK),
                    safe_actions=(Action.LOCK,),
                    pulse_ms=500,
                ),
            ),
        ),
        '{"room":"hall","name":"Hall","agent_version":"1","devices":[{"id":"front-door","name":"Front door",'
        '"kind":"lock","critical":true,"confirm":true,"actions":["lock","unlock"],"safe_actions":["lock"],'
        '"pulse_ms":500}]}',
    ),
    (
        Availability(status="online", at=AT, session="ab12"),
        '{"status":"online","at":"' + WHEN + '","session":"ab12"}',
    ),
    (Revoked(sessions=("s1", "s2")), '{"sessions":["s1","s2"]}'),
    (
        State(value="on", since=AT, by=By(source="failsafe"), fault="mismatch"),
        '{"value":"on","since":"' + WHEN + '","by":{"source":"failsafe"},"fault":"mismatch"}',
    ),
    (Lockouts(devices=("hall/lamp",), at=AT), '{"devices":["hall/lamp"],"at":"' + WHEN + '"}'),
    (Lockdown(active=True, at=AT), '{"active":true,"at":"' + WHEN + '"}'),
    (
        AuditEvent(
            id="e-1",
            seq=7,
            at=AT,
            what="device:unlock",
            where="hall/front-door",
            who=Who(issuer="gateway", user=ADA, address="192.0.2.7"),
            outcome=Outcome.EXECUTED,
            severity=Severity.CRITICAL,
            command_id="c-1",
            detail={"reason": "x"},
        ),
        '{"id":"e-1","seq":7,"at":"' + WHEN + '","what":"device:unlock","where":"hall/front-door",'
        '"who":{"issuer":"gateway","user":{"id":"u1","name":"Ada"},"address":"192.0.2.7"},"outcome":"executed",'
        '"severity":"critical","command_id":"c-1","detail":{"reason":"x"}}',
    ),
    (
        Receipt(events=(ReceiptLine(id="e-1", row=3, hash="00ff"),)),
        '{"events":[{"id":"e-1","row":3,"hash":"00ff"}]}',
    ),
    (Resend(seq=(4, 5)), '{"seq":[4,5]}'),
    (Resend(seq=(), after=7), '{"seq":[],"after":7}'),
]


@pytest.mark.parametrize(("message", "golden"), GOLDEN)
def test_the_wire_has_one_shape_per_message(message: Message, golden: str) -> None:
    assert messages.encode(message).decode() == golden
    assert messages.decode(type(message), golden) == message


def test_no_message_is_missing_from_the_golden_ones() -> None:
    assert {type(message) for message, _ in GOLDEN} == set(Message.__subclasses__())


def test_quality_retention_and_expiry_are_those_of_the_contract() -> None:
    retained = {kind for kind in Message.__subclasses__() if kind.RETAIN}
    assert retained == {State, Description, Availability, Lockdown, Lockouts, Authorities, RoomSettings, RoomFile}
    assert {kind for kind in Message.__subclasses__() if kind.EXPIRY} == {Command, InputEvent, RoomSettings}
    assert RoomSettings.EXPIRY == 600.0
    assert Command.EXPIRY == InputEvent.EXPIRY == 5.0
    assert {kind.QOS for kind in Message.__subclasses__()} == {1}


moments = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants it naive
texts = st.text(st.characters(codec="utf-8"), max_size=200)
ids = st.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True)
users = st.builds(UserRef, id=texts, name=texts)
values = st.one_of(
    st.none(),
    st.integers(0, 100),
    st.floats(-100, 100),
    st.sampled_from(["on", "off", "locked", "open"]),
    st.builds(
        CoverValue, position=st.none() | st.integers(0, 100), moving=st.sampled_from(["opening", "closing", None])
    ),
)
states = st.builds(
    State,
    value=values,
    since=moments,
    by=st.builds(
        By, source=st.sampled_from(["command", "input", "timer", "failsafe", "boot"]), issuer=st.none() | texts
    ),
)
any_message = st.one_of(
    st.builds(
        Command,
        action=st.sampled_from(Action),
        value=st.none() | st.integers(0, 100),
        id=st.none() | ids,
        issued_at=st.none() | moments | st.floats(0, 1e10),
        user=st.none() | users,
        origin=st.none() | texts,
        authorization=st.none() | texts,
    ),
    st.builds(Acknowledgement, id=ids, outcome=st.sampled_from(Outcome), at=moments, state=st.none() | states),
    states,
    st.builds(Availability, status=st.sampled_from(["online", "offline"]), at=moments, session=texts),
    st.builds(
        AuditEvent,
        id=ids,
        seq=st.integers(0, 2**53),
        at=moments,
        what=texts,
        where=texts,
        who=st.builds(Who, issuer=texts, user=st.none() | users, address=st.none() | texts),
        outcome=st.sampled_from(Outcome),
        severity=st.sampled_from(Severity),
        command_id=st.none() | texts,
        detail=st.dictionaries(texts, texts, max_size=4),
    ),
    st.builds(
        Receipt, events=st.lists(st.builds(ReceiptLine, id=ids, row=st.integers(1), hash=texts), max_size=3).map(tuple)
    ),
)


@given(any_message)
def test_every_message_survives_the_way_there_and_back(message: Message) -> None:
    assert messages.decode(type(message), messages.encode(message)) == message


def test_an_older_house_can_hear_a_newer_one() -> None:
    assert messages.decode(Command, '{"action":"on","colour":"red"}') == Command(action=Action.ON)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (Command, b""),
        (Command, b"on"),
        (Command, b"\xff"),
        (Command, b'{"action":"toggle"}'),
        (Command, b'{"action":"set","value":5.5}'),
        (Command, b'{"action":"set","value":true}'),
        (Command, b'{"action":"on","id":""}'),
        (Command, b'{"action":"on","id":"a b"}'),
        (Command, b'{"action":"on","id":"x\\n"}'),
        (Command, b'{"action":"on","id":"' + b"x" * 65 + b'"}'),
        (Command, b'{"action":"on","issued_at":"yesterday"}'),
        (Command, b'{"action":"on","issued_at":"2026-01-01T00:00:00"}'),
        (Command, b'{"action":"on","origin":"' + b"x" * 201 + b'"}'),
        (Command, b'{"action":"on","x":' + b"[" * 20_000),
        (AuditEvent, b"{}"),
        (Description, b'{"room":"Hall","name":"x","agent_version":"1","devices":[]}'),
        (State, b'{"value":[1],"since":"2026-01-01T00:00:00Z","by":{"source":"boot"}}'),
    ],
)
def test_what_does_not_fit_is_malformed(kind: type[Message], payload: bytes) -> None:
    with pytest.raises(HomeError) as caught:
        messages.decode(kind, payload)
    assert caught.value.slug == "malformed"


@given(st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_no_bytes_do_worse_than_malformed(payload: bytes) -> None:
    for kind in Message.__subclasses__():
        try:
            messages.decode(kind, payload)
        except HomeError as error:
            assert error.slug == "malformed"  # noqa: PT017 - it may also be read, by chance


def test_a_stamp_is_the_same_in_both_forms() -> None:
    text = messages.decode(Command, '{"action":"on","issued_at":"2026-11-23T21:45:18.5+01:00"}')
    number = messages.decode(Command, '{"action":"on","issued_at":1795466718.5}')
    assert text.issued == number.issued == 1795466718.5
    assert Command(action=Action.ON).issued is None


def test_moments_are_utc_to_the_millisecond() -> None:
    assert messages.utc(1.23456).isoformat() == "1970-01-01T00:00:01.235000+00:00"
    assert messages.utc(0).utcoffset() == timedelta(0)


def test_other_zones_are_the_same_moment() -> None:
    berlin = AT.astimezone(timezone(timedelta(hours=1)))
    heard: Any = msgspec.json.decode(messages.encode(Lockdown(active=True, at=berlin)), type=Lockdown)
    assert heard.at == AT


@pytest.mark.parametrize("value", ["a-secret", "a-secret' OR", 'a-secret" - at', "a-secret\n", "a-secret \u202e"])
def test_what_is_malformed_is_told_without_being_quoted(value: str) -> None:
    body = msgspec.json.encode({"action": value})
    with pytest.raises(HomeError, match=r"Invalid enum value - at `\$\.action`") as refused:
        messages.decode(Command, body)
    assert "secret" not in str(refused.value)
