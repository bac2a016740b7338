"""The ledger on a real file: what is committed stays, what is not was never there."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_agents.boot import this_boot
from device_agents.devices.output import Memory
from device_agents.ledger import KEPT_SECONDS, Entry, Intent, Ledger
from shared.config import ConfigError
from shared.messages import AuditEvent, By, State, Who, encode, utc
from shared.names import Outcome, Severity
from shared.problem import HomeError

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
    return Intent(issuer="gateway", id=id_, begun=begun, device="lamp", wish="lamp on", owed=owed)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "hall.sqlite3")
    yield made
    made.close()


@pytest.mark.parametrize("synced", [False, True])
def test_a_command_is_known_from_its_intent_on(ledger: Ledger, synced: bool) -> None:
    assert ledger.find("gateway", "a") is None
    assert ledger.begin(intent(), synced=synced)
    assert ledger.find("gateway", "a") == Entry("lamp on", None)
    assert not ledger.begin(intent(), synced=synced)
    ledger.finish(intent(), b"done", ON, MEMORY, synced=synced)
    assert ledger.find("gateway", "a") == Entry("lamp on", b"done")
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
    assert ledger.find("gateway", "a") == Entry("lamp on", None)
    assert ledger.stood("lamp") == (None, None)


def test_an_outcome_without_an_intent_is_written_whole(ledger: Ledger) -> None:
    ledger.finish(intent(), b"done", ON, MEMORY, synced=False)
    assert ledger.find("gateway", "a") == Entry("lamp on", b"done")


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
    assert ledger.find("gateway", "a") == Entry("lamp on", b"interrupted")
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
    assert ledger.find("gateway", "old") is not None
    now += KEPT_SECONDS - 4000
    ledger.prune()
    ledger.fold()
    assert ledger.find("gateway", "old") is None
    assert ledger.find("gateway", "new") is not None
    assert ledger.find("gateway", "open") is not None
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
        known.append(ledger.find("gateway", "a") is not None)
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
    assert ledger.find("gateway", "a") is not None
    now += 2.0
    ledger.prune()
    assert ledger.find("gateway", "a") is None
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


def test_a_second_agent_on_the_same_file_is_told(tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(ConfigError, match="another agent"):
        Ledger(tmp_path / "hall.sqlite3")


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="data: "):
        Ledger(tmp_path / "file" / "hall.sqlite3")


def test_a_ledger_that_fails_says_so(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "hall.sqlite3")
    with sqlite3.connect(tmp_path / "hall.sqlite3") as other:
        other.execute("DROP TABLE command")
        other.execute("DROP TABLE standing")
    other.close()
    for attempt in (
        lambda: ledger.find("gateway", "a"),
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
    assert ledger.find("gateway", "a") is None
    assert ledger.stood("lamp") == (None, None)
    assert ledger.known() == frozenset()
    assert ledger.unfinished() == ()
    assert ledger.noted("lamp") is None
    ledger.forget("lamp")
    ledger.prune()
    ledger.fold()
    assert ledger.find("gateway", "a") is None
