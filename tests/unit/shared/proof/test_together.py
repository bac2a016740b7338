"""Several events in one message: packed in order, opened as they were, and never in the way of any one of them."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.proof import together
from shared.proof.resend import WINDOW, Resender
from shared.proof.together import TOGETHER, TOGETHER_BYTES
from shared.words import messages
from shared.words.messages import AuditEvent, Receipt, ReceiptLine, Resend, Who, utc
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

NEXT_LOOK = 61.0
"""By then whatever has no receipt is due again."""


def event(seq: int, severity: Severity = Severity.INFO, detail: str = "") -> AuditEvent:
    return AuditEvent(
        id=f"e{seq}",
        seq=seq,
        at=utc(1.0),
        what="device:on",
        where="hall/lamp",
        who=Who(issuer="phone"),
        outcome=Outcome.EXECUTED,
        severity=severity,
        detail={f"{n}": detail[n : n + 200] for n in range(0, len(detail), 200)},
    )


def read(payload: bytes) -> list[AuditEvent]:
    return [messages.decode(AuditEvent, one) for one in together.opened(payload)]


def names(payloads: Sequence[bytes]) -> list[list[int]]:
    return [[one.seq for one in read(payload)] for payload in payloads]


def test_one_event_is_a_message_as_it_always_was() -> None:
    assert list(together.packed([event(1)], TOGETHER)) == [messages.encode(event(1))]
    assert list(together.packed([event(1), event(2)], 1)) == [messages.encode(event(1)), messages.encode(event(2))]
    assert list(together.packed([], TOGETHER)) == []


def test_what_is_critical_travels_alone_after_what_was_before_it() -> None:
    told = [event(1), event(2), event(3, Severity.CRITICAL), event(4, Severity.SECURITY), event(5), event(6)]
    assert names(list(together.packed(told, TOGETHER))) == [[1, 2], [3], [4], [5, 6]]


def test_what_is_to_travel_alone_does() -> None:
    assert names(list(together.packed([event(n) for n in range(1, 7)], TOGETHER, alone={3}))) == [
        [1, 2],
        [3],
        [4, 5, 6],
    ]


@pytest.mark.parametrize("most", [-1, 0, 1])
def test_nobody_can_ask_for_less_than_one(most: int) -> None:
    assert names(list(together.packed([event(1), event(2)], most))) == [[1], [2]]


@given(
    st.lists(st.tuples(st.sampled_from([*Severity, Severity.INFO]), st.integers(0, 6000)), max_size=300),
    st.integers(1, 2 * TOGETHER),
)
def test_whatever_is_packed_comes_out_in_order_in_few_and_small_messages(
    drawn: list[tuple[Severity, int]], most: int
) -> None:
    told = [event(seq, severity, "x" * length) for seq, (severity, length) in enumerate(drawn, 1)]
    payloads = list(together.packed(told, most))
    assert [one for payload in payloads for one in read(payload)] == told
    for payload in payloads:
        inside = read(payload)
        assert len(inside) <= min(most, TOGETHER)
        if len(inside) > 1:
            assert len(payload) <= TOGETHER_BYTES
            assert {one.severity for one in inside} == {Severity.INFO}


@given(st.lists(st.binary(max_size=8) | st.sampled_from([b"{}", b"[]", b"null", b'"x"', b"[1]"]), max_size=5))
@example([b"{}"] * (TOGETHER + 1))
def test_whatever_is_no_array_of_ours_is_taken_for_one_event(bodies: list[bytes]) -> None:
    payload = b"[%b]" % b",".join(bodies)
    found = together.opened(payload)
    try:
        expected = msgspec.json.decode(payload, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        expected = []
    if 0 < len(expected) <= TOGETHER:
        assert [bytes(one) for one in expected] == list(found)
    else:
        assert list(found) == [payload]


@pytest.mark.parametrize("payload", [b"", b"[" * 70_000, b"[", b"[]", b"[{}", b"{}", b"\xff", b"[1]x"])
def test_rubbish_is_one_event_that_cannot_be_read(payload: bytes) -> None:
    assert list(together.opened(payload)) == [payload]


class House:
    """A producer, a wire that loses and doubles, and an alert service of this version or of the one before."""

    def __init__(self, *, understands: bool) -> None:
        self.understands = understands
        self.resender = Resender()
        self.spool: dict[int, AuditEvent] = {}
        self.receipted: set[int] = set()
        self.recorded: list[int] = []
        self.refused = 0
        self.told = False
        """Whether the newest word that was said on this link announced it."""
        self.now = 0.0

    def append(self, severity: Severity) -> None:
        seq = len(self.spool) + 1
        self.spool[seq] = event(seq, severity)

    def waiting(self) -> list[int]:
        return [seq for seq in self.spool if seq not in self.receipted][:WINDOW]

    def look(self, fates: str) -> None:
        """The producer looks once; each message meets the next of `fates`: `.` arrives, `2` twice, `x` lost, `r` its
        receipt is lost.
        """
        told = self.told
        due = self.resender.due(self.waiting(), self.now)
        payloads = list(self.resender.packed([self.spool[seq] for seq in due.seq], again=due.again))
        for number, payload in enumerate(payloads):
            inside = read(payload)
            assert len(inside) == 1 or told, "an array for whom nobody announced"
            assert len(inside) == 1 or not any(one.seq in due.again for one in inside)
            fate = fates[number % len(fates)]
            for _ in range({"x": 0, "2": 2}.get(fate, 1)):
                self.hear(payload, loses_receipt=fate == "r")

    def hear(self, payload: bytes, *, loses_receipt: bool) -> None:
        try:
            inside = read(payload) if self.understands else [messages.decode(AuditEvent, payload)]
        except HomeError:
            self.refused += 1
            return
        for one in inside:
            if one.seq not in self.recorded:
                self.recorded.append(one.seq)
        if loses_receipt:
            return
        lines = tuple(ReceiptLine(id=one.id, row=1, hash="00") for one in inside)
        receipt = Receipt(events=lines, together=TOGETHER) if self.understands else Receipt(events=lines)
        said = messages.decode(Receipt, messages.encode(receipt))
        self.resender.told(said)
        self.told = self.understands
        self.receipted |= {int(line.id[1:]) for line in said.events}


STEPS = st.lists(
    st.tuples(
        st.lists(st.sampled_from([Severity.INFO] * 4 + [Severity.CRITICAL]), max_size=20),
        st.text("..2xr", min_size=1, max_size=4),
        st.sampled_from(["", "", "", "new link", "upgrade", "downgrade"]),
        st.floats(0.0, 5.0),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.booleans())
def test_whatever_is_lost_doubled_or_exchanged_everything_is_recorded(
    steps: list[tuple[list[Severity], str, str, float]], understands: bool
) -> None:
    house = House(understands=understands)
    for told, fates, happens, wait in steps:
        for severity in told:
            house.append(severity)
        if happens == "new link":
            house.resender.reset()
            house.told = False
        elif happens:
            house.understands = happens == "upgrade"
        house.look(fates)
        house.now += wait
    while house.waiting():
        house.look(".")
        house.now += NEXT_LOOK
    assert sorted(house.recorded) == list(house.spool)
    assert len(set(house.recorded)) == len(house.recorded)


def test_an_alert_service_of_before_gets_one_event_a_message_for_ever() -> None:
    house = House(understands=False)
    for _ in range(5):
        for _ in range(40):
            house.append(Severity.INFO)
        house.look(".")
    assert house.refused == 0
    assert house.recorded == list(house.spool)


def test_one_that_becomes_older_meanwhile_refuses_once_and_records_everything() -> None:
    house = House(understands=True)
    house.append(Severity.INFO)
    house.look(".")
    house.understands = False
    for _ in range(40):
        house.append(Severity.INFO)
    house.look(".")
    assert house.refused == 1
    house.now += NEXT_LOOK
    house.append(Severity.INFO)
    house.append(Severity.INFO)
    house.look(".")
    assert house.refused == 1, "what came later does not travel together any more either"
    assert sorted(house.recorded) == list(house.spool)


def test_a_request_to_resend_tells_it_too() -> None:
    resender = Resender()
    two = [event(1), event(2)]
    assert names(list(resender.packed(two))) == [[1], [2]]
    resender.told(messages.decode(Resend, messages.encode(Resend(seq=(1,), together=TOGETHER))))
    assert names(list(resender.packed(two))) == [[1, 2]]
    resender.told(messages.decode(Resend, b'{"seq":[]}'))
    assert names(list(resender.packed(two))) == [[1], [2]]


def test_a_producer_of_before_reads_what_we_say() -> None:
    class Old(msgspec.Struct, frozen=True, kw_only=True):
        events: tuple[ReceiptLine, ...]

    said = messages.encode(Receipt(events=(), together=TOGETHER))
    assert messages.decode(Old, said) == Old(events=())
