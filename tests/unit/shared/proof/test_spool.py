"""The spool: all or nothing, in order, until receipted, across restarts; and a plain refusal when the disk says no."""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.proof import spool_rows
from shared.proof.spool import KEPT_SECONDS, Spool
from shared.proof.spool_rows import DROPPED, DROPPED_AT_ONCE, NUMBERS
from shared.words.messages import AuditEvent, Receipt, ReceiptLine, Who, encode, utc
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError


def event(name: str, **fields: object) -> AuditEvent:
    values: dict[str, object] = {
        "id": name,
        "at": utc(1.5),
        "what": "device:unlock",
        "where": "hall/front-door",
        "who": Who(issuer="gateway"),
        "outcome": Outcome.ASKED,
        "severity": Severity.CRITICAL,
    }
    return AuditEvent(**(values | fields))  # type: ignore[arg-type]  # the fields above, by name


def receipt(*names: str) -> Receipt:
    return Receipt(events=tuple(ReceiptLine(id=name, row=n, hash="00") for n, name in enumerate(names, 1)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "spool.sqlite3"


@pytest.mark.parametrize("durable", [True, False])
def test_events_are_numbered_and_wait_in_order(path: Path, *, durable: bool) -> None:
    spool = Spool(path)
    first = spool.append(event("a"), event("b"), durable=durable)
    (third,) = spool.append(event("c", detail={"ü": "<x>"}), durable=durable)
    start = first[0].seq - 1
    assert [one.seq - start for one in (*first, third)] == [1, 2, 3]
    assert spool.pending(10) == (*first, third)
    assert spool.pending(2) == first
    assert spool.waiting(10) == (*(one.seq for one in first), third.seq)
    assert spool.waiting(2) == tuple(one.seq for one in first)
    assert spool.numbered(spool.waiting(2)) == first
    assert spool.numbered(()) == ()
    assert spool.pending(10, after=first[1].seq) == (third,)
    assert spool.count_pending() == 3


@pytest.mark.parametrize("count", [1, 7, 8, 9, 31, 32, 33, 64, 65, 107])
def test_any_number_of_events_is_written_and_receipted_at_once(path: Path, count: int) -> None:
    spool = Spool(path)
    (before,) = spool.append(event("before"), durable=False)
    wanted = [event(f"e{n}", severity=Severity.INFO if n % 3 else Severity.CRITICAL) for n in range(count)]
    written = spool.append(*wanted, durable=False)
    assert [one.seq for one in written] == [before.seq + 1 + n for n in range(count)]
    assert spool.numbered(tuple(one.seq for one in written)) == written, "each under its own number"
    assert [one.id for one in written] == [one.id for one in wanted]
    spool.receipted(receipt(*(one.id for one in written[::2])))
    assert [one.id for one in spool.pending(200)] == ["before", *(one.id for one in written[1::2])]


def test_of_many_events_all_are_written_or_none(path: Path) -> None:
    spool = Spool(path)
    spool.append(event("twice"), durable=False)
    with pytest.raises(HomeError, match="no-proof"):
        spool.append(*(event(f"e{n}") for n in range(40)), event("twice"), durable=False)
    assert [one.id for one in spool.pending(200)] == ["twice"]


def test_a_receipt_ends_the_waiting_of_what_it_names(path: Path) -> None:
    spool = Spool(path)
    spool.append(event("a"), event("b"), event("c"), durable=True)
    spool.receipted(receipt("a", "c", "unheard-of"))
    assert [one.id for one in spool.pending(10)] == ["b"]
    spool.receipted(receipt("a"))
    assert spool.count_pending() == 1


def test_receipted_events_are_kept_for_who_asks_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(path)
    a, b = (one.seq for one in spool.append(event("a"), event("b"), durable=True))
    spool.receipted(receipt("a"))
    assert [one.id for one in spool.numbered((a, b, b + 99))] == ["a", "b"]
    assert spool.numbered(()) == ()
    now = time.time() + KEPT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: now)
    spool.receipted(receipt())
    assert [one.id for one in spool.numbered((a, b))] == ["b"]


def test_everything_is_there_after_a_restart_and_numbers_never_come_again(path: Path) -> None:
    spool = Spool(path)
    (first,) = spool.append(event("a"), durable=True)
    spool.receipted(receipt("a"))
    spool.append(event("b"), durable=False)
    spool.close()
    again = Spool(path)
    assert [one.id for one in again.pending(10)] == ["b"]
    assert again.append(event("c"), durable=True)[0].seq == first.seq + 2


def test_an_id_that_exists_writes_nothing_of_its_batch(path: Path) -> None:
    spool = Spool(path)
    spool.append(event("a"), durable=True)
    with pytest.raises(HomeError) as caught:
        spool.append(event("b"), event("a"), durable=True)
    assert caught.value.slug == "no-proof"
    assert [one.id for one in spool.pending(10)] == ["a"]
    spool.append(event("b"), durable=True)


def test_another_process_may_append_to_the_same_file(path: Path) -> None:
    spool, other = Spool(path), Spool(path)
    other.append(event("a"), durable=True)
    spool.append(event("b"), durable=True)
    assert [one.id for one in other.pending(10)] == ["a", "b"]


def test_threads_share_it(path: Path) -> None:
    spool = Spool(path)
    threads = [
        threading.Thread(target=lambda n=n: [spool.append(event(f"{n}-{m}"), durable=False) for m in range(20)])
        for n in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.seq for one in spool.pending(200)}) == 100


