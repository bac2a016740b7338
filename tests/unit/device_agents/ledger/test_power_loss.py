"""The power fails at any write: the ledger opens, whole, and at most what was being committed is missing.

What was committed with a sync is there even where the disk has lost, or mixed up, what no sync came after.
"""

import contextlib
import itertools
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device_agents.devices.output import Memory
from device_agents.ledger.ledger import KEPT_SECONDS, Intent, Ledger
from shared.keeping.torn import CUT
from shared.proof.spool import Spool
from shared.words.messages import AuditEvent, By, Receipt, ReceiptLine, State, Who, encode, utc
from shared.words.names import Outcome, Severity
from tests.unit.device_agents.ledger import disk
from tests.unit.device_agents.ledger.disk import Event, Fate, Files

FILE = "hall.sqlite3"
BOOT = "one"
"""One boot throughout, so that memories are told; that another boot's are not is shown with the ledger."""
DEVICES = ("lamp", "kettle", "front-door", "gone")
COMMANDS = ("a", "b", "c", "d", "e", "f", *(f"g{number}" for number in range(12)))
NOTES = ("lockdown", "restrictions")
GARBAGE = {f"{FILE}-shm": b"\xa5" * 32768}
"""The index beside the log is not synced, ever: anything may stand there."""

Told = dict[str, Any]


class Mark(NamedTuple):
    """After `events` events, `told` is what the ledger tells; `synced` promises that it is on the disk for good."""

    events: int
    told: Told
    synced: bool


class Story(NamedTuple):
    """What the disk was asked for, over what it held before, and what the ledger told meanwhile."""

    base: Files
    events: tuple[Event, ...]
    marks: tuple[Mark, ...]

    def allowed(self, cut: int, *, ordered: bool) -> list[Told]:
        """What may be told after a cut: the last that is sure, or anything committed later, or being committed."""
        done = max(index for index, mark in enumerate(self.marks) if mark.events <= cut)
        sure = done if ordered else max(index for index in range(done + 1) if self.marks[index].synced)
        return [mark.told for mark in self.marks[sure : done + 2]]


def audit(id_: str) -> AuditEvent:
    return AuditEvent(
        id=id_,
        at=utc(1.0),
        what="device:unlock",
        where="hall/front-door",
        who=Who(issuer="gateway"),
        outcome=Outcome.EXECUTED,
        severity=Severity.CRITICAL,
    )


def intent(id_: str, device: str = "lamp", *, owed: AuditEvent | None = None) -> Intent:
    return Intent(party="user:ada", id=id_, begun=1000.0, device=device, wish=f"{device} on", owed=owed)


def state(id_: str) -> State:
    return State(value="on", since=utc(100.0), by=By(source="command", issuer="gateway", command_id=id_))


def memory(edge: float) -> Memory:
    return Memory(boot=BOOT, active=True, changed_at=edge, rested_at=1.0, deadline=edge + 600.0)


def tell(ledger: Ledger) -> Told:
    """All that an agent asks of its ledger; without the word that a file of no bytes was cut, or only just begun."""
    pending = [one for one in ledger.spool.pending(99) if one.detail.get("reason") != CUT]
    return {
        "commands": {id_: found for id_ in COMMANDS if (found := ledger.find("user:ada", id_))},
        "unfinished": {left.id: left for left in ledger.unfinished()},
        "standing": {device: ledger.stood(device) for device in ledger.known()},
        "notes": {name: body for name in NOTES if (body := ledger.noted(name))},
        "pending": tuple(pending),
        "kept": ledger.spool.numbered(tuple(range(1, 50))),
    }


class Writer:
    """Works on a ledger, one commit at a time, and marks what it tells after each."""

    def __init__(self, path: Path, events: list[Event]) -> None:
        self.path, self.events = path, events
        self.now = 100.0
        self.ledger = self._opened()
        self.marks = [Mark(0, tell(self.ledger), synced=True)]

    def did(self, *, synced: bool = False) -> None:
        self.marks.append(Mark(len(self.events), tell(self.ledger), synced))

    def begin(self, intent: Intent, *asked: AuditEvent, synced: bool = False) -> None:
        assert self.ledger.begin(intent, *asked, synced=synced)
        self.did(synced=synced)

    def finish(self, intent: Intent, *events: AuditEvent, synced: bool = False) -> None:
        self.now += 1.0
        answer = f"answer of {intent.id}".encode()
        self.ledger.finish(intent, answer, state(intent.id), memory(self.now), *events, synced=synced)
        self.did(synced=synced)

    def fold(self) -> None:
        self.ledger.fold()
        self.did(synced=True)

    def restart(self) -> None:
        self.ledger.close()
        self.ledger = self._opened()
        self.did(synced=True)

    def _opened(self) -> Ledger:
        return Ledger(self.path, boot=BOOT, monotonic=lambda: self.now)


