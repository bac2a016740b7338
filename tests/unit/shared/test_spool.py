"""The spool: all or nothing, in order, until receipted, across restarts; and a plain refusal when the disk says no."""

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.messages import AuditEvent, Receipt, ReceiptLine, Who, utc
from shared.names import Outcome, Severity
from shared.problem import HomeError
from shared.spool import KEPT_SECONDS, Spool


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
    assert [one.seq for one in (*first, third)] == [1, 2, 3]
    assert spool.pending(10) == (*first, third)
    assert spool.pending(2) == first
    assert spool.pending(10, after=2) == (third,)
    assert spool.count_pending() == 3


def test_a_receipt_ends_the_waiting_of_what_it_names(path: Path) -> None:
    spool = Spool(path)
    spool.append(event("a"), event("b"), event("c"), durable=True)
    spool.receipted(receipt("a", "c", "unheard-of"))
    assert [one.id for one in spool.pending(10)] == ["b"]
    spool.receipted(receipt("a"))
    assert spool.count_pending() == 1


def test_receipted_events_are_kept_for_who_asks_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(path)
    spool.append(event("a"), event("b"), durable=True)
    spool.receipted(receipt("a"))
    assert [one.id for one in spool.numbered((1, 2, 99))] == ["a", "b"]
    assert spool.numbered(()) == ()
    now = time.time() + KEPT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: now)
    spool.receipted(receipt())
    assert [one.id for one in spool.numbered((1, 2))] == ["b"]


def test_everything_is_there_after_a_restart_and_numbers_never_come_again(path: Path) -> None:
    spool = Spool(path)
    spool.append(event("a"), durable=True)
    spool.receipted(receipt("a"))
    spool.append(event("b"), durable=False)
    spool.close()
    again = Spool(path)
    assert [one.id for one in again.pending(10)] == ["b"]
    assert again.append(event("c"), durable=True)[0].seq == 3


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
    (tmp_path / "spool.sqlite3").mkdir()
    with pytest.raises(HomeError) as caught:
        Spool(tmp_path / "spool.sqlite3")
    assert caught.value.slug == "no-proof"
    assert str(tmp_path) in caught.value.detail


def test_a_file_that_is_no_spool_is_refused_plainly(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"something else entirely, and long enough to be looked at" * 30)
    with pytest.raises(HomeError, match="cannot be opened"):
        Spool(path)


def full(path: Path) -> Spool:
    """A spool whose disk has no page left."""
    spool = Spool(path)
    spool.append(event("a"), durable=True)
    with sqlite3.connect(path) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
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
    assert [one.seq for one in spool.pending(100)] == [int(name[1:]) for name in waiting]
    spool.close()
