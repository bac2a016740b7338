"""Spools on cards that spoil them: whatever the bytes are, they come up, keep what can be read, and tell."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.keeping.torn import Torn, examine, mend, set_aside
from shared.proof.spool import Spool
from shared.proof.spool_rows import NUMBERS, PAUSED, SCHEMA, TORN
from shared.words.problem import HomeError
from tests.unit.shared.proof.test_spool import event, receipt

EVENTS = 60
WHAT_IS_TOLD = {TORN, PAUSED}


def fill(path: Path, *, closed: bool) -> list[int]:
    """Make a spool of sixty events, half of them in the write-ahead log alone unless it is closed; their numbers."""
    spool = Spool(path, source="gateway", alone=True)
    made = [spool.append(event(f"e{n}", detail={"n": "x" * 150}), durable=True)[0].seq for n in range(EVENTS // 2)]
    spool._do(lambda db: db.execute("PRAGMA wal_checkpoint(FULL)").fetchall(), "written")
    made += [
        spool.append(event(f"e{n}", detail={"n": "x" * 150}), durable=True)[0].seq for n in range(EVENTS // 2, EVENTS)
    ]
    if closed:
        spool.close()
        return made
    # What a process leaves that is killed: the same files, without their last closing.
    copies = {end: path.with_name(path.name + end).read_bytes() for end in ("", "-wal")}
    spool.close()
    for end, content in copies.items():
        path.with_name(path.name + end).write_bytes(content)
    return made


def asides(path: Path) -> list[Path]:
    """The files that lie aside, without what lies beside them."""
    return sorted(one for one in path.parent.glob(f"{path.name}.torn-*") if one.name.endswith("Z"))


def all_of(spool: Spool) -> dict[str, int]:
    return {one.id: one.seq for one in spool.pending(10_000)}


def cut(path: Path, at: int) -> None:
    os.truncate(path, at)


def spoil(path: Path, at: int, count: int, byte: bytes = b"\xa5") -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(byte * count)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.sqlite3"


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


WAYS: dict[str, Callable[[Path], None]] = {
    "cut": lambda path: cut(path, 5000),
    "cut within its head": lambda path: cut(path, 50),
    "cut to nothing": lambda path: cut(path, 0),
    "cut to a byte": lambda path: cut(path, 1),
    "zeroed": lambda path: spoil(path, 0, path.stat().st_size, b"\0"),
    "its head spoilt": lambda path: spoil(path, 0, 100),
    "its first page spoilt": lambda path: spoil(path, 0, 4096),
    "a page in the middle": lambda path: spoil(path, 4096 * 5, 4096),
    "another file": lambda path: _write(path, b"something else entirely, long enough to be looked at" * 90),
    "a folder": _make_folder,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_torn_spool_goes_aside_and_its_successor_tells(path: Path, way: str) -> None:
    numbers = fill(path, closed=True)
    WAYS[way](path)
    spoilt = path.read_bytes() if path.is_file() else b""
    spool = Spool(path, source="gateway", alone=True)
    (aside,) = asides(path)
    assert spool.torn is not None
    assert spool.torn.aside == aside
    assert not spoilt or aside.read_bytes() == spoilt
    (told,) = [one for one in spool.pending(1000) if one.what == TORN]
    assert told.seq > max(numbers)
    assert told.detail["aside"] == str(aside)
    (more,) = spool.append(event("new"), durable=True)
    assert more.seq == told.seq + 1


@pytest.mark.parametrize("way", ["its head spoilt", "its first page spoilt", "a page in the middle"])
def test_what_can_be_read_is_taken_over_under_its_number(path: Path, way: str) -> None:
    numbers = fill(path, closed=True)
    WAYS[way](path)
    kept = [one for one in Spool(path, source="gateway").pending(1000) if one.what not in WHAT_IS_TOLD]
    assert len(kept) >= EVENTS - 20
    assert {one.id: one.seq for one in kept}.items() <= {f"e{n}": seq for n, seq in enumerate(numbers)}.items()


def test_what_stands_in_the_log_alone_is_taken_over(path: Path) -> None:
    fill(path, closed=False)
    cut(path, 0)
    spool = Spool(path, source="gateway")
    assert {f"e{n}" for n in range(EVENTS // 2, EVENTS)} - set(all_of(spool)) <= {"e30", "e31"}
    assert path.with_name(f"{asides(path)[0].name}-wal").stat().st_size > 0


def test_receipts_are_taken_over(path: Path) -> None:
    fill(path, closed=True)
    spool = Spool(path)
    spool.receipted(receipt(*(f"e{n}" for n in range(EVENTS))))
    spool.close()
    spoil(path, 0, 100)
    assert [one.what for one in Spool(path, source="gateway").pending(100)] == [TORN]


def test_a_log_of_another_time_does_not_reach_the_file(path: Path) -> None:
    fill(path, closed=False)
    old = path.with_name(path.name + "-wal").read_bytes()
    spool = Spool(path)
    for n in range(200):
        spool.append(event(f"later{n}", detail={"n": "y" * 190}), durable=True)
    spool.close()
    sound = path.read_bytes()
    path.with_name(path.name + "-wal").write_bytes(old)
    reason = examine(path)
    assert path.read_bytes() == sound
    assert path.with_name(path.name + "-wal").read_bytes() == old
    assert reason is not None
    assert {f"later{n}" for n in range(200)} <= set(all_of(Spool(path, source="gateway")))


def test_numbers_rise_whatever_the_clock_says_now(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = fill(path, closed=True)
    spoil(path, 0, path.stat().st_size, b"\0")
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)  # a board without a clock of its own
    (told,) = Spool(path, source="gateway").pending(10)
    assert told.seq > max(numbers)
    assert told.seq % NUMBERS == 1


@pytest.mark.parametrize("way", [way for way in WAYS if way != "a folder"])
def test_a_spool_that_is_torn_while_it_is_used_goes_aside_there_and_then(path: Path, way: str) -> None:
    fill(path, closed=True)
    spool = Spool(path, source="gateway", alone=True)
    assert len(spool.pending(1000)) == EVENTS
    replaced = path.read_bytes()
    WAYS[way](path)
    with contextlib.suppress(HomeError):  # what this process has in memory may do for a while
        for n in range(300):
            spool.append(event(f"later{n}", detail={"n": "z" * 190}), durable=True)
    spool.close()
    again = Spool(path, source="gateway", alone=True)
    assert {f"later{n}" for n in range(300)} <= set(all_of(again)), (way, len(replaced))
    assert examine(path) is None


def test_a_spool_that_is_taken_away_while_it_is_used_is_begun_anew(path: Path) -> None:
    spool = Spool(path, source="gateway", alone=True)
    (first,) = spool.append(event("a"), durable=True)
    path.unlink()
    (second,) = spool.append(event("b"), durable=True)
    assert second.seq > first.seq
    assert "b" in all_of(Spool(path))


def test_an_event_that_is_none_any_more_holds_up_no_other(path: Path) -> None:
    spool = Spool(path, source="gateway", alone=True)
    spool.append(event("a"), event("b"), event("c"), durable=True)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE event SET body = ? WHERE id = 'b'", (b"{torn",))
    assert [one.id for one in spool.pending(10)] == ["a", "c"]
    assert spool.count_pending() == 2


@pytest.fixture
def card(tmp_path: Path) -> Iterator[Path]:
    """A disk that can be made read-only."""
    folder = tmp_path / "card"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(card: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(card)], check=True)


@pytest.mark.parametrize("torn", [True, False])
def test_a_card_that_takes_nothing_is_waited_for(card: Path, *, torn: bool) -> None:
    path = card / "spool.sqlite3"
    fill(path, closed=True)
    if torn:
        spoil(path, 4096, 8192)
    remount(card, "ro")
    with pytest.raises(HomeError, match="no-proof"):
        Spool(path, source="gateway")
    spool = Spool(path, source="gateway", alone=True)
    for refused in (lambda: spool.append(event("x"), durable=True), lambda: spool.pending(5), spool.probe):
        with pytest.raises(HomeError, match="no-proof"):
            refused()
    assert asides(path) == []
    remount(card, "rw")
    spool.append(event("x"), durable=True)
    told = [one.what for one in spool.pending(1000) if one.what in WHAT_IS_TOLD]
    assert told == ([TORN, PAUSED] if torn else [PAUSED])
    assert len(asides(path)) == torn


def test_a_mending_that_was_interrupted_is_finished(path: Path) -> None:
    fill(path, closed=True)
    spoil(path, 0, 100)
    made = path.with_name(f"{path.name}.mending")
    # Killed before the new file was whole:
    made.write_bytes(b"half")
    assert mended(path).rows["event"] == EVENTS
    # Killed between the two renames:
    path.rename(made)
    assert mend(path, schema="", tables=(), finish=lambda db, torn: None, now=1.0) is None
    assert len(all_of(Spool(path))) == EVENTS


def mended(path: Path) -> Torn:
    torn = mend(path, schema=SCHEMA, tables=("event",), finish=lambda db, torn: None, now=1.0)
    assert torn is not None
    return torn


def test_names_of_asides_do_not_meet(path: Path) -> None:
    names = []
    for _ in range(2):
        path.write_bytes(b"x")
        names.append(set_aside(path, 1_795_000_000.0).name)
    assert names == ["spool.sqlite3.torn-20261118T110640Z", "spool.sqlite3.torn-20261118T110641Z"]


@pytest.fixture(scope="module")
def whole() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    fill(folder / "spool.sqlite3", closed=False)
    yield folder
    shutil.rmtree(folder)


Damage = tuple[str, tuple[str, int, bytes]]
damage: st.SearchStrategy[Damage] = st.tuples(
    st.sampled_from(["", "-wal"]),
    st.one_of(
        st.tuples(st.just("bytes"), st.integers(0, 60_000), st.binary(min_size=1, max_size=5000)),
        st.tuples(st.just("cut"), st.integers(0, 60_000), st.just(b"")),
        st.tuples(st.just("gone"), st.just(0), st.just(b"")),
    ),
)


@settings(max_examples=150, deadline=None)
@given(damages=st.lists(damage, min_size=1, max_size=3))
def test_whatever_the_bytes_are_it_comes_up(whole: Path, damages: list[Damage]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spool.sqlite3"
        for one in whole.iterdir():
            shutil.copy(one, Path(folder) / one.name)
        for end, (how, at, content) in damages:
            file = path.with_name(path.name + end)
            if how == "gone":
                file.unlink(missing_ok=True)
            elif file.exists():
                if how == "cut":
                    cut(file, min(at, file.stat().st_size))
                else:
                    with file.open("r+b") as spoilt:
                        spoilt.seek(at % max(1, file.stat().st_size))
                        spoilt.write(content)
        with contextlib.closing(Spool(path, source="gateway", alone=True)) as spool:
            first = all_of(spool)
            (new,) = spool.append(event("new"), durable=True)
            assert new.seq > max(first.values(), default=0)
            spool.receipted(receipt(*first, "new"))
            assert spool.pending(100) == ()
            assert examine(path) is None
            assert any(path.parent.glob("*.torn-*")) == (spool.torn is not None)
