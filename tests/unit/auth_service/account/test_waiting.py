"""What waits for the master user's word: shown, decided about exactly that, and not asked again."""

import asyncio
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from auth_service.account.waiting import Waiting
from auth_service.home import room_rows
from auth_service.home.rooms import Rooms
from auth_service.hub.accounts import Accounts
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import RegisteredDevice, RoomSeen, User
from shared.words.internal_waiting import Decision, WaitingDecision, WaitingDevice
from shared.words.messages import DeviceDescription
from shared.words.names import ACTIONS, Action, Kind, Role, Severity
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import PASSWORD, Clock, Given, disabled_after_the_first_look, fill


def device(kind: Kind = Kind.LOCK, *, strict: bool, safe: tuple[Action, ...] = (Action.LOCK,)) -> RoomSeen:
    """One device as its room describes it."""
    said = DeviceDescription(
        id="front-door",
        name="Front door",
        kind=kind,
        critical=strict,
        confirm=strict,
        actions=ACTIONS[kind],
        safe_actions=safe,
    )
    return RoomSeen(name="Entrance", devices=(said,))


STRICT, LOOSE = device(strict=True), device(strict=False)
LAMP = device(Kind.SWITCH, strict=False, safe=(Action.OFF,))
SAFE_LAMP = device(Kind.SWITCH, strict=False, safe=(Action.OFF, Action.ON))
EMPTY = RoomSeen(name="Entrance", devices=())


class Gate:
    """Rooms that describe themselves, and a master user who decides."""

    def __init__(self, store: Store, proof: Proof, clock: Clock, master: User) -> None:
        self.rooms = Rooms(store, proof, Given(), now=clock, wake=self.wake)
        self.waiting = Waiting(store, proof, now=clock, wake=self.wake)
        self.master = master
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1

    async def hear(self, *descriptions: RoomSeen) -> None:
        for said in descriptions:
            await self.rooms.seen("hall", said, "gateway")

    async def shown(self) -> WaitingDevice:
        (one,) = (await self.waiting.everything()).waiting
        return one

    async def waits(self) -> dict[str, tuple[str, str]]:
        """Of the one device: what would change, from what to what."""
        told = (await self.waiting.everything()).waiting
        return {change.field: (change.stands, change.wanted) for one in told for change in one.changes}

    async def decide(self, decision: Decision, *, digest: str = "", by: str = "") -> None:
        digest = digest or (await self.shown()).digest
        wanted = WaitingDecision(decision=decision, digest=digest, by=by or self.master.id, address="192.0.2.1")
        await self.waiting.decide("hall", "front-door", wanted, "gateway")

    async def stands(self) -> RegisteredDevice:
        (one,) = (await self.rooms.registry()).rooms[0].devices
        return one


@pytest.fixture
async def gate(store: Store, proof: Proof, clock: Clock, accounts: Accounts, ada: User) -> Gate:
    """A home of one room."""
    await accounts.enrol_identity("hall", "room")
    return Gate(store, proof, clock, ada)


async def test_what_would_be_less_strict_is_shown_with_what_stands(gate: Gate, clock: Clock) -> None:
    await gate.hear(STRICT, LOOSE)
    shown = await gate.shown()
    assert (shown.room, shown.device, shown.room_name, shown.name) == ("hall", "front-door", "Entrance", "Front door")
    assert await gate.waits() == {"critical": ("true", "false"), "confirm": ("true", "false")}
    assert shown.since == clock()


async def test_it_waits_since_it_began_to(gate: Gate, clock: Clock) -> None:
    await gate.hear(STRICT, LOOSE)
    began = clock()
    clock.forward(days=2)
    await gate.hear(msgspec.structs.replace(LOOSE, name="Front"))
    assert (await gate.shown()).since == began


async def test_yes_loosens_exactly_what_was_shown(gate: Gate, spool: Spool) -> None:
    await gate.hear(STRICT, LOOSE)
    await gate.decide("accept")
    stands = await gate.stands()
    assert (stands.critical, stands.confirm) == (False, False)
    assert await gate.waits() == {}
    event = spool.pending(100)[-1]
    assert (event.what, event.where, event.severity) == ("device:loosened", "hall/front-door", Severity.CRITICAL)
    assert event.who.user is not None
    assert (event.who.user.name, event.who.address) == ("Ada Lovelace", "192.0.2.1")
    await gate.hear(LOOSE)
    assert await gate.stands() == stands