def test_a_folder_that_cannot_hold_it_is_refused_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(HomeError) as caught:
        Spool(tmp_path / "file" / "spool.sqlite3")
    assert caught.value.slug == "no-proof"
    assert str(tmp_path) in caught.value.detail


def full(path: Path) -> Spool:
    """A spool whose disk has no page left."""
    spool = Spool(path)
    spool.append(event("a"), durable=True)
    with sqlite3.connect(path) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    assert spool._db is not None
    spool._db.execute(f"PRAGMA max_page_count = {pages}")  # as a full disk: SQLITE_FULL
    return spool


def test_a_full_disk_refuses_and_what_was_written_stays(path: Path) -> None:
    spool = full(path)
    big = {f"k{n}": "v" * 200 for n in range(30)}

    def fill() -> None:
        for n in range(50):
            spool.append(event(f"b{n}", detail=big), durable=True)

    with pytest.raises(HomeError) as caught:
        fill()
    assert caught.value.slug == "no-proof"
    assert "full" in caught.value.detail
    assert "a" in {one.id for one in spool.pending(100)}
    assert spool._db is not None
    spool._db.execute("PRAGMA max_page_count = 100000")
    spool.append(event("later", detail=big), durable=True)


def test_the_callers_own_tables_go_in_the_same_commit(path: Path) -> None:
    spool = Spool(path)

    def writes(statement: str) -> Callable[[sqlite3.Connection], None]:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute(statement)

        return write

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO mine VALUES (1)")
        connection.execute("INSERT INTO nowhere VALUES (1)")

    spool.append(durable=True, also=writes("CREATE TABLE mine (a)"))
    with pytest.raises(HomeError):
        spool.append(event("a"), durable=True, also=broken)
    assert spool.count_pending() == 0
    spool.append(event("a"), durable=True, also=writes("INSERT INTO mine VALUES (2)"))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT a FROM mine").fetchall() == [(2,)]
    connection.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["append", "receipt", "restart"]), st.integers(0, 5)), max_size=25))
def test_what_is_pending_is_what_was_appended_and_not_receipted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("spool") / "spool.sqlite3"
    spool, waiting, number = Spool(path), [], 0
    for step, choice in steps:
        if step == "append":
            number += 1
            spool.append(event(f"e{number}"), durable=False)
            waiting.append(f"e{number}")
        elif step == "receipt" and waiting:
            spool.receipted(receipt(waiting.pop(choice % len(waiting))))
        elif step == "restart":
            spool.close()
            spool = Spool(path)
    assert [one.id for one in spool.pending(100)] == waiting
    numbers = {one.seq - int(one.id[1:]) for one in spool.pending(100)}
    assert len(numbers) <= 1, "an event's number is its place in the file"
    spool.close()


def test_a_new_file_numbers_on_where_no_earlier_one_ended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Spool(path)
    (last,) = old.append(event("a"), durable=True)
    assert last.seq % NUMBERS == 1
    now = time.time() + 1
    monkeypatch.setattr(time, "time", lambda: now)
    (new,) = Spool(path.with_name("new.sqlite3")).append(event("b"), durable=True)
    assert new.seq >= last.seq + NUMBERS
    assert old.append(event("c"), durable=True)[0].seq == last.seq + 1


@pytest.mark.parametrize("now", [-5.0, 0.0, 1e12])
def test_a_clock_gone_mad_makes_no_number_that_would_be_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, now: float
) -> None:
    monkeypatch.setattr(time, "time", lambda: now)
    assert 0 < Spool(path).append(event("a"), durable=True)[0].seq < 2**53


