"""Rooms that ask for their next certificate: who is answered, how often, and what is proven before."""

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from auth_service.home.renewals import ANSWER_SECONDS, BUDGET, FAILED_SECONDS, Renewals
from auth_service.hub.accounts import Accounts
from auth_service.proof import Proof
from shared.broker.bus import Delivery
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words import messages, topics
from shared.words.messages import AuditEvent
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError
from shared.words.renewing import Certificate, Csr
from tests.unit.auth_service.parts import Clock, fill


class FakeSigner:
    """Signs by numbering; `away` makes it refuse. Notes how many events were spooled when it was asked."""

    def __init__(self, spool: Spool) -> None:
        self.asked: list[tuple[str, str]] = []
        self.roles: list[str] = []
        self.proofs: list[int] = []
        self.away: HomeError | None = None
        self._spool = spool

    async def __call__(self, name: str, asked: Csr, *, role: Literal["room", "client"] = "room") -> Certificate:
        self.proofs.append(self._spool.count_pending())
        if self.away is not None:
            raise self.away
        self.asked.append((name, asked.csr))
        self.roles.append(role)
        return Certificate(certificate=f"certificate {len(self.asked)}")


class FakeBus:
    """Takes what is published; `said` is set with each."""

    def __init__(self) -> None:
        self.published: list[tuple[str, messages.Message]] = []
        self.said = asyncio.Event()

    async def publish(self, topic: str, message: messages.Message) -> int:
        self.published.append((topic, message))
        self.said.set()
        return 0

    async def heard_of(self, count: int) -> None:
        while len(self.published) < count:
            self.said.clear()
            await self.said.wait()


class House:
    """A home with rooms hall and kitchen, a client phone, and a hall that was revoked."""

    def __init__(self, store: Store, proof: Proof, spool: Spool, clock: Clock) -> None:
        self.signer = FakeSigner(spool)
        self.bus = FakeBus()
        self.spool = spool
        self.clock = clock
        self.renewals = Renewals(store, proof, self.signer, now=clock)

    async def ask(self, room: str, csr: str) -> list[tuple[str, messages.Message]]:
        self.bus.published.clear()
        await self.renewals.answer(room, messages.encode(Csr(csr=csr)), self.bus.publish)
        return self.bus.published

    def told(self, what: str = "certificate:") -> list[AuditEvent]:
        return [event for event in self.spool.pending(1000) if event.what.startswith(what)]


@pytest.fixture
async def house(store: Store, proof: Proof, spool: Spool, clock: Clock, accounts: Accounts) -> House:
    for room in ("hall", "kitchen", "cellar", "attic"):
        await accounts.enrol_identity(room, "room")
    await accounts.enrol_identity("phone", "client")
    await accounts.revoke_identity("attic")
    return House(store, proof, spool, clock)


def delivery(topic: str, payload: bytes = b'{"csr":"x"}', *, retained: bool = False) -> Delivery:
    return Delivery(topic, payload, retained, object(), 1)


async def test_a_room_that_lives_gets_its_certificate_and_the_proof_comes_first(house: House) -> None:
    before = house.spool.count_pending()
    assert await house.ask("hall", "a key") == [(topics.certificate("hall"), Certificate(certificate="certificate 1"))]
    assert house.signer.asked == [("hall", "a key")]
    assert house.signer.proofs == [before + 1]
    (event,) = house.told("certificate:renewed")
    assert (event.where, event.who.issuer, event.outcome, event.severity) == (
        "room/hall",
        "hall",
        Outcome.EXECUTED,
        Severity.INFO,
    )


@pytest.mark.parametrize("name", ["attic", "phone", "nobody", "gateway"])
async def test_a_revoked_room_and_whoever_is_none_get_nothing(house: House, name: str) -> None:
    with pytest.raises(HomeError) as refused:
        await house.ask(name, "a key")
    assert refused.value.slug == "not-found"
    assert house.signer.asked == []
    assert house.bus.published == []
    assert house.told("certificate:renewed") == []


async def test_the_same_request_again_gets_the_same_certificate_and_no_second_one(house: House) -> None:
    first = list(await house.ask("hall", "a key"))
    house.clock.forward(days=2)
    assert await house.ask("hall", "a key") == first
    assert len(house.signer.asked) == len(house.told("certificate:renewed")) == 1
    assert await house.ask("hall", "another key") != first