def live(writer: Writer) -> None:
    """Everything that a ledger is asked to write, on its log and across folds and restarts of it."""
    ledger, lamp, door = writer.ledger, intent("a"), intent("b", "front-door", owed=audit("owed"))
    writer.begin(lamp)
    writer.finish(lamp)
    writer.begin(door, audit("asked"), synced=True)
    writer.finish(door, audit("done"), synced=True)
    ledger.refuse(intent("c", "front-door"), b"refused", audit("refused"))
    writer.did()
    ledger.stand("kettle", state("-"), memory(5.0))
    writer.did()
    ledger.note("lockdown", b"1")
    writer.did()
    writer.fold()
    writer.begin(intent("d"))  # the log starts again from its beginning, over what it held
    writer.begin(intent("e", "front-door", owed=audit("owed")), synced=True)
    ledger.stand("gone", state("-"))
    writer.did()
    lines = tuple(ReceiptLine(id=id_, row=1, hash="0" * 64) for id_ in ("asked", "done"))
    ledger.spool.receipted(Receipt(events=lines))
    writer.did()
    ledger.note("restrictions", bytes(range(256)) * 40)  # more than two pages of its own
    writer.did()
    writer.restart()
    _live_again(writer)


def _live_again(writer: Writer) -> None:
    ledger = writer.ledger
    left = ledger.unfinished()
    assert {each.id for each in left} == {"d", "e"}
    for each in left:
        ledger.interrupted(each, b"interrupted", *([each.owed] if each.owed else ()))
        writer.did(synced=True)
    other = Spool(writer.path)  # as a command on the hub's console does
    other.append(audit("by-hand"), durable=True)
    writer.did(synced=True)
    other.close()
    writer.fold()
    for number in range(12):  # splits a page
        writer.begin(intent(f"g{number}", DEVICES[number % 2]))
        writer.finish(intent(f"g{number}", DEVICES[number % 2]))
    writer.now += KEPT_SECONDS - 6.0
    ledger.prune()
    writer.did()
    ledger.forget("gone")
    writer.did()
    writer.finish(intent("f"))  # an answer whose intent could not be written
    writer.fold()
    writer.begin(intent("a"))
    writer.finish(intent("a"), synced=True)
    ledger.note("lockdown", b"2")
    writer.did()
    writer.restart()


def old_file(folder: Path, mode: str) -> None:
    """What a version made that knew neither boots nor memories, with and without the spool's log."""
    with sqlite3.connect(folder / FILE) as old:
        old.execute(f"PRAGMA journal_mode = {mode}")
        old.execute(
            "CREATE TABLE command (issuer TEXT NOT NULL, id TEXT NOT NULL, begun REAL NOT NULL, device TEXT NOT NULL,"
            " wish TEXT NOT NULL, owed BLOB, answer BLOB, PRIMARY KEY (issuer, id)) WITHOUT ROWID"
        )
        old.execute("INSERT INTO command VALUES ('gateway', 'a', 1000, 'lamp', 'lamp on', NULL, x'00')")
        old.execute("CREATE TABLE standing (device TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID")
        old.execute("INSERT INTO standing VALUES ('lamp', ?)", (encode(state("a")),))
    old.close()


def record(folder: Path, work: Callable[[Writer], None]) -> Story:
    """Have `work` done on the files in `folder`, and note what the disk is asked for."""
    base = {path.name: path.read_bytes() for path in folder.iterdir() if path.name.startswith(FILE)}
    with disk.recorder().recording() as events:
        writer = Writer(folder / FILE, events)
        work(writer)
        writer.ledger.close()
    for name, body in disk.after(base, events).items():
        assert (folder / name).read_bytes() == body, "the record is not what happened"
    return Story(base, tuple(events), tuple(writer.marks))