async def test_no_leaves_it_as_it_is_and_is_not_asked_again(gate: Gate, spool: Spool, clock: Clock) -> None:
    await gate.hear(STRICT, LOOSE)
    strict = await gate.stands()
    await gate.decide("refuse")
    assert spool.pending(100)[-1].what == "device:kept-strict"
    assert spool.pending(100)[-1].severity is Severity.CRITICAL
    told = len(spool.pending(100))
    clock.forward(days=30)
    await gate.hear(LOOSE, STRICT, LOOSE)
    assert await gate.waits() == {}
    assert await gate.stands() == strict
    assert len(spool.pending(100)) == told


async def test_another_description_is_asked_about_after_a_no(gate: Gate) -> None:
    await gate.hear(STRICT, LOOSE)
    await gate.decide("refuse")
    await gate.hear(device(Kind.SWITCH, strict=False, safe=(Action.OFF,)))
    assert await gate.waits() == {"kind": ("lock", "switch")}


@pytest.mark.parametrize("decision", ["accept", "refuse"])
async def test_a_room_that_changed_its_mind_meanwhile_is_not_decided_about(
    gate: Gate, spool: Spool, decision: Decision
) -> None:
    await gate.hear(STRICT, LOOSE)
    shown = (await gate.shown()).digest
    await gate.hear(device(Kind.SWITCH, strict=False))
    stands, told = await gate.stands(), len(spool.pending(100))
    with pytest.raises(HomeError, match="changed-meanwhile"):
        await gate.decide(decision, digest=shown)
    assert await gate.stands() == stands
    assert len(spool.pending(100)) == told
    assert set(await gate.waits()) == {"kind", "critical", "confirm"}


async def test_a_room_that_takes_another_name_meanwhile_is_not_decided_about(gate: Gate) -> None:
    await gate.hear(STRICT, LOOSE)
    shown = (await gate.shown()).digest
    (door,) = LOOSE.devices
    await gate.hear(RoomSeen(name="Entrance", devices=(msgspec.structs.replace(door, name="Lamp"),)))
    with pytest.raises(HomeError, match="changed-meanwhile"):
        await gate.decide("accept", digest=shown)
    assert (await gate.stands()).critical


async def test_of_two_decisions_one_counts(gate: Gate, spool: Spool) -> None:
    await gate.hear(STRICT, LOOSE)
    shown = (await gate.shown()).digest
    answers = await asyncio.gather(
        gate.decide("accept", digest=shown), gate.decide("refuse", digest=shown), return_exceptions=True
    )
    refused = [one for one in answers if one is not None]
    assert [str(one).partition(":")[0] for one in refused] == ["not-found"]
    said = [event.what for event in spool.pending(100) if event.severity is Severity.CRITICAL]
    assert len([what for what in said if what in ("device:loosened", "device:kept-strict")]) == 1


async def test_what_does_not_wait_is_not_found(gate: Gate) -> None:
    await gate.hear(STRICT)
    with pytest.raises(HomeError, match="not-found"):
        await gate.decide("accept", digest="0" * 32)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.GUEST])
async def test_nobody_but_the_master_user_decides(gate: Gate, accounts: Accounts, role: Role) -> None:
    bob = await accounts.create_user(email="bob@example.org", name="Bob", password=PASSWORD, role=role)
    await gate.hear(STRICT, LOOSE)
    for who in (bob.id, "nobody"):
        with pytest.raises(HomeError, match="forbidden"):
            await gate.decide("accept", by=who)
    assert (await gate.stands()).critical


async def test_without_proof_nothing_is_loosened(gate: Gate, tmp_path: Path) -> None:
    await gate.hear(STRICT, LOOSE)
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await gate.decide("accept")
    assert (await gate.stands()).critical
    assert set(await gate.waits()) == {"critical", "confirm"}


async def test_one_safe_action_more_waits(gate: Gate) -> None:
    await gate.hear(LAMP)
    await gate.hear(SAFE_LAMP)
    assert (await gate.stands()).safe_actions == ()
    assert await gate.waits() == {"safe_actions": ("", "on")}
    await gate.decide("accept")
    assert (await gate.stands()).safe_actions == (Action.ON,)
    await gate.hear(SAFE_LAMP)
    assert await gate.waits() == {}