async def test_one_rooms_certificate_never_goes_to_another(house: House) -> None:
    await house.ask("hall", "a key")
    said = await house.ask("kitchen", "a key")  # the hall's own request, replayed by the kitchen
    assert said == [(topics.certificate("kitchen"), Certificate(certificate="certificate 2"))]
    assert house.signer.asked[-1] == ("kitchen", "a key")


async def test_without_proof_nothing_is_signed(house: House, tmp_path: Path) -> None:
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError) as refused:
        await house.ask("hall", "a key")
    assert refused.value.slug == "no-proof"
    assert house.signer.asked == []


async def test_what_the_signer_refuses_is_told_as_failed_and_not_tried_again_at_once(house: House) -> None:
    house.signer.away = HomeError("signer-unreachable")
    for _ in range(20):
        with pytest.raises(HomeError):
            await house.ask("hall", "a key")
    assert [event.outcome for event in house.told("certificate:renewed")] == [Outcome.EXECUTED, Outcome.FAILED]
    house.signer.away = None
    house.clock.forward(seconds=FAILED_SECONDS)
    assert len(await house.ask("hall", "a key")) == 1


async def test_a_signer_that_was_away_costs_a_room_none_of_its_few_a_day(house: House) -> None:
    house.signer.away = HomeError("signer-unreachable")
    for _ in range(2 * BUDGET):
        with pytest.raises(HomeError, match="signer"):
            await house.ask("hall", "a key")
        house.clock.forward(seconds=FAILED_SECONDS)
    house.signer.away = None
    assert len(await house.ask("hall", "a key")) == 1


async def test_a_room_that_asks_for_ever_new_ones_gets_a_few_a_day_and_the_owner_is_told_once(house: House) -> None:
    for number in range(BUDGET):
        await house.ask("hall", f"key {number}")
    for number in range(50):
        with pytest.raises(HomeError, match="within a day"):
            await house.ask("hall", f"further key {number}")
    assert len(house.signer.asked) == BUDGET
    (told,) = house.told("certificate:refused")
    assert (told.severity, told.outcome, told.where) == (Severity.SECURITY, Outcome.REJECTED, "room/hall")
    assert len(await house.ask("kitchen", "a key")) == 1
    house.clock.forward(days=1)
    assert len(await house.ask("hall", "tomorrow's")) == 1


async def test_a_request_that_cannot_be_read_is_refused(house: House) -> None:
    for payload in (b"", b"{}", b"[" * 5000, b'{"csr":"' + b"x" * 9000 + b'"}', b"\xff"):
        with pytest.raises(HomeError) as refused:
            await house.renewals.answer("hall", payload, house.bus.publish)
        assert refused.value.slug == "malformed"
    assert house.signer.asked == []


async def test_a_flood_of_one_room_is_one_request_and_others_are_answered(house: House) -> None:
    for number in range(10_000):
        csr = messages.encode(Csr(csr=f"key {number}"))
        assert house.renewals.hear(delivery(topics.csr("hall"), csr))
    assert house.renewals.hear(delivery(topics.csr("kitchen"), messages.encode(Csr(csr="mine"))))
    assert not house.renewals.hear(delivery(topics.receipt("auth")))
    house.renewals.hear(delivery(topics.csr("phone")))
    house.renewals.hear(delivery(topics.csr("kitchen"), b"old", retained=True))
    task = asyncio.create_task(house.renewals.run(house.bus))  # type: ignore[arg-type]  # it publishes, and no more
    await house.bus.heard_of(2)
    assert house.signer.asked == [("hall", "key 9999"), ("kitchen", "mine")]
    house.renewals.hear(delivery(topics.csr("hall"), messages.encode(Csr(csr="at once again"))))
    house.renewals.hear(delivery(topics.csr("attic")))
    house.renewals.hear(delivery(topics.csr("cellar"), messages.encode(Csr(csr="mine too"))))
    await house.bus.heard_of(3)
    house.clock.forward(seconds=ANSWER_SECONDS)
    house.renewals.hear(delivery(topics.csr("hall"), messages.encode(Csr(csr="later"))))
    await house.bus.heard_of(4)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert house.signer.asked[2:] == [("cellar", "mine too"), ("hall", "later")]
