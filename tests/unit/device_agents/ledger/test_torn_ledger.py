"""A ledger torn in every way a card can tear it: the room comes up, safe, says so, and does nothing twice or late."""

import functools
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device_agents.ledger.opening import KEPT_AGAIN
from shared.proof.spool_rows import TORN, UNWRITABLE
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, Severity
from tests.unit.device_agents.fakes import FakePins, House

KETTLE, LAMP, LOCK, GATE = 24, 17, 27, 12
PARTS = ("", "-wal", "-shm")
Files = dict[str, bytes]


class Life(NamedTuple):
    """What a killed agent left: its files as they were a while ago and at the end, and the pins that still drive."""

    earlier: Files
    files: Files
    lock: bytes
    levels: dict[int, int]
    now: float


def read(path: Path) -> Files:
    found = {part: path.with_name(path.name + part) for part in PARTS}
    return {part: file.read_bytes() for part, file in found.items() if file.exists()}


@functools.cache
def life(*, folded: bool) -> Life:
    """A kettle that is on, a lamp that is on, a gate that was pressed, events that wait; killed then."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        house.heartbeat()
        house.command("kettle", "on", id="kettle-on")
        earlier = read(Path(folder) / "data" / "hall.sqlite3")
        for number in range(60):
            house.advance(1.0)
            house.heartbeat()
            house.command("lamp", "on" if number % 2 else "off", id=f"lamp-{number}")
        house.command("gate", "press", id="gate-1")
        house.command("front-door", "unlock", id="unlock-1")
        house.command("front-door", "lock", id="lock-1")
        house.advance(1.5)
        if folded:
            house.ledger.fold()
        made = read(Path(folder) / "data" / "hall.sqlite3")
        lock = (Path(folder) / "data" / "hall.lock").read_bytes()
        house.die()
        return Life(earlier, made, lock, dict(house.pins.levels), house.now)


def reborn(folder: Path, files: Files, was: Life) -> House:
    """A new process on these files."""
    data = folder / "data"
    data.mkdir(parents=True)
    for part, body in files.items():
        (data / f"hall.sqlite3{part}").write_bytes(body)
    (data / "hall.lock").write_bytes(was.lock)
    pins = FakePins()
    pins.levels.update(was.levels)
    return House(folder, pins=pins, now=was.now)


def told(house: House) -> list[AuditEvent]:
    return [event for event in house.events() if event.what == TORN]


def check_safe(house: House, was: Life) -> None:
    """What holds whatever became of the ledger."""
    doubted = house.ledger.is_doubted
    assert len(told(house)) == doubted
    assert all(event.severity is Severity.CRITICAL for event in told(house))
    if doubted:
        assert house.pins.levels[KETTLE] == 0, "nobody knows how long it was on"
        assert len(list(house.config.data.glob("hall.sqlite3.torn-*Z"))) == 1
    edges = list(house.pins.waveform)
    house.heartbeat()
    for device, action, id_ in (("gate", "press", "gate-1"), ("front-door", "unlock", "unlock-1")):
        again = house.command(device, action, id=id_, age=1.5)
        assert again is not None
    assert house.pins.waveform == edges, "what was done is not done again"
    late = house.command("lamp", "off", id="late", age=6.0)
    assert late is not None
    assert late.outcome is Outcome.EXPIRED
    house.advance(1.0)
    house.heartbeat()
    for device, action, pin, level in (
        ("lamp", "off", LAMP, 0),
        ("lamp", "on", LAMP, 1),
        ("front-door", "unlock", LOCK, 1),
    ):
        done = house.command(device, action, id=secrets.token_hex(8))
        assert done is not None
        assert done.outcome is Outcome.EXECUTED, done
        assert house.pins.levels[pin] == level
    assert house.command("kettle", "on", id="boil") is not None
    house.advance(601.0)
    assert house.pins.levels[KETTLE] == 0, "max_on holds"


class Tear(NamedTuple):
    """One thing that happens to a file: where it begins and how far it goes are parts of the file's length."""

    how: str
    part: str
    at: float
    size: int
    junk: bytes


TEARS = st.builds(
    Tear,
    st.sampled_from(["overwrite", "zero", "cut", "page", "head", "missing", "stale", "bit"]),
    st.sampled_from(PARTS),
    st.floats(0.0, 1.0),
    st.integers(1, 20_000),
    st.binary(min_size=1, max_size=100),
)


def torn(files: Files, earlier: Files, tear: Tear) -> Files:
    """The files as the card gives them back after that."""
    body = files.get(tear.part, b"")
    at = int(tear.at * len(body))
    match tear.how:
        case "overwrite":
            body = body[:at] + tear.junk + body[at + len(tear.junk) :]
        case "zero":
            size = min(tear.size, len(body) - at)
            body = body[:at] + bytes(size) + body[at + size :]
        case "cut":
            body = body[:at]
        case "page":
            at -= at % 4096
            body = body[:at] + tear.junk[:1] * 4096 + body[at + 4096 :]
        case "head":
            body = tear.junk + body[len(tear.junk) :]
        case "bit" if at < len(body):
            body = body[:at] + bytes([body[at] ^ 1 << tear.size % 8]) + body[at + 1 :]
        case "missing" if tear.part:
            return {part: left for part, left in files.items() if part != tear.part}
        case "stale":
            return files | {part: earlier[part] for part in ("-wal", "-shm")}
    return files | {tear.part: body}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.booleans(), st.lists(TEARS, min_size=1, max_size=3))
