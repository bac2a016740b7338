"""A machine with a line's token becomes a room: one of two, in time, with proof, and again after a fault."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, NoReturn

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from auth_service.account import rights, telling
from auth_service.confirming.errands import Errands
from auth_service.home import window_rows
from auth_service.home.lockdown import Lockdown
from auth_service.home.window import AGAIN, LIFETIME
from auth_service.hub.accounts import Accounts
from auth_service.joining.joining import Joining
from auth_service.joining.windows import Windows
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words import join_code
from shared.words.internal import User
from shared.words.internal_joining import Joined, JoinWish, Kind
from shared.words.messages import AuditEvent, Who
from shared.words.names import Outcome, Role, Severity
from shared.words.problem import HomeError
from shared.words.renewing import Certificate, Csr
from tests.unit.auth_service.home.test_renewals import FakeSigner
from tests.unit.auth_service.joining.test_requested_key import request
from tests.unit.auth_service.parts import Clock, Given, fill

HUB = Who(issuer="admin")
PI, ANOTHER = (request(ec.generate_private_key(ec.SECP256R1())).decode() for _ in range(2))


class House:
    """A home into which machines come."""

    def __init__(
        self, store: Store, proof: Proof, spool: Spool, clock: Clock, errands: Errands, authority: Path
    ) -> None:
        self.signer, self.given, self.spool, self.clock = FakeSigner(spool), Given(), spool, clock
        self.admitted = Given()
        self.accounts: Accounts
        self.windows = Windows(store, proof, now=clock)
        self.lockdown = Lockdown(store, proof, now=clock)
        self.joining = Joining(
            store, proof, errands, self.signer, self.given, self.admitted, authority=authority, now=clock
        )
        self.store = store
        self._errands = errands

    async def open(self, room: str = "attic") -> str:
        return (await self.windows.open(room, HUB)).token

    async def open_by(self, user: User, room: str) -> str:
        return (await self.windows.open(room, telling.by(user, "192.0.2.7", "gateway"))).token

    async def open_for_client(self, name: str = "phone", *devices: str) -> str:
        return (await self.windows.open(name, HUB, kind="client", devices=devices or ("hall/lamp",))).token

    async def join(self, token: str, csr: str = PI, name: str = "attic", kind: Kind = "room") -> Joined:
        wish = JoinWish(token=token, name=name, kind=kind, csr=csr, address="192.0.2.7")
        try:
            return await self.joining.join(wish, "gateway")
        finally:
            await self._errands.settled()

    async def refusal(self, token: str, csr: str = PI, name: str = "attic", kind: Kind = "room") -> str:
        with pytest.raises(HomeError) as refused:
            await self.join(token, csr, name, kind)
        assert refused.value.slug == "join-refused"
        return str(refused.value.facts["reason"])

    async def names(self) -> dict[str, str]:
        return {row.name: row.role for row in await self.accounts.list_identities()}

    def told(self, what: str) -> list[AuditEvent]:
        return [event for event in self.spool.pending(1000) if event.what == what]


@pytest.fixture
async def house(
    store: Store, proof: Proof, spool: Spool, clock: Clock, accounts: Accounts, tmp_path: Path
) -> AsyncIterator[House]:
    authority = tmp_path / "device-ca.crt"
    authority.write_text("the authority")
    async with asyncio.TaskGroup() as group:
        made = House(store, proof, spool, clock, Errands(group), authority)
        made.accounts = accounts
        yield made


async def test_a_machine_becomes_the_room_that_the_window_is_for_and_all_of_it_is_proven(house: House) -> None:
    joined = await house.join(await house.open())
    assert joined == Joined(name="attic", certificate="certificate 1", authority="the authority")
    assert await house.names() == {"attic": "room"}
    assert house.signer.asked == [("attic", PI)]
    assert house.given.devices == {"attic": ()}
    assert house.signer.proofs == [2], "both are written before anything is signed"
    (awaited,), (added,) = house.told("room:awaited"), house.told("room:added")
    assert (awaited.where, awaited.who, awaited.severity) == ("room/attic", HUB, Severity.CRITICAL)
    assert (added.where, added.severity) == ("room/attic", Severity.CRITICAL)
    assert added.who == Who(issuer="gateway", address="192.0.2.7")
    assert len(added.detail["key"]) == 64


async def test_no_name_is_given_out_before_a_machine_comes(house: House) -> None:
    await house.open()
    assert await house.names() == {}
    await house.accounts.enrol_identity("attic", "room")
    assert await house.names() == {"attic": "room"}


async def test_the_token_lies_nowhere(house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    token = await house.open()
    await house.join(token)
    await house.refusal(token, ANOTHER)
    files = await asyncio.to_thread(lambda: {path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert {"auth.sqlite3", "spool.sqlite3"} <= set(files)
    assert [name for name, content in files.items() if token.encode() in content] == []
    assert token not in caplog.text


async def test_a_lost_answer_is_given_again_to_the_same_key_for_an_hour(house: House) -> None:
    token = await house.open()
    first = await house.join(token)
    house.clock.forward(seconds=AGAIN.total_seconds() - 1)
    assert await house.join(token) == first
    assert len(house.signer.asked) == 1
    assert len(house.told("room:added")) == 1
    house.clock.forward(seconds=1)
    assert await house.refusal(token) == "over"


async def test_of_two_machines_with_one_token_exactly_one_gets_in_and_the_other_is_told_of(house: House) -> None:
    token = await house.open()
    came = await asyncio.gather(*(house.join(token, csr) for csr in (PI, ANOTHER)), return_exceptions=True)
    joined = [one for one in came if isinstance(one, Joined)]
    refused = [one for one in came if isinstance(one, HomeError)]
    assert (len(joined), [one.facts["reason"] for one in refused]) == (1, ["used"])
    assert len(house.signer.asked) == 1
    (event,) = house.told("room:join-refused")
    assert (event.where, event.severity, event.outcome) == ("room/attic", Severity.SECURITY, Outcome.REJECTED)
    assert event.detail["reason"] == "used"


async def test_what_waits_for_the_signer_keeps_the_window_for_its_key(house: House) -> None:
    token = await house.open()
    house.signer.away = HomeError("signer-unreachable")
    with pytest.raises(HomeError, match="signer-unreachable"):
        await house.join(token)
    assert await house.refusal(token, ANOTHER) == "used"
    house.signer.away = None
    assert (await house.join(token)).certificate == "certificate 1"
    assert len(house.told("room:added")) == 1


async def test_rights_that_could_not_be_given_are_given_to_who_asks_again(house: House) -> None:
    token = await house.open()
    house.given.fault = HomeError("broker-unreachable")
    with pytest.raises(HomeError, match="broker-unreachable"):
        await house.join(token)
    house.given.fault = None
    assert (await house.join(token)).certificate == "certificate 1"
    assert house.given.devices == {"attic": ()}


async def test_a_machine_that_never_came_back_gives_its_place_to_another(house: House) -> None:
    token = await house.open()
    house.signer.away = HomeError("signer-unreachable")
    with pytest.raises(HomeError):
        await house.join(token)
    house.signer.away = None
    another = await house.open()
    assert await house.refusal(token) == "unknown"
    assert (await house.join(another, ANOTHER)).certificate == "certificate 1"
    assert house.told("room:added")[-1].detail["interrupted_before"] == "yes"


async def test_a_name_that_an_interrupted_enrolment_left_is_free_for_a_line(house: House) -> None:
    await house.accounts.enrol_identity("attic", "room")
    with pytest.raises(HomeError, match="is in use"):
        await house.open()
    token = (await house.windows.open("attic", HUB, unfinished=True)).token
    assert (await house.join(token)).name == "attic"
    assert house.told("room:added")[-1].detail["interrupted_before"] == "yes"


async def test_it_ends_after_ten_minutes(house: House) -> None:
    token = await house.open()
    house.clock.forward(seconds=LIFETIME.total_seconds())
    assert await house.refusal(token) == "over"
    assert await house.names() == {}


async def test_another_line_ends_the_former(house: House) -> None:
    former, token = await house.open(), await house.open()
    assert await house.refusal(former) == "unknown"
    assert (await house.join(token)).name == "attic"


async def test_a_token_is_for_one_room(house: House) -> None:
    token = await house.open()
    await house.open("cellar")
    assert await house.refusal(token, name="cellar") == "unknown"
    assert await house.names() == {}


async def test_a_client_joins_as_one_with_what_it_was_granted_and_all_of_it_is_proven(house: House) -> None:
    await house.accounts.enrol_identity("hall", "room")
    token = await house.open_for_client("phone", "hall/lamp", "hall/heater")
    joined = await house.join(token, name="phone", kind="client")
    assert (joined.name, joined.may) == ("phone", ("hall/lamp", "hall/heater"))
    assert await house.names() == {"hall": "room", "phone": "client"}
    assert (house.signer.asked, house.signer.roles) == ([("phone", PI)], ["client"])
    assert (house.admitted.devices, house.given.devices) == ({"phone": ("hall/lamp", "hall/heater")}, {})
    (awaited,), (added,) = house.told("client:awaited"), house.told("client:added")
    assert (awaited.where, awaited.severity) == ("client/phone", Severity.CRITICAL)
    assert awaited.detail["may"] == "hall/lamp, hall/heater"
    assert (added.where, added.who.address, len(added.detail["key"])) == ("client/phone", "192.0.2.7", 64)
    assert await house.join(token, name="phone", kind="client") == joined
    assert await house.refusal(token, ANOTHER, "phone", "client") == "used"
    (refused,) = house.told("client:join-refused")
    assert (refused.where, refused.severity, refused.detail["reason"]) == ("client/phone", Severity.SECURITY, "used")


async def test_a_line_of_one_role_makes_nobody_the_other(house: House) -> None:
    await house.accounts.enrol_identity("hall", "room")
    of_client, of_room = await house.open_for_client("phone"), await house.open("attic")
    assert await house.refusal(of_client, name="phone", kind="room") == "unknown"
    assert await house.refusal(of_room, name="attic", kind="client") == "unknown"
    assert await house.refusal(of_room, name="phone", kind="client") == "unknown"
    assert await house.names() == {"hall": "room"}


async def test_a_client_is_granted_nothing_of_a_room_that_is_not_there(house: House) -> None:
    await house.accounts.enrol_identity("hall", "room")
    await house.accounts.enrol_identity("shed", "room")
    await house.accounts.revoke_identity("shed")
    for device in ("cellar/lamp", "shed/lamp"):
        with pytest.raises(HomeError, match="these are enrolled: hall"):
            await house.open_for_client("phone", device)


async def test_a_client_that_is_there_or_was_revoked_gets_no_line(house: House) -> None:
    await house.accounts.enrol_identity("hall", "room")
    await house.accounts.enrol_identity("phone", "client")
    with pytest.raises(HomeError, match="homesystem client renew phone;"):
        await house.open_for_client("phone")
    with pytest.raises(HomeError, match="is in use"):
        await house.open_for_client("hall")
    await house.accounts.revoke_identity("phone")
    with pytest.raises(HomeError, match="no name is ever given out twice"):
        await house.open_for_client("phone")


async def test_a_room_that_is_there_joins_again_by_a_line_for_that_and_keeps_its_rights(house: House) -> None:
    first = await house.open()
    await house.join(first)
    token = (await house.windows.open_again("attic", "room", HUB)).token
    assert await house.refusal(first) == "unknown", "the line before it is over"
    assert (await house.join(token, ANOTHER)).certificate == "certificate 2"
    assert (await house.join(token, ANOTHER)).certificate == "certificate 2"
    assert house.given.changes == 1, "what it may say it may still"
    (renewed,) = house.told("certificate:renewed")
    assert (renewed.where, renewed.severity, renewed.who.address) == ("room/attic", Severity.CRITICAL, "192.0.2.7")
    assert house.told("room:awaited")[-1].detail["again"] == "yes"
    assert len(house.told("room:added")) == 1
    assert await house.refusal(token, PI) == "used"


async def test_a_client_joins_again_with_what_it_was_granted(house: House) -> None:
    await house.accounts.enrol_identity("hall", "room")
    await house.join(await house.open_for_client(), name="phone", kind="client")
    token = (await house.windows.open_again("phone", "client", HUB)).token
    assert await house.refusal(token, name="phone", kind="room") == "unknown"
    joined = await house.join(token, ANOTHER, "phone", "client")
    assert (joined.certificate, joined.may) == ("certificate 2", ())
    assert house.admitted.changes == 1


async def test_who_is_late_to_join_again_is_told_how_to_have_another_line(house: House) -> None:
    await house.join(await house.open())
    token = (await house.windows.open_again("attic", "room", HUB)).token
    house.clock.forward(seconds=LIFETIME.total_seconds())
    with pytest.raises(HomeError, match="homesystem room renew attic"):
        await house.join(token, ANOTHER)


async def test_whom_there_is_not_joins_not_again(house: House) -> None:
    for name, kind in (("attic", "room"), ("phone", "client")):
        with pytest.raises(HomeError, match=f"There is no {kind} {name}"):
            await house.windows.open_again(name, kind, HUB)  # type: ignore[arg-type]  # one of both
    await house.accounts.enrol_identity("attic", "room")
    with pytest.raises(HomeError, match="There is no client attic"):
        await house.windows.open_again("attic", "client", HUB)
    token = (await house.windows.open_again("attic", "room", HUB)).token
    await house.accounts.revoke_identity("attic")
    assert await house.refusal(token) == "unknown"
    with pytest.raises(HomeError, match="was revoked, for good"):
        await house.windows.open_again("attic", "room", HUB)


async def test_a_line_to_join_again_makes_the_name_free_for_nobody_else(house: House) -> None:
    await house.join(await house.open())
    token = (await house.windows.open_again("attic", "room", HUB)).token
    with pytest.raises(HomeError, match="is in use"):
        await house.open()
    await house.accounts.renew_identity("attic", "room")
    assert await house.refusal(token, ANOTHER) == "unknown", "its certificate came from the hub"


async def test_a_phone_comes_by_a_code_and_by_no_name_and_is_a_client(house: House, tmp_path: Path) -> None:
    await house.accounts.enrol_identity("hall", "room")
    code = (await house.windows.open("phone", HUB, kind="phone", devices=("hall/lamp",))).token
    assert join_code.is_one(code)
    joined = await house.join(code, name="", kind="phone")
    assert (joined.name, joined.may, house.signer.roles) == ("phone", ("hall/lamp",), ["client"])
    assert house.admitted.devices == {"phone": ("hall/lamp",)}
    assert await house.names() == {"hall": "room", "phone": "client"}
    (awaited,), (added,) = house.told("client:awaited"), house.told("client:added")
    assert (awaited.where, awaited.detail["by"], added.where) == ("client/phone", "a file for an app", "client/phone")
    with pytest.raises(HomeError, match="homesystem client revoke phone on the hub"):
        await house.join(code, ANOTHER, "", "phone")
    (refused,) = house.told("client:join-refused")
    assert (refused.where, refused.detail["reason"]) == ("client/phone", "used")
    files = await asyncio.to_thread(lambda: {path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert [name for name, content in files.items() if code.encode() in content] == []


async def test_a_code_is_no_line_and_a_line_no_code(house: House) -> None:
    await house.accounts.enrol_identity("hall", "room")
    code = (await house.windows.open("phone", HUB, kind="phone", devices=("hall/lamp",))).token
    of_client, of_room = await house.open_for_client("tablet"), await house.open("attic")
    assert await house.refusal(code, name="phone", kind="client") == "unknown"
    assert await house.refusal(code, name="phone", kind="room") == "unknown"
    assert await house.refusal(of_client, name="", kind="phone") == "unknown"
    assert await house.refusal(of_room, name="attic", kind="phone") == "unknown"
    assert await house.names() == {"hall": "room"}


async def test_a_code_that_came_too_late_says_how_to_have_another_one(house: House) -> None:
    await house.accounts.enrol_identity("phone", "client")
    for way, code in (
        ("add", (await house.windows.open("tablet", HUB, kind="phone")).token),
        ("renew", (await house.windows.open_again("phone", "phone", HUB)).token),
    ):
        house.clock.forward(seconds=LIFETIME.total_seconds())
        with pytest.raises(HomeError, match=f"Run homesystem client {way} (tablet|phone) --p12"):
            await house.join(code, name="", kind="phone")
        house.clock.forward(seconds=-LIFETIME.total_seconds())


async def test_wrong_tokens_are_a_letter_and_few_events_and_close_nothing(house: House) -> None:
    token = await house.open()
    for number in range(1000):
        assert await house.refusal(f"{number:032x}") == "unknown"
    events = house.told("room:join-refused")
    assert [(event.where, event.severity, event.detail["count"]) for event in events] == [
        ("home", Severity.INFO, "1"),
        ("home", Severity.SECURITY, "5"),
    ]
    assert (await house.join(token)).name == "attic"
    house.clock.forward(minutes=11)
    await house.joining.sweep()
    assert house.told("room:join-refused")[-1].detail["count"] == "1000"


async def test_a_name_that_was_revoked_meanwhile_stays_so(house: House) -> None:
    token = await house.open()
    await house.join(token)
    await house.accounts.revoke_identity("attic")
    assert await house.refusal(token) == "unknown", "its window went with it"
    with pytest.raises(HomeError, match="was revoked"):
        await house.open()


async def test_a_name_that_was_given_out_otherwise_meanwhile_is_not_given_twice(house: House) -> None:
    token = await house.open()
    await house.accounts.enrol_identity("attic", "client")
    assert await house.refusal(token) == "unknown"
    assert await house.names() == {"attic": "client"}
    with pytest.raises(HomeError, match="is in use"):
        await house.open()


async def test_a_room_that_is_there_is_not_joined_again(house: House) -> None:
    await house.join(await house.open())
    with pytest.raises(HomeError, match="homesystem room renew attic;"):
        await house.open()


@pytest.mark.parametrize("name", ["Attic", "gateway", "a/b", "", "x" * 33])
async def test_a_name_that_cannot_be_is_refused(house: House, name: str) -> None:
    with pytest.raises(HomeError, match="invalid-value"):
        await house.windows.open(name, HUB)


async def test_what_is_no_request_uses_nothing_up(house: House) -> None:
    token = await house.open()
    with pytest.raises(HomeError, match="invalid-value"):
        await house.join(token, "no request")
    assert (await house.join(token)).name == "attic"


async def test_without_proof_nothing_is_opened_and_nobody_comes_in(house: House, tmp_path: Path) -> None:
    token = await house.open()
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await house.open("cellar")
    with pytest.raises(HomeError, match="no-proof"):
        await house.join(token)
    assert house.signer.asked == []
    assert await house.names() == {}


async def test_those_that_are_long_over_are_forgotten(house: House) -> None:
    token = await house.open()
    house.clock.forward(hours=25)
    await house.joining.sweep()
    assert await house.refusal(token) == "unknown"


class KilledError(BaseException):
    """As kill -9 would: nothing of ours catches it."""


@pytest.mark.parametrize("step", ["bound", "signed", "kept", "given"])
async def test_a_hub_that_is_killed_after_any_step_gives_the_same_machine_its_room_when_it_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    token = await house.open()
    dead = house.joining

    def dies(*_: object, **__: object) -> NoReturn:
        raise KilledError

    async def signed(name: str, asked: Csr, *, role: Literal["room", "client"] = "room") -> Certificate:
        await house.signer(name, asked, role=role)
        raise KilledError

    async def given(room: str, devices: tuple[str, ...]) -> None:
        await house.given(room, devices)
        raise KilledError

    with monkeypatch.context() as patch:
        match step:
            case "bound":
                patch.setattr(dead, "_sign", dies)
            case "signed":
                patch.setattr(dead, "_sign", signed)
            case "kept":
                patch.setattr(dead, "_give", dies)
            case "given":
                patch.setattr(dead, "_give", given)
        with pytest.raises(KilledError):
            await house.join(token)
    assert await house.refusal(token, ANOTHER) == "used", "its place is kept"
    kept = await house.join(token)
    assert await house.join(token) == kept
    assert len(house.told("room:added")) == 1
    assert await house.names() == {"attic": "room"}
    assert house.given.devices == {"attic": ()}


async def test_a_lockdown_ends_what_was_shown_and_leaves_who_came_the_answer(house: House) -> None:
    """Whoever is inside may have a machine of theirs on its way, as they may have invited themselves."""
    of_room, came = await house.open(), await house.open("cellar")
    await house.accounts.enrol_identity("hall", "room")
    of_client = await house.open_for_client("phone")
    first = await house.join(came, name="cellar")
    await house.lockdown.begin(HUB)
    assert await house.refusal(of_room) == "unknown"
    assert await house.refusal(of_client, name="phone", kind="client") == "unknown"
    assert await house.join(came, name="cellar") == first
    await house.lockdown.end(HUB)
    assert await house.refusal(of_room) == "unknown", "it does not come back"
    assert await house.names() == {"hall": "room", "cellar": "room"}
    with pytest.raises(HomeError, match="called off, as by a lockdown"):
        await house.join(of_room)


@pytest.mark.parametrize("ended", ["disabled", "demoted", "erased"])
async def test_a_line_ends_with_the_rights_of_who_had_it_shown(house: House, ada: User, ended: str) -> None:
    eve = await house.accounts.create_user(
        email="eve@example.org", name="Eve", password="lanterns over quiet harbours", role=Role.MASTER
    )
    of_eve, came, of_ada = [await house.open_by(user, f"room-{at}") for at, user in enumerate((eve, eve, ada))]
    first = await house.join(came, name="room-1")
    if ended == "demoted":
        async with house.store.write() as connection:
            await rights.change_role(connection, eve, Role.MEMBER, house.clock())
    else:
        await house.accounts.disable_user(eve.email)
    if ended == "erased":
        await house.accounts.erase_user(eve.email)
    assert await house.refusal(of_eve, name="room-0") == "unknown"
    assert await house.join(came, name="room-1") == first
    assert (await house.join(of_ada, ANOTHER, "room-2")).name == "room-2"
    async with house.store.read() as connection:
        opened_by = await connection.scalars(select(window_rows.table.c.opened_by))
        assert set(opened_by) == {None, ada.id}, "nobody keeps who may no longer"


async def test_a_line_is_called_off_at_the_hub_and_its_name_stays_free(house: House) -> None:
    await house.accounts.enrol_identity("hall", "room")
    token = await house.open_for_client("phone")
    assert not await house.accounts.close_window("phone", "room")
    assert await house.accounts.close_window("phone", "client")
    assert await house.refusal(token, name="phone", kind="client") == "unknown"
    (event,) = house.told("client:awaited-no-more")
    assert (event.where, event.severity) == ("client/phone", Severity.CRITICAL)
    assert not await house.accounts.close_window("phone", "client")
    assert (await house.join(await house.open_for_client("phone"), name="phone", kind="client")).name == "phone"
    assert not await house.accounts.close_window("phone", "client"), "who came is revoked, and not called off"
