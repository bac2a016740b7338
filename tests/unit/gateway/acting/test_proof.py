"""Proof: what was noted is written in the end, whatever the disk does in between."""

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.acting import proof as proofs
from gateway.acting.proof import Proof
from gateway.acting.wish import Wish
from gateway.picture.devices import device_of
from shared.proof.spool import Spool
from shared.words.messages import AuditEvent, UserRef
from shared.words.names import Action, Outcome, Severity
from shared.words.problem import HomeError
from tests.house import DEADLINE, until
from tests.unit.gateway.parts import DIMMER, DOOR, registered


class Disk(Spool):
    """A spool whose disk may be full; tells of each write."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.full = False
        self.free = 10 * proofs.SPARSE_BYTES
        self.tried = threading.Event()

    def append(self, *events: AuditEvent, **options: Any) -> tuple[AuditEvent, ...]:
        self.tried.set()
        if self.full:
            raise HomeError("no-proof", "the disk is full")
        return super().append(*events, **options)

    def space(self) -> int:
        return self.free


def wish(*, critical: bool = True) -> Wish:
    said = DOOR if critical else DIMMER
    return Wish(
        id="c1",
        user=UserRef(id="u1", name="Ada"),
        device=device_of("hall", registered(said), said),
        action=Action.UNLOCK if critical else Action.SET,
        value=None if critical else 40,
        origin="192.0.2.7",
        issued_at=0.0,
    )


class House:
    def __init__(self, path: Path) -> None:
        self.disk = Disk(path / "spool.sqlite3")
        self.urgent: list[AuditEvent] = []
        self.came = asyncio.Event()
        self.proof = Proof(self.disk, issuer="gateway", urgent=self.take)

    def take(self, events: tuple[AuditEvent, ...]) -> None:
        self.urgent += events
        self.came.set()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_an_event_says_what_where_who_and_how_it_ended(house: House) -> None:
    event = house.proof.event(wish(critical=False), Outcome.EXECUTED)
    assert (event.what, event.where, event.outcome, event.severity) == (
        "device:set",
        "hall/dimmer",
        Outcome.EXECUTED,
        Severity.INFO,
    )
    assert (event.who.issuer, event.who.user, event.who.address) == (
        "gateway",
        UserRef(id="u1", name="Ada"),
        "192.0.2.7",
    )
    assert (event.command_id, event.detail) == ("c1", {"value": "40"})


def test_an_event_names_the_token_by_which_a_program_asked(house: House) -> None:
    event = house.proof.event(msgspec.structs.replace(wish(), token="Panel"), Outcome.ASKED)
    assert event.detail["token"] == "Panel"


async def test_an_intent_is_on_disk_and_goes_at_once(house: House) -> None:
    await house.proof.intent(wish())
    assert [e.outcome for e in house.disk.pending(9)] == [Outcome.ASKED]
    assert [e.seq for e in house.urgent] == [e.seq for e in house.disk.pending(9)]


async def test_an_intent_that_cannot_be_written_is_refused(house: House) -> None:
    house.disk.full = True
    with pytest.raises(HomeError, match="no-proof"):
        await house.proof.intent(wish())
    assert house.urgent == []


async def test_what_was_noted_waits_for_the_disk_and_keeps_its_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "GATHER_SECONDS", 0.001)
    house.disk.full = True
    task = asyncio.create_task(house.proof.run())
    first, second = (house.proof.event(wish(), outcome) for outcome in (Outcome.ASKED, Outcome.REJECTED))
    house.proof.note(first)
    async with asyncio.timeout(DEADLINE):
        await asyncio.to_thread(house.disk.tried.wait, 10)
        house.proof.note(second)
        house.disk.full = False
        while len(house.urgent) < 2:
            house.came.clear()
            await house.came.wait()
    assert [e.id for e in house.disk.pending(9)] == [first.id, second.id]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_what_is_plain_is_written_but_not_urgent(house: House) -> None:
    task = asyncio.create_task(house.proof.run())
    house.proof.note(house.proof.event(wish(critical=False), Outcome.EXECUTED))
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert len(house.disk.pending(9)) == 1, "what is left is written on the way out"
    assert house.urgent == []


def test_memory_is_not_filled_without_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "_HELD_EVENTS", 2)
    for _ in range(3):
        house.proof.note(house.proof.event(wish(), Outcome.REJECTED))
    assert len(house.proof._gathered) == 2


async def test_it_is_known_whether_proof_can_be_written(house: House) -> None:
    assert house.proof.writable
    house.disk.full = True
    with pytest.raises(HomeError):
        await house.proof.intent(wish())
    assert not house.proof.writable
    house.disk.full = False
    await house.proof.intent(wish())
    assert house.proof.writable


async def test_a_disk_that_is_too_slow_counts_as_one_that_cannot(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "INTENT_SECONDS", 0.0)
    with pytest.raises(HomeError, match="took too long"):
        await house.proof.intent(wish())
    assert not house.proof.writable


@pytest.mark.parametrize("how", ["by a failed write", "by looking at a sparse disk", "by a disk that cannot be read"])
async def test_the_disk_is_tried_again_without_a_command(
    house: House, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(proofs, "WATCH_SECONDS", 0.001)
    house.disk.full = True
    if "sparse" in how:
        house.disk.free = proofs.SPARSE_BYTES - 1
    elif "failed" in how:
        with pytest.raises(HomeError):
            await house.proof.intent(wish())
    else:
        monkeypatch.setattr(house.disk, "_path", Path("/nowhere/at/all/spool.sqlite3"))
        monkeypatch.setattr(house.disk, "space", lambda: Spool.space(house.disk))
    watching = asyncio.create_task(house.proof.watch())
    await asyncio.to_thread(until, lambda: not house.proof.writable or None, "it is noticed")
    house.disk.full = False
    monkeypatch.setattr(house.disk, "space", lambda: proofs.SPARSE_BYTES)
    await asyncio.to_thread(until, lambda: house.proof.writable or None, "it is noticed that it works again")
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    assert house.disk.pending(9) == (), "trying leaves nothing behind"


async def test_a_disk_with_space_is_not_written_to_in_vain(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "WATCH_SECONDS", 0.001)
    watching = asyncio.create_task(house.proof.watch())
    looked = 0

    def space() -> int:
        nonlocal looked
        looked += 1
        return proofs.SPARSE_BYTES

    monkeypatch.setattr(house.disk, "space", space)
    await asyncio.to_thread(until, lambda: looked >= 3 or None, "it is looked at")
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    assert not house.disk.tried.is_set()