async def test_what_is_safe_no_more_is_so_at_once_and_waits_to_be_so_again(gate: Gate) -> None:
    await gate.hear(SAFE_LAMP, LAMP)
    assert (await gate.stands()).safe_actions == ()
    await gate.hear(SAFE_LAMP)
    assert await gate.waits() == {"safe_actions": ("", "on")}


async def test_what_an_older_hub_did_not_note_is_its_rooms_word(gate: Gate, store: Store) -> None:
    await gate.hear(SAFE_LAMP)
    async with store.write() as connection:
        await connection.execute(sa.text("UPDATE devices SET safe_actions = NULL, named_at = NULL"))
    await gate.hear(SAFE_LAMP)
    assert (await gate.stands()).safe_actions == (Action.ON,)
    assert await gate.waits() == {}


async def test_a_yes_to_less_proof_is_none_to_more_that_is_safe(gate: Gate) -> None:
    await gate.hear(device(strict=True, safe=(Action.LOCK, Action.UNLOCK)))
    await gate.hear(device(strict=False, safe=(Action.LOCK, Action.UNLOCK)))
    assert set(await gate.waits()) == {"critical", "confirm"}
    await gate.decide("accept")
    assert (await gate.stands()).safe_actions == ()
    await gate.hear(device(strict=False, safe=(Action.LOCK, Action.UNLOCK)))
    assert await gate.waits() == {"safe_actions": ("", "unlock")}


@pytest.mark.parametrize("between", [(EMPTY,), ()], ids=["described without it", "whole room away"])
async def test_what_was_away_for_a_year_comes_back_locked_out(
    gate: Gate, clock: Clock, spool: Spool, between: tuple[RoomSeen, ...]
) -> None:
    await gate.hear(STRICT, *between)
    clock.forward(days=366)
    await gate.hear(STRICT)
    assert (await gate.stands()).locked_out
    assert await gate.waits() == {"return": ("2026-03-01", "back")}
    assert (spool.pending(100)[-1].what, spool.pending(100)[-1].severity) == ("device:loosening", Severity.SECURITY)
    woken = gate.woken
    assert woken
    await gate.hear(STRICT)
    assert await gate.waits() == {"return": ("2026-03-01", "back")}
    await gate.decide("accept")
    assert not (await gate.stands()).locked_out
    assert gate.woken > woken
    await gate.hear(STRICT)
    assert await gate.waits() == {}
    assert not (await gate.stands()).locked_out


async def test_what_came_back_and_was_refused_stays_locked_out(gate: Gate, clock: Clock) -> None:
    await gate.hear(STRICT)
    clock.forward(days=366)
    await gate.hear(STRICT)
    await gate.decide("refuse")
    await gate.hear(STRICT, EMPTY, STRICT)
    assert (await gate.stands()).locked_out
    assert await gate.waits() == {}


async def test_lifting_the_lockout_of_what_came_back_takes_it_back(gate: Gate, clock: Clock, store: Store) -> None:
    await gate.hear(STRICT)
    clock.forward(days=366)
    await gate.hear(STRICT)
    async with store.write() as connection:
        await room_rows.set_lockout(connection, "hall", "front-door", locked_out=False)
    assert await gate.waits() == {}
    await gate.hear(STRICT)
    assert not (await gate.stands()).locked_out
    assert await gate.waits() == {}


async def test_what_is_named_now_and_then_was_not_away(gate: Gate, clock: Clock) -> None:
    for _ in range(5):
        await gate.hear(STRICT)
        clock.forward(days=100)
    await gate.hear(STRICT)
    assert not (await gate.stands()).locked_out
    assert await gate.waits() == {}


async def test_a_revoked_room_asks_for_nothing(gate: Gate, accounts: Accounts) -> None:
    await gate.hear(STRICT, LOOSE)
    shown = (await gate.shown()).digest
    await accounts.revoke_identity("hall")
    assert await gate.waits() == {}
    with pytest.raises(HomeError, match="not-found"):
        await gate.decide("accept", digest=shown)


async def test_who_is_no_master_user_any_more_when_it_is_decided_loosens_nothing(
    gate: Gate, store: Store, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gate.hear(STRICT, LOOSE)
    digest = (await gate.shown()).digest
    async with disabled_after_the_first_look(store, gate.master.id, monkeypatch):
        decision = asyncio.create_task(gate.decide("accept", digest=digest))
    with pytest.raises(HomeError, match="forbidden"):
        await decision
    assert (await gate.stands()).critical
    assert "device:loosened" not in {event.what for event in spool.pending(100)}
