"""The ledger on a real file: what is committed stays, what is not was never there."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_agents.devices.output import Memory
from device_agents.ledger.boot import this_boot
from device_agents.ledger.ledger import KEPT_SECONDS, Entry, Intent, Ledger
from shared.running.config import ConfigError
from shared.words.messages import AuditEvent, By, State, Who, encode, utc
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError

ON = State(value="on", since=utc(100.0), by=By(source="command", issuer="gateway", command_id="a"))

MEMORY = Memory(boot=this_boot(), active=True, changed_at=5.0, rested_at=1.0, deadline=9.0)


def event(id_: str) -> AuditEvent:
    return AuditEvent(
        id=id_,
        at=utc(1.0),
        what="device:unlock",
        where="hall/front-door",
        who=Who(issuer="gateway"),
        outcome=Outcome.EXECUTED,
        severity=Severity.CRITICAL,
    )


def intent(id_: str = "a", *, owed: AuditEvent | None = None, begun: float = 1000.0) -> Intent:
    return Intent(party="user:ada", id=id_, begun=begun, device="lamp", wish="lamp on", owed=owed)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "hall.sqlite3")
    yield made
    made.close()


@pytest.mark.parametrize("synced", [False, True])
def test_a_command_is_known_from_its_intent_on(ledger: Ledger, synced: bool) -> None:
    assert ledger.find("user:ada", "a") is None
    assert ledger.begin(intent(), synced=synced)
    assert ledger.find("user:ada", "a") == Entry("lamp on", None)
    assert not ledger.begin(intent(), synced=synced)
    ledger.finish(intent(), b"done", ON, MEMORY, synced=synced)
    assert ledger.find("user:ada", "a") == Entry("lamp on", b"done")
    assert ledger.stood("lamp") == (ON, MEMORY)
    assert ledger.find("phone", "a") is None


def test_events_go_in_with_the_commit(ledger: Ledger) -> None:
    ledger.begin(intent(), event("asked"), synced=True)
    ledger.finish(intent(), b"done", ON, MEMORY, event("done"), synced=True)
    ledger.refuse(intent("b"), b"no", event("refused"))
    assert [e.id for e in ledger.spool.pending(9)] == ["asked", "done", "refused"]


def test_an_event_that_cannot_be_written_takes_the_outcome_with_it(ledger: Ledger) -> None:
    ledger.begin(intent(), event("x"), synced=True)
    with pytest.raises(HomeError, match="ledger-failed"):
        ledger.finish(intent(), b"done", ON, MEMORY, event("x"), synced=True)
    assert ledger.find("user:ada", "a") == Entry("lamp on", None)
    assert ledger.stood("lamp") == (None, None)


def test_an_outcome_without_an_intent_is_written_whole(ledger: Ledger) -> None:
    ledger.finish(intent(), b"done", ON, MEMORY, synced=False)
    assert ledger.find("user:ada", "a") == Entry("lamp on", b"done")


def test_an_interrupted_command_is_answered_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "hall.sqlite3")
    ledger.begin(intent("a", owed=event("owed")), synced=True)
    ledger.begin(intent("b"), synced=False)
    ledger.finish(intent("b"), b"done", ON, MEMORY, synced=False)
    ledger.close()
    ledger = Ledger(tmp_path / "hall.sqlite3")
    (unfinished,) = ledger.unfinished()
    assert unfinished == intent("a", owed=event("owed"))
    ledger.interrupted(unfinished, b"interrupted", event("owed"))
    assert ledger.unfinished() == ()
    assert ledger.find("user:ada", "a") == Entry("lamp on", b"interrupted")
    with pytest.raises(HomeError):
        ledger.interrupted(unfinished, b"interrupted", event("owed"))
    ledger.close()


def test_commands_are_forgotten_after_a_day_of_uptime_whatever_the_wall_clock_says(tmp_path: Path) -> None:
    now = 1000.0
    ledger = Ledger(tmp_path / "hall.sqlite3", boot="one", monotonic=lambda: now)
    ledger.refuse(intent("old"), b"no")
    ledger.begin(intent("open"), synced=False)
    now += 5000
    ledger.refuse(intent("new"), b"no")
    ledger.prune()
    assert ledger.find("user:ada", "old") is not None
    now += KEPT_SECONDS - 4000
    ledger.prune()
    ledger.fold()
    assert ledger.find("user:ada", "old") is None
    assert ledger.find("user:ada", "new") is not None
    assert ledger.find("user:ada", "open") is not None
    ledger.close()


def test_what_earlier_boots_left_is_kept_until_agents_have_lived_for_a_day(tmp_path: Path) -> None:
    """A board that is restarted all day long forgets nothing too early, and in the end does forget."""
    uptimes: list[float] = [1000.0]

    def born(boot: int) -> Ledger:
        uptimes[0] = 5.0
        return Ledger(tmp_path / "hall.sqlite3", boot=str(boot), monotonic=lambda: uptimes[0])

    ledger = born(0)
    ledger.refuse(intent("a"), b"no")
    ledger.close()
    known = []
    for boot in range(1, 26):
        ledger = born(boot)
        uptimes[0] += KEPT_SECONDS / 24
        ledger.prune()
        known.append(ledger.find("user:ada", "a") is not None)
        ledger.close()
    assert known == [True] * 24 + [False]


def test_a_death_between_two_notes_shortens_nothing(tmp_path: Path) -> None:
    now = 1000.0
    ledger = Ledger(tmp_path / "hall.sqlite3", boot="one", monotonic=lambda: now)
    now += KEPT_SECONDS - 1.0
    ledger.refuse(intent("a"), b"no")
    ledger.close()
    now = 5.0
    ledger = Ledger(tmp_path / "hall.sqlite3", boot="two", monotonic=lambda: now)
    now += KEPT_SECONDS - 1.0
    ledger.prune()
    assert ledger.find("user:ada", "a") is not None
    now += 2.0
    ledger.prune()
    assert ledger.find("user:ada", "a") is None
    ledger.close()


def test_where_a_device_stands_is_remembered(ledger: Ledger) -> None:
    ledger.stand("lamp", ON, MEMORY)
    assert ledger.stood("lamp") == (ON, MEMORY)
    ledger.stand("lamp", ON)
    assert ledger.stood("lamp") == (ON, None)
    assert ledger.stood("other") == (None, None)
    assert ledger.known() == {"lamp"}
    ledger.forget("lamp")
    assert ledger.known() == set()


def test_running_times_are_those_of_one_boot_of_the_board(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "hall.sqlite3", boot="one")
    ledger.stand("lamp", ON, MEMORY)
    ledger.close()
    ledger = Ledger(tmp_path / "hall.sqlite3", boot="two")
    assert ledger.stood("lamp") == (ON, None)
    ledger.close()


def test_this_boot_has_a_name_and_keeps_it(tmp_path: Path) -> None:
    first, second = Ledger(tmp_path / "a.sqlite3"), Ledger(tmp_path / "b.sqlite3")
    assert first.boot == second.boot != ""
    first.close()
    second.close()


def test_what_the_hub_said_last_is_noted(ledger: Ledger) -> None:
    assert ledger.noted("lockdown") is None
    ledger.note("lockdown", b"1")
    ledger.note("lockdown", b"2")
    assert ledger.noted("lockdown") == b"2"


def test_a_file_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "hall.sqlite3") as old:
        old.execute(
            "CREATE TABLE command (issuer TEXT NOT NULL, id TEXT NOT NULL, begun REAL NOT NULL, device TEXT NOT NULL,"
            " wish TEXT NOT NULL, owed BLOB, answer BLOB, PRIMARY KEY (issuer, id)) WITHOUT ROWID"
        )
        old.execute("INSERT INTO command VALUES ('gateway', 'a', 1000, 'lamp', 'lamp on', NULL, x'00')")
        old.execute("CREATE TABLE standing (device TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID")
        old.execute("INSERT INTO standing VALUES ('lamp', ?)", (encode(ON),))
    old.close()
    ledger = Ledger(tmp_path / "hall.sqlite3")
    assert ledger.find("gateway", "a") == Entry("lamp on", b"\x00")
    assert ledger.stood("lamp") == (ON, None)
    ledger.prune()
    assert ledger.find("gateway", "a") is not None
    ledger.close()


def test_what_gateways_brought_before_belongs_to_its_people_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "hall.sqlite3"
    former = Ledger(path)
    for begun, (party, id_, wish, answer) in enumerate(
        (
            ("gateway", "a", "lamp on None u-ada", b"1"),
            ("gateway-2", "b", "door unlock None u-ada", None),
            ("gateway-2", "a", "lamp on None u-ada", b"2"),
            ("gateway-2", "c", "lamp on None u ben", b"3"),
            ("gateway", "d", "lamp on None ", b"4"),
            ("gateways", "e", "lamp on None u-ada", b"5"),
            ("hall", "f", "lamp on None ", b"6"),
        )
    ):
        one = Intent(party=party, id=id_, begun=float(begun), device="lamp", wish=wish)
        former.begin(one, synced=False) if answer is None else former.refuse(one, answer)
    former.close()
    for _ in range(2):
        ledger = Ledger(path)
        assert ledger.find("user:u-ada", "a") == Entry("lamp on None u-ada", b"1")
        assert [(left.party, left.id) for left in ledger.unfinished()] == [("user:u-ada", "b")]
        assert ledger.find("user:u ben", "c") is not None
        assert ledger.find("user:", "d") is not None
        assert ledger.find("gateways", "e") is not None, "no gateway is called so"
        assert ledger.find("hall", "f") is not None
        ledger.prune()  # nothing of a day is forgotten by it
        ledger.close()


def test_a_second_agent_on_the_same_file_is_told(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(ConfigError, match="another agent"):
        Ledger(tmp_path / "hall.sqlite3")


def test_a_file_that_is_none_of_ours_goes_aside(tmp_path: Path) -> None:
    (tmp_path / "hall.sqlite3").write_text("this is no database, and never was one" * 50)
    ledger = Ledger(tmp_path / "hall.sqlite3")
    assert ledger.is_kept
    assert ledger.is_doubted
    assert [told.what for told in ledger.spool.pending(9)] == ["audit:torn"]
    ledger.close()
    (aside,) = tmp_path.glob("hall.sqlite3.torn-*Z")
    assert aside.read_text().startswith("this is no database")


def test_without_a_folder_memory_is_the_ledger_until_there_is_one(tmp_path: Path) -> None:
    now = 1000.0
    (tmp_path / "file").write_text("")
    ledger = Ledger(tmp_path / "file" / "hall.sqlite3", monotonic=lambda: now)
    assert not ledger.is_kept
    assert ledger.mends_at is not None
    assert [told.what for told in ledger.spool.pending(9)] == ["audit:unwritable"]
    assert ledger.begin(intent("plain"), synced=False)
    ledger.finish(intent("plain"), b"done", ON, MEMORY, synced=False)
    with pytest.raises(HomeError, match="ledger-failed"):
        ledger.begin(intent("critical"), synced=True)
    ledger.finish(intent("safe"), b"locked", ON, MEMORY, event("locked"), synced=True)
    assert not ledger.mend(), "there is no folder yet"
    numbers = [told.seq for told in ledger.spool.pending(9)]
    (tmp_path / "file").unlink()
    (tmp_path / "file").mkdir()
    assert ledger.mend()
    assert ledger.is_kept
    assert ledger.mends_at is None
    assert ledger.find("user:ada", "plain") == Entry("lamp on", b"done")
    assert ledger.find("user:ada", "safe") == Entry("lamp on", b"locked")
    assert ledger.stood("lamp") == (ON, MEMORY)
    assert [told.seq for told in ledger.spool.pending(9)] == numbers
    assert ledger.begin(intent("critical"), event("asked"), synced=True)
    assert ledger.spool.pending(9)[-1].seq > numbers[-1]
    ledger.close()


def test_a_ledger_spoilt_in_use_is_begun_anew_with_what_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "hall.sqlite3"
    ledger = Ledger(path)
    ledger.refuse(intent("a"), b"no", event("refused"))
    ledger.stand("lamp", ON, MEMORY)
    ledger.fold()
    ledger.look(closely=True)
    assert ledger.mends_at is None
    with path.open("r+b") as file:
        file.write(b"spoilt" * 20)
    ledger.look(closely=True)
    assert ledger.mends_at is not None
    assert ledger.mend()
    assert ledger.is_kept
    assert ledger.is_doubted
    assert {told.what for told in ledger.spool.pending(9)} >= {"audit:torn"}
    assert ledger.begin(intent("b"), event("asked"), synced=True)
    ledger.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_that_is_taken_away_in_use_is_noticed(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "hall.sqlite3"
    ledger = Ledger(path)
    path.rename(tmp_path / "elsewhere")
    if replaced:
        path.write_bytes(b"")
    ledger.look(closely=False)
    assert ledger.mends_at is not None
    assert ledger.mend()
    assert ledger.begin(intent("b"), event("asked"), synced=True)
    ledger.close()
    ledger = Ledger(path)
    assert ledger.find("user:ada", "b") == Entry("lamp on", None)
    ledger.close()


def test_one_that_was_killed_may_have_lost_its_last_words(tmp_path: Path) -> None:
    now = 1000.0
    ledger = Ledger(tmp_path / "hall.sqlite3", monotonic=lambda: now)
    assert ledger.remembers_since < now
    shutil.copytree(tmp_path, tmp_path / "killed")
    ledger.close()
    now = 2000.0
    ended = Ledger(tmp_path / "hall.sqlite3", monotonic=lambda: now)
    assert ended.remembers_since < now
    ended.close()
    killed = Ledger(tmp_path / "killed" / "hall.sqlite3", monotonic=lambda: now)
    assert killed.remembers_since == now
    assert not killed.is_doubted, "nothing is missing that anybody knows of"
    killed.close()


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE standing SET state = x'7b7d'",
        "UPDATE command SET owed = x'00' WHERE id = 'open'",
        "UPDATE command SET begun = 'yesterday'",
        "UPDATE command SET wish = CAST(x'ff' AS TEXT)",
        "INSERT OR REPLACE INTO note VALUES ('lived', x'6e616e')",
    ],
)
def test_what_sqlite_takes_for_whole_and_makes_no_sense_is_torn(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "hall.sqlite3"
    ledger = Ledger(path)
    ledger.begin(intent("open", owed=event("owed")), synced=False)
    ledger.refuse(intent("done"), b"no", event("refused"))
    ledger.stand("lamp", ON, MEMORY)
    ledger.close()
    with sqlite3.connect(path) as db:
        db.execute(spoil)
    db.close()
    ledger = Ledger(path)
    assert ledger.is_doubted
    assert [told.what for told in ledger.spool.pending(9)] == ["device:unlock", "audit:torn"]
    state, memory = ledger.stood("lamp")
    assert state in (ON, None)
    assert memory is None, "nobody knows how old it is"
    ledger.unfinished()
    ledger.prune()
    ledger.close()


def test_a_ledger_cut_to_nothing_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "hall.sqlite3"
    Ledger(path).close()
    path.write_bytes(b"")
    ledger = Ledger(path)
    assert ledger.is_doubted
    assert [told.what for told in ledger.spool.pending(9)] == ["audit:torn"]
    ledger.close()


def test_a_ledger_that_fails_says_so(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "hall.sqlite3")
    with sqlite3.connect(tmp_path / "hall.sqlite3") as other:
        other.execute("DROP TABLE command")
        other.execute("DROP TABLE standing")
    other.close()
    for attempt in (
        lambda: ledger.find("user:ada", "a"),
        lambda: ledger.begin(intent(), synced=False),
        lambda: ledger.begin(intent(), synced=True),
        lambda: ledger.finish(intent(), b"x", ON, MEMORY, synced=False),
        lambda: ledger.refuse(intent(), b"x"),
        lambda: ledger.stand("lamp", ON),
        ledger.prune,
    ):
        with pytest.raises(HomeError, match="ledger-failed"):
            attempt()
    ledger.close()


def test_an_empty_ledger_answers_every_question(ledger: Ledger) -> None:
    assert ledger.find("user:ada", "a") is None
    assert ledger.stood("lamp") == (None, None)
    assert ledger.known() == frozenset()
    assert ledger.unfinished() == ()
    assert ledger.noted("lamp") is None
    ledger.forget("lamp")
    ledger.prune()
    ledger.fold()
    assert ledger.find("user:ada", "a") is None
