"""The room's events on their way: written once, sent until receipted, owed while they cannot be written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from device_agents.ledger.proof import ANSWER_SECONDS, ANSWERS_AT_ONCE, GATHER_SECONDS, PATROL_SECONDS, Proof
from shared.proof import together
from shared.proof.resend import WINDOW
from shared.proof.spool import Spool
from shared.proof.together import TOGETHER
from shared.words import messages
from shared.words.messages import AuditEvent, Receipt, ReceiptLine, Resend, Who, utc
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError


class FullSpool(Spool):
    """A real spool whose disk can be full, or broken."""

    full = False
    broken = False

    def append(self, *events: AuditEvent, **options: object) -> tuple[AuditEvent, ...]:
        if self.full:
            raise HomeError("no-proof", "database or disk is full")
        return super().append(*events, **options)  # type: ignore[arg-type]  # handed on as they are

    def waiting(self, limit: int) -> tuple[int, ...]:
        if self.broken:
            raise HomeError("no-proof", "disk I/O error")
        return super().waiting(limit)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.spool = FullSpool(folder / "spool.sqlite3")
        self.linked = True
        self.sent: list[str] = []
        self.messages: list[list[str]] = []
        """Of each message the events in it."""
        self.now = 100.0
        self.proof = Proof(self.spool, "hall", self._send, monotonic=lambda: self.now)
        self.proof.link_up()

    def _send(self, topic: str, payload: bytes) -> bool:
        assert topic == "audit/hall"
        if self.linked:
            self.messages.append([messages.decode(AuditEvent, one).id for one in together.opened(payload)])
            self.sent += self.messages[-1]
        return self.linked


def event(id_: str, severity: Severity = Severity.INFO) -> AuditEvent:
    return AuditEvent(
        id=id_,
        at=utc(1.0),
        what="device:on",
        where="hall/lamp",
        who=Who(issuer="phone"),
        outcome=Outcome.EXECUTED,
        severity=severity,
    )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.spool.close()


def test_nothing_to_say_means_no_deadline(bench: Bench) -> None:
    bench.proof.tick(0.0)
    assert bench.proof.deadline() is None


def test_an_event_goes_out_at_once_and_again_until_its_receipt(bench: Bench) -> None:
    bench.proof.note(event("a"))
    for now in range(20):
        bench.proof.tick(float(now))
    assert bench.sent.count("a") > 1
    bench.proof.receipted(messages.encode(Receipt(events=(ReceiptLine(id="a", row=1, hash="h"),))))
    bench.sent.clear()
    bench.proof.tick(1000.0)
    assert (bench.sent, bench.proof.deadline()) == ([], None)


def test_without_a_link_events_wait(bench: Bench) -> None:
    bench.proof.link_down()
    bench.proof.note(event("a"))
    bench.proof.tick(0.0)
    assert bench.sent == []
    bench.proof.link_up()
    bench.proof.tick(1.0)
    assert bench.sent == ["a"]


def test_a_link_that_goes_away_midway_loses_nothing(bench: Bench) -> None:
    bench.linked = False
    bench.proof.note(event("a"))
    bench.proof.tick(0.0)
    bench.linked = True
    bench.proof.tick(PATROL_SECONDS)
    assert bench.sent == ["a"]


def test_what_cannot_be_written_is_owed_and_written_later_once(bench: Bench) -> None:
    bench.spool.full = True
    bench.proof.note(event("a"), event("b"))
    bench.proof.tick(0.0)
    assert (bench.sent, bench.proof.deadline()) == ([], PATROL_SECONDS)
    bench.spool.full = False
    bench.proof.tick(PATROL_SECONDS)
    assert bench.sent == ["a", "b"]
    assert [e.id for e in bench.spool.pending(9)] == ["a", "b"]


def test_a_spool_that_cannot_be_read_is_tried_again(bench: Bench) -> None:
    bench.proof.note(event("a"))
    bench.spool.broken = True
    bench.proof.tick(0.0)
    assert bench.proof.deadline() == PATROL_SECONDS
    bench.spool.broken = False
    bench.proof.tick(PATROL_SECONDS)
    assert bench.sent == ["a"]


def test_a_receipt_that_cannot_be_read_is_told(bench: Bench) -> None:
    with pytest.raises(HomeError, match="malformed"):
        bench.proof.receipted(b"{")


def test_what_is_asked_for_goes_out_in_portions_receipted_or_not(bench: Bench) -> None:
    names = [f"e{n}" for n in range(WINDOW + 50)]
    made = bench.spool.append(*(event(name) for name in names), durable=False)
    bench.spool.receipted(Receipt(events=tuple(ReceiptLine(id=name, row=1, hash="h") for name in names)))
    bench.proof.resend(messages.encode(Resend(seq=(made[3].seq, made[3].seq - 9), after=made[10].seq)))
    now = 0.0
    while (due := bench.proof.deadline()) is not None:
        now = max(now, due)
        before = len(bench.sent)
        bench.proof.tick(now)
        assert len(bench.sent) - before <= ANSWERS_AT_ONCE
    assert bench.sent == ["e3", *names[11 : WINDOW + 10]]
    assert now < 2 * ANSWER_SECONDS * WINDOW / ANSWERS_AT_ONCE


def test_who_asks_again_and_again_has_one_window_waiting_at_the_most(bench: Bench) -> None:
    made = bench.spool.append(*(event(f"e{n}") for n in range(WINDOW + 50)), durable=False)
    bench.spool.receipted(Receipt(events=tuple(ReceiptLine(id=one.id, row=1, hash="h") for one in made)))
    for _ in range(50):
        bench.proof.resend(messages.encode(Resend(seq=(), after=0)))
    for n in range(100):
        bench.proof.tick(float(n))
    assert bench.sent == [one.id for one in made[:WINDOW]]


def test_an_answer_ends_with_its_link(bench: Bench) -> None:
    made = bench.spool.append(event("a"), durable=False)
    bench.spool.receipted(Receipt(events=(ReceiptLine(id="a", row=1, hash="h"),)))
    bench.proof.resend(messages.encode(Resend(seq=(made[0].seq,))))
    bench.proof.link_down()
    bench.proof.link_up()
    bench.proof.tick(0.0)
    assert (bench.sent, bench.proof.deadline()) == ([], None)


@pytest.mark.parametrize("payload", [b"{", b'{"seq":["x"]}', b'{"seq":[1],"after":"x"}'])
def test_a_wish_that_cannot_be_read_is_told(bench: Bench, payload: bytes) -> None:
    with pytest.raises(HomeError, match="malformed"):
        bench.proof.resend(payload)


def receipt(*names: str, most: int = 1) -> bytes:
    lines = tuple(ReceiptLine(id=name, row=1, hash="h") for name in names)
    return messages.encode(Receipt(events=lines, together=most))


def test_ordinary_events_wait_a_moment_for_one_another_and_others_do_not(bench: Bench) -> None:
    bench.proof.tick(bench.now)
    bench.proof.note(event("a"))
    due = bench.now + GATHER_SECONDS
    assert bench.proof.deadline() == due
    bench.now += GATHER_SECONDS / 2
    bench.proof.note(event("b"))
    assert bench.proof.deadline() == due, "the first one does not wait for ever"
    bench.proof.note(event("door", Severity.CRITICAL))
    assert bench.proof.deadline() == 0.0
    bench.proof.tick(bench.now)
    assert bench.sent == ["a", "b", "door"]


def test_what_the_ledger_took_is_waited_for_as_well(bench: Bench) -> None:
    bench.proof.tick(bench.now)
    bench.proof.wake()
    assert bench.proof.deadline() is None, "nothing was written"
    bench.proof.wake(event("a"))
    assert bench.proof.deadline() == bench.now + GATHER_SECONDS
    bench.proof.wake(event("b"), event("forced", Severity.SECURITY))
    assert bench.proof.deadline() == 0.0


def test_ordinary_events_travel_together_once_a_receipt_says_that_they_may(bench: Bench) -> None:
    bench.proof.note(event("a"), event("b"))
    bench.proof.tick(0.0)
    bench.proof.receipted(receipt("a", "b", most=TOGETHER))
    bench.proof.note(event("c"), event("d"), event("door", Severity.CRITICAL), event("e"), event("f"))
    bench.proof.tick(0.1)
    assert bench.messages == [["a"], ["b"], ["c", "d"], ["door"], ["e", "f"]]
    bench.proof.link_up()
    bench.proof.tick(0.2)
    assert bench.messages[5:] == [["c"], ["d"], ["door"], ["e"], ["f"]]


def test_what_has_no_receipt_in_time_travels_alone(bench: Bench) -> None:
    bench.proof.receipted(receipt(most=TOGETHER))
    bench.proof.note(event("a"), event("b"))
    bench.proof.tick(0.0)
    bench.proof.note(event("c"), event("d"))
    bench.proof.tick(2.5)
    assert bench.messages == [["a", "b"], ["a"], ["b"], ["c"], ["d"]]


def test_an_answer_comes_together_where_the_request_says_that_it_may(bench: Bench) -> None:
    made = bench.spool.append(*(event(f"e{n}") for n in range(ANSWERS_AT_ONCE + 5)), durable=False)
    bench.spool.receipted(Receipt(events=tuple(ReceiptLine(id=one.id, row=1, hash="h") for one in made)))
    bench.proof.resend(messages.encode(Resend(seq=(), after=0, together=TOGETHER)))
    bench.proof.tick(0.0)
    bench.proof.tick(ANSWER_SECONDS)
    assert [len(one) for one in bench.messages] == [ANSWERS_AT_ONCE, 5]
    assert bench.sent == [one.id for one in made]


def test_a_receipt_makes_room_for_what_did_not_fit_under_way(bench: Bench) -> None:
    made = bench.spool.append(*(event(f"e{n}") for n in range(WINDOW + 5)), durable=False)
    bench.proof.tick(0.0)
    assert len(bench.sent) == WINDOW
    bench.proof.receipted(receipt(*(one.id for one in made[:100])))
    assert bench.proof.deadline() == 0.0
    bench.proof.tick(0.1)
    assert bench.sent == [one.id for one in made]