def test_whatever_was_torn_the_room_comes_up_safe(folded: bool, tears: list[Tear]) -> None:
    was = life(folded=folded)
    files = was.files
    for tear in tears:
        files = torn(files, was.earlier, tear)
    folder = Path(tempfile.mkdtemp())
    try:
        house = reborn(folder, files, was)
        check_safe(house, was)
        house.die()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def cardless(tmp_path: Path) -> Iterator[House]:
    """A room whose card takes no file: where its folder should be there is none, and none can be made."""
    (tmp_path / "data").write_text("")
    house = House(tmp_path)
    house.heartbeat()
    yield house
    house.die()


def outcome(house: House, device: str, action: str, **fields: Any) -> tuple[str, str | None]:
    answer = house.command(device, action, id=secrets.token_hex(8), **fields)
    assert answer is not None
    return str(answer.outcome), answer.reason


def test_without_a_card_what_is_critical_late_or_must_be_remembered_is_refused(cardless: House) -> None:
    assert outcome(cardless, "front-door", "unlock") == ("failed", "ledger-failed")
    cardless.advance(1.1)  # it may have been pressed just before
    assert outcome(cardless, "gate", "press") == ("failed", "ledger-failed")
    assert outcome(cardless, "lamp", "on", age=6.0) == ("expired", "expired")
    assert outcome(cardless, "lamp", "on") == ("executed", None)
    assert outcome(cardless, "lamp", "off") == ("executed", None)
    assert outcome(cardless, "front-door", "lock") == ("executed", None)
    assert (LOCK, 1) not in cardless.pins.waveform
    assert cardless.link.heard(AuditEvent, "audit/hall")[0].what == UNWRITABLE


def test_without_a_card_policies_go_on(cardless: House) -> None:
    assert outcome(cardless, "kettle", "on") == ("executed", None)
    cardless.advance(59.0)
    assert cardless.pins.levels[KETTLE] == 1
    cardless.advance(2.0)
    assert cardless.pins.levels[KETTLE] == 0, "the link is lost"


def test_a_card_that_takes_files_again_gets_all_that_memory_knew(cardless: House) -> None:
    first = cardless.command("lamp", "on", id="lamp-1")
    locked = cardless.command("front-door", "lock", id="lock-1")
    cardless.config.data.unlink()
    cardless.config.data.mkdir()
    cardless.advance(10.0)
    assert cardless.ledger.is_kept
    cardless.restart()
    cardless.heartbeat()
    assert first is not None
    assert locked is not None
    assert cardless.command("lamp", "on", id="lamp-1") == msgspec.structs.replace(first, repeated=True)
    assert cardless.command("front-door", "lock", id="lock-1") == msgspec.structs.replace(locked, repeated=True)
    assert [told.what for told in cardless.events()] == [UNWRITABLE, "device:lock", KEPT_AGAIN]
    assert outcome(cardless, "front-door", "unlock") == ("executed", None)


@pytest.mark.parametrize("how", ["zeroed", "cut", "replaced", "gone"])
def test_a_ledger_torn_while_it_is_in_use_is_found_and_begun_anew(tmp_path: Path, how: str) -> None:
    house = House(tmp_path)
    house.heartbeat()
    house.command("kettle", "on", id="kettle-1")
    house.command("front-door", "unlock", id="unlock-1", issuer="phone", issued_at=house.wall())
    house.advance(11.0)
    path = house.config.data / "hall.sqlite3"
    match how:
        case "zeroed":
            path.write_bytes(bytes(path.stat().st_size))
        case "cut":
            with path.open("r+b") as file:
                file.truncate(5000)
        case "replaced":
            (tmp_path / "other").write_bytes(b"another file" * 1000)
            (tmp_path / "other").rename(path)
        case "gone":
            path.unlink()
    for _ in range(8):
        house.advance(10.0)
        house.heartbeat()
    assert len(told(house)) == house.ledger.is_doubted
    assert house.ledger.is_doubted or how == "replaced", "of what is replaced, the log beside it may still have all"
    assert house.ledger.mends_at is None
    assert house.pins.levels[KETTLE] == 1, "it runs on: who switched it on is still here to switch it off"
    assert outcome(house, "lamp", "on") == ("executed", None)
    assert outcome(house, "front-door", "lock") == ("executed", None)
    house.advance(540.0)
    assert house.pins.levels[KETTLE] == 0
    house.restart()
    assert not house.ledger.is_doubted
    house.die()