def test_an_earlier_versions_file_numbers_on(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as old:
        old.executescript(
            "CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, body BLOB NOT NULL,"
            " receipted_at REAL)"
        )
        old.execute("INSERT INTO event (id, body) VALUES ('a', ?)", (encode(event("a")),))
    old.close()
    spool = Spool(path, source="hall")
    assert spool.append(event("b", severity=Severity.INFO), durable=True)[0].seq == 2
    assert [one.id for one in spool.pending(9)] == ["a", "b"]


def test_who_asks_for_what_follows_gets_the_first_of_it_receipted_or_not(path: Path) -> None:
    spool = Spool(path)
    made = spool.append(*(event(f"e{n}") for n in range(9)), durable=True)
    spool.receipted(receipt("e3", "e4", "e8"))
    assert spool.following(0, 3) == made[:3]
    assert spool.following(made[2].seq, 4) == made[3:7]
    assert spool.following(made[-1].seq, 4) == ()


@pytest.mark.parametrize("number", [-(2**70), -1, 0, 2**53, 2**63, 2**64, 2**200])
def test_numbers_that_no_spool_has_are_answered_with_nothing(path: Path, number: int) -> None:
    spool = Spool(path)
    spool.append(event("a"), durable=True)
    assert spool.numbered((number,)) == ()
    assert spool.following(number, 5) == (() if number > 0 else spool.pending(1))


def ordinary(*names: str) -> list[AuditEvent]:
    return [event(name, severity=Severity.INFO) for name in names]


def test_ordinary_events_are_bounded_what_goes_is_told_and_grave_ones_stay(path: Path) -> None:
    spool = Spool(path, source="hall", ordinary_most=300)
    numbers: dict[str, int] = {}
    for n in range(0, 3000, 10):
        made = spool.append(*ordinary(*(f"e{m}" for m in range(n, n + 10))), event(f"grave{n}"), durable=False)
        numbers |= {one.id: one.seq for one in made}
    left = spool.pending(10_000)
    assert [one.id for one in left if one.id.startswith("grave")] == [f"grave{n}" for n in range(0, 3000, 10)]
    kept = [one.id for one in left if one.id.startswith("e")]
    assert len(kept) <= 300 + 500
    assert kept == [f"e{n}" for n in range(3000 - len(kept), 3000)], "the newest stay"
    told = [one for one in left if one.what == DROPPED]
    assert all((one.where, one.who.issuer, one.severity) == ("hall", "hall", Severity.SECURITY) for one in told)
    assert sum(int(one.detail["events"]) for one in told) == 3000 - len(kept)
    spans = [(int(one.detail["first"]), int(one.detail["last"])) for one in told]
    assert all(sum(first <= numbers[f"e{n}"] <= last for first, last in spans) == 1 for n in range(3000 - len(kept)))


def test_ordinary_events_with_a_receipt_are_bounded_too_without_a_word(path: Path) -> None:
    spool = Spool(path, source="hall", ordinary_most=100)
    for n in range(0, 2000, 50):
        names = [f"e{m}" for m in range(n, n + 50)]
        spool.append(*ordinary(*names), event(f"grave{n}"), durable=False)
        spool.receipted(receipt(*names, f"grave{n}"))
    assert spool.count_pending() == 0
    kept = spool.following(0, 10_000)
    assert sum(one.severity is Severity.INFO for one in kept) <= 100 + 500
    assert sum(one.severity is not Severity.INFO for one in kept) == 40


def test_to_look_whether_there_are_too_many_is_to_read_an_index_alone(path: Path) -> None:
    # With 50,000 events kept, reading each row held an agent's loop up for thirty times as long, every 500 commands.
    spool = Spool(path, source="hall")
    statements: list[str] = []
    db = spool.connect()
    db.set_trace_callback(statements.append)
    spool_rows.make_room(db, "hall", 10, 10)
    db.set_trace_callback(None)
    looks = [plan[3] for one in statements for plan in db.execute(f"EXPLAIN QUERY PLAN {one}") if " event " in plan[3]]
    within = [one for one in looks if "rowid=?" not in one]
    assert len(within) == 4, "of both kinds, those with a receipt and those without"
    assert all("COVERING INDEX" in one for one in within)


def test_a_great_backlog_goes_in_great_portions() -> None:
    assert DROPPED_AT_ONCE >= 1000, "weeks without a hub must not become as many events that tell of it"


def test_without_a_name_to_tell_it_in_nothing_goes(path: Path) -> None:
    spool = Spool(path, ordinary_most=10)
    for n in range(0, 1200, 100):
        spool.append(*ordinary(*(f"e{m}" for m in range(n, n + 100))), durable=False)
    assert spool.count_pending() == 1200


def test_a_probe_tells_whether_events_could_be_written(path: Path) -> None:
    spool = full(path)
    with pytest.raises(HomeError):
        spool.probe()
    assert spool._db is not None
    spool._db.execute("PRAGMA max_page_count = 100000")
    spool.probe()
    spool.probe()
    assert [one.id for one in spool.pending(9)] == ["a"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 3),
    st.lists(st.integers(-3, 2**70), max_size=4),
    st.integers(-(2**70), 2**70),
    st.integers(0, 5),
    st.booleans(),
)
def test_whatever_is_asked_of_a_spool_with_little_or_nothing_in_it_is_answered(
    path: Path, count: int, asked: list[int], after: int, limit: int, receipted: bool
) -> None:
    for leftover in path.parent.glob("spool.sqlite3*"):
        leftover.unlink()
    spool = Spool(path, source="gateway")
    try:
        kept = spool.append(*(event(f"e{number}") for number in range(count)), durable=False)
        spool.receipted(receipt(*(one.id for one in kept if receipted)))
        waiting = 0 if receipted else count
        assert spool.count_pending() == waiting
        assert len(spool.pending(limit)) == min(limit, waiting)
        assert {one.seq for one in spool.numbered(tuple(asked))} == {one.seq for one in kept} & set(asked)
        above = [one.seq for one in kept if one.seq > after]
        assert [one.seq for one in spool.following(after, limit)] == above[:limit]
        spool.probe()
    finally:
        spool.close()