class Survivors:
    """Opens what a power loss left. The same files are opened but once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[frozenset[tuple[str, bytes]], Told] = {}

    def told(self, files: Files) -> Told:
        key = frozenset(files.items())
        if key not in self._told:
            folder = self._folder / str(len(self._told))
            disk.put(folder, {**files, **GARBAGE})
            self._told[key] = self._open(folder / FILE)
            shutil.rmtree(folder)
        return self._told[key]

    def _open(self, path: Path) -> Told:
        ledger = Ledger(path, boot=BOOT, monotonic=lambda: 100.0)
        try:
            with contextlib.closing(sqlite3.connect(path)) as db:
                assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            told = tell(ledger)
            ledger.note("written after", b"1")
        finally:
            ledger.close()
        return told


def losses(story: Story, cut: int) -> Iterator[dict[int, Fate]]:
    """What a disk that keeps no order may have lost at this cut: the ends of the range."""
    files, folder = disk.at_stake(story.events[:cut])
    yield dict.fromkeys(files, "lost")
    yield dict.fromkeys(files + folder, "lost")
    yield dict.fromkeys(files[:1], "lost")
    yield dict.fromkeys(files[:-1], "lost")
    yield dict.fromkeys(files[:-1], "second half")
    yield dict.fromkeys(folder, "lost")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("power")


@pytest.fixture(scope="module")
def survivors(folder: Path) -> Survivors:
    return Survivors(folder)


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    """A ledger's whole life from its first start; and a newer version's first start on older files."""
    told = {"a life": record(tmp_path_factory.mktemp("life"), live)}
    for mode in ("delete", "wal"):
        older = tmp_path_factory.mktemp("older")
        old_file(older, mode)
        told[f"older, {mode}"] = record(older, lambda writer: writer.begin(intent("b"), synced=True))
    return told


STORIES = ("a life", "older, delete", "older, wal")


@pytest.mark.parametrize("name", STORIES)
def test_cut_at_any_write_the_ledger_opens_with_everything_committed(
    name: str, stories: dict[str, Story], survivors: Survivors
) -> None:
    story = stories[name]
    for cut in range(len(story.events) + 1):
        told = survivors.told(disk.after(story.base, story.events[:cut]))
        assert told in story.allowed(cut, ordered=True), f"cut after {story.events[:cut][-1:]}"


@pytest.mark.parametrize("half", ["first half", "second half"])
@pytest.mark.parametrize("name", STORIES)
def test_cut_within_any_write_the_ledger_opens_with_everything_committed(
    name: str, half: Fate, stories: dict[str, Story], survivors: Survivors
) -> None:
    story = stories[name]
    for index, event in enumerate(story.events):
        if event.kind == "write":
            told = survivors.told(disk.after(story.base, story.events[: index + 1], {index: half}))
            assert told in story.allowed(index, ordered=True), f"cut within {index}: {event[:3]}"


@pytest.mark.parametrize("name", STORIES)
def test_what_was_synced_is_there_whatever_the_disk_lost_since(
    name: str, stories: dict[str, Story], survivors: Survivors
) -> None:
    story = stories[name]
    lost = 0
    for cut in range(len(story.events) + 1):
        for fates in losses(story, cut):
            told = survivors.told(disk.after(story.base, story.events[:cut], fates))
            assert told in story.allowed(cut, ordered=False), f"cut at {cut}: {fates}"
            lost += told not in story.allowed(cut, ordered=True)
    assert lost or name != "a life", "a disk that loses what is not synced must be seen to lose it"


FATES = st.lists(st.sampled_from([None, "lost", "first half", "second half"]), min_size=1, max_size=40)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(STORIES), where=st.integers(0, 10**6), fates=FATES, of_folder=st.integers(0, 3))
def test_what_was_synced_is_there_whichever_later_writes_were_lost_or_torn(
    stories: dict[str, Story],
    survivors: Survivors,
    name: str,
    where: int,
    fates: list[Fate | None],
    of_folder: int,
) -> None:
    story = stories[name]
    cut = where % (len(story.events) + 1)
    files, folder = disk.at_stake(story.events[:cut])
    lost: dict[int, Fate] = {
        index: fate for index, fate in zip(files, itertools.cycle(fates), strict=False) if fate is not None
    }
    lost |= dict.fromkeys(folder[of_folder:], "lost")
    told = survivors.told(disk.after(story.base, story.events[:cut], lost))
    assert told in story.allowed(cut, ordered=False)


def test_the_power_may_fail_again_while_the_ledger_mends_what_the_last_time_left(
    stories: dict[str, Story], survivors: Survivors, tmp_path: Path
) -> None:
    first = stories["a life"]
    for cut in range(5, len(first.events), 37):
        files = disk.after(first.base, first.events[:cut])
        if not files[FILE]:
            continue  # nothing to mend: another file takes its place
        disk.put(tmp_path / str(cut), files)
        again = record(tmp_path / str(cut), lambda _: None)
        assert again.marks[0].told in first.allowed(cut, ordered=True)
        for second in range(len(again.events) + 1):
            for fates in losses(again, second):
                told = survivors.told(disk.after(files, again.events[:second], fates))
                assert told == again.marks[0].told, f"cut at {cut}, then at {second}: {fates}"


def test_every_kind_of_request_was_cut(stories: dict[str, Story]) -> None:
    """That the life above reaches a fold, a log that starts again, and files that come and go."""
    events = stories["a life"].events
    kinds = {(event.kind, event.name.removeprefix(FILE)) for event in events}
    assert {("create", "-wal"), ("delete", "-wal"), ("create", "-journal"), ("delete", "-journal")} <= kinds
    assert {("write", ""), ("truncate", ""), ("sync", ""), ("write", "-wal"), ("sync", "-wal")} <= kinds
    heads = [event for event in events if event.kind == "write" and event.name == f"{FILE}-wal" and event.at == 0]
    assert len(heads) > sum(event.kind == "create" and event.name == f"{FILE}-wal" for event in events)
