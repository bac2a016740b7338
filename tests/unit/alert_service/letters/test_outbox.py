"""Letters leave once, to everyone, paced; an absent or unwilling mail server loses none of them."""

import asyncio
import contextlib
import re
import zoneinfo

import msgspec
import pytest
from sqlalchemy import func, select, update

from alert_service.chain.arrivals import Arrival
from alert_service.config import MAIL
from alert_service.letters import gathering, mailbox, release
from alert_service.letters.outbox import DIGEST_LINES, Further, Manner, Outbox
from alert_service.record import proofs, records
from alert_service.tables import deliveries, letters
from alert_service.telling.digest import FIRST_SECONDS, WINDOW_SECONDS
from alert_service.telling.joining import OUTCOME_WAIT_SECONDS
from alert_service.telling.names import Names
from alert_service.telling.policy import HOUSE_POLICY, Policy, Rule
from alert_service.telling.together import WINDOW_SECONDS as TOGETHER_SECONDS
from shared.keeping.database import Store
from shared.mail import Letter, MailError, compose
from shared.words.internal_recipients import Recipient
from shared.words.messages import AuditEvent, UserRef
from shared.words.names import Outcome, Severity
from tests.house import DEADLINE
from tests.unit.alert_service.parts import ADA as ADA_USER
from tests.unit.alert_service.parts import HOUSE, START, Clock, Postman, event, masters, work

ALONE = 5
MANNER = Manner(zone=zoneinfo.ZoneInfo("UTC"), per_minute=100_000, alone=ALONE)
ADA, BOB, CLEO = "ada@example.org", "bob@example.org", "cleo@example.org"
GUEST = UserRef(id="u9", name="Guest")
Told = tuple[str, AuditEvent]


class House:
    """An outbox over a real database, with a clock moved by hand."""

    def __init__(self, store: Store, postman: Postman, clock: Clock) -> None:
        self.store, self.postman, self.clock = store, postman, clock
        self.outbox = Outbox(store, postman, MANNER, now=clock)

    async def people(self, *emails: str) -> None:
        async with self.store.write() as connection:
            await mailbox.set_people(connection, masters(*emails), self.clock())

    async def tell(self, *told: tuple[str, AuditEvent]) -> None:
        async with self.store.write() as connection:
            await records.record(connection, [Arrival(*one) for one in told], self.clock(), HOUSE)

    async def rounds(self, seconds: float) -> None:
        """Let the outbox work for so long on its own clock."""
        end = self.clock.time + seconds
        while self.clock.time < end:
            wait = await work(self.outbox)
            self.clock.time = min(end, self.clock.time + max(wait, 0.001))
        await work(self.outbox)

    async def counts(self) -> mailbox.Counts:
        async with self.store.read() as connection:
            return await mailbox.count(connection)


@pytest.fixture
def house(store: Store, postman: Postman, clock: Clock) -> House:
    return House(store, postman, clock)


def composed(letter: Letter) -> bytes:
    return compose(letter, "Home <home@localhost>", START).as_bytes()


def alone(number: int, source: str = "auth") -> tuple[str, AuditEvent]:
    return source, event(id=f"{source}{number}", what="account:created", where=f"user {number}", command_id=None)


async def test_a_letter_reaches_every_recipient_once(house: House) -> None:
    await house.people(ADA, BOB)
    await house.tell(("hall", event(issuer="phone")))
    await house.rounds(3600)
    assert sorted(x.to for x in house.postman.letters) == [ADA, BOB]
    assert len({x.message_id for x in house.postman.letters}) == 2
    assert await house.counts() == (0, 0)


async def test_everyone_reads_in_their_own_language_and_the_others_in_the_homes(house: House) -> None:
    people = (Recipient(id="u1", email=ADA, master=True, language="de"), Recipient(id="u2", email=BOB, master=True))
    async with house.store.write() as connection:
        await mailbox.set_people(connection, people, START)
    await house.tell(*acts(1))
    await house.rounds(1)
    subjects = {letter.to: letter.subject for letter in house.postman.letters}
    assert subjects == {
        ADA: "Front door (hall) aufgeschlossen — Ada, 20:04",
        BOB: "Front door (hall) unlocked — Ada, 20:04",
    }
    german = next(letter for letter in house.postman.letters if letter.to == ADA)
    english = next(letter for letter in house.postman.letters if letter.to == BOB)
    assert proofs.read(composed(german)) == proofs.read(composed(english))


async def test_nothing_leaves_before_anybody_is_known_and_then_it_does(house: House) -> None:
    await house.tell(("hall", event(issuer="phone")))
    await house.rounds(60)
    assert house.postman.tries == 0
    assert (await house.counts()).waiting == 1
    await house.people(ADA)
    await house.rounds(60)
    assert len(house.postman.letters) == 1


async def test_whoever_is_new_and_has_another_address_at_once_is_told_of_it_there(house: House) -> None:
    settled = [False]
    house.outbox = Outbox(house.store, house.postman, MANNER, settled=lambda: settled[0], now=house.clock)
    await house.people(ADA)
    moved = event(
        what="account:email-changed", where="user/u9", issuer="auth", command_id=None, severity=Severity.SECURITY
    )
    await house.tell(("auth", moved))
    await house.rounds(60)
    assert house.postman.tries == 0
    async with house.store.write() as connection:
        new = Recipient(id="u9", email=BOB, master=False)
        await mailbox.set_people(connection, (*masters(ADA), new), house.clock())
    settled[0] = True
    await house.rounds(60)
    assert {letter.to for letter in house.postman.letters} == {ADA, BOB}


async def test_nothing_leaves_while_it_is_not_settled_where_people_are_and_then_it_does(house: House) -> None:
    """Neither what is new nor what an outage, of the mail server or of ours, left behind."""
    settled = [True]
    house.outbox = Outbox(house.store, house.postman, MANNER, settled=lambda: settled[0], now=house.clock)
    await house.people(ADA)
    house.postman.away = True
    await house.tell(alone(1))
    await house.rounds(60)
    house.postman.away, settled[0] = False, False
    await house.tell(("auth", event(what="account:email-changed", command_id=None)))
    await house.rounds(120)
    assert house.postman.letters == []
    await house.people(BOB)
    settled[0] = True
    await house.rounds(120)
    assert [letter.to for letter in house.postman.letters] == [BOB, BOB]


@pytest.mark.parametrize("settles", [True, False])
async def test_who_moves_while_letters_leave_gets_the_rest_where_they_are_then(house: House, settles: bool) -> None:
    settled, send = [True], house.postman.send

    async def moving(letter: Letter) -> None:
        await send(letter)
        if len(house.postman.letters) == 1:
            settled[0] = settles
            await house.people(BOB)

    house.postman.send = moving  # type: ignore[method-assign]
    house.outbox = Outbox(house.store, house.postman, MANNER, settled=lambda: settled[0], now=house.clock)
    await house.people(ADA)
    await house.tell(alone(1), alone(2), alone(3))
    await house.rounds(60)
    after = [BOB] * 3  # the one that was just being taken as well: who knows whether it was
    assert [letter.to for letter in house.postman.letters] == [ADA, *(after if settles else ())]
    settled[0] = True
    await house.rounds(60)
    assert [letter.to for letter in house.postman.letters] == [ADA, *after]
    assert await house.counts() == (0, 0)


async def test_an_unanswered_intent_is_written_about_after_its_time(house: House) -> None:
    await house.people(ADA)
    await house.tell(("gateway", event(outcome=Outcome.ASKED)))
    await house.rounds(29)
    assert house.postman.letters == []
    await house.rounds(2)
    assert "outcome unknown" in house.postman.letters[0].subject
    await house.tell(("hall", event()))
    await house.rounds(3600)
    assert [letter.subject.rpartition(" — ")[0] for letter in house.postman.letters] == [
        "Front door (hall): unlock, outcome unknown",
        "Front door (hall) unlocked",
    ]


async def test_a_way_for_what_is_urgent_is_spared_the_rest(store: Store, postman: Postman, clock: Clock) -> None:
    alarm, phone = Postman("alarm"), Postman("phone")
    house = House(store, postman, clock)
    further = [Further(alarm, urgent_only=True), Further(phone)]
    house.outbox = Outbox(store, postman, MANNER, further=further, now=clock)
    await house.people(ADA)
    await house.tell(("hall", event(issuer="phone", outcome=Outcome.FAILED)))
    await house.tell(("hall", event(issuer="phone", command_id="c2", where="hall/lamp")))
    await house.rounds(60)
    assert len(phone.letters) == 2
    (urgent,) = alarm.letters
    assert urgent.subject.startswith("Lamp (hall) unlocked")


async def test_what_a_client_did_is_one_letter_and_none_that_knows_nothing(house: House) -> None:
    await house.people(ADA)
    await house.tell(("hall", event(issuer="phone", user=None, outcome=Outcome.ASKED)))
    await house.rounds(5)
    await house.tell(("hall", event(issuer="phone", user=None)))
    await house.rounds(3600)
    (letter,) = house.postman.letters
    assert letter.subject.startswith("Front door (hall) unlocked")


async def test_many_of_a_clients_letters_are_gathered_as_no_gateway_vouches_for_them(house: House) -> None:
    await house.people(ADA)
    for number in range(3 * ALONE):
        named = {"issuer": "phone", "user": None, "command_id": f"c{number}"}
        await house.tell(("hall", event(outcome=Outcome.ASKED, **named)), ("hall", event(**named)))  # type: ignore[arg-type]  # by name
    await house.rounds(1)
    assert len(house.postman.letters) <= ALONE


async def test_a_sources_letters_take_turns_with_anothers(house: House) -> None:
    await house.people(ADA)
    await house.tell(*[alone(n, source=f"room-{n % 2}") for n in range(2 * ALONE)])
    await house.tell(alone(0, source="gateway"))
    async with house.store.write() as connection:
        await release.release(connection, house.clock(), ALONE, HOUSE_POLICY)
        due = await mailbox.due(connection, MAIL, house.clock(), 3)
        told = [(await mailbox.told(connection, one.letter)).source for one in due]
    assert sorted(told) == ["gateway", "room-0", "room-1"]


async def test_an_absent_server_costs_no_letter_and_is_not_besieged(house: House) -> None:
    await house.people(ADA)
    house.postman.away = True
    await house.tell(*[alone(n) for n in range(3)])
    await house.rounds(1800)
    assert house.outbox.mail.failing_since is not None
    assert house.postman.tries < 1800 / 20
    house.postman.away = False
    await house.rounds(120)
    assert len(house.postman.letters) == 3
    assert house.outbox.mail.failing_since is None


async def test_a_letter_that_breaks_each_connection_stops_itself_alone(house: House) -> None:
    """As a server that hangs up on it does: every try looks as if nobody were there."""
    house.postman.refusals[ADA] = MailError("connection lost", permanent=False, answered=False)
    await house.people(ADA, BOB)
    await house.tell(*[alone(n) for n in range(3)])
    await house.rounds(600)
    assert [letter.to for letter in house.postman.letters] == [BOB] * 3
    assert house.outbox.mail.failing_since is None
    async with house.store.read() as connection:
        assert await mailbox.refusals(connection, 5) == [(ADA, "connection lost")]
    tries = house.postman.tries
    await house.rounds(3600)
    assert house.postman.tries - tries < 3 * 12, "ever more seldom"
    house.postman.refusals.clear()
    await house.rounds(3600)
    assert [letter.to for letter in house.postman.letters].count(ADA) == 3


async def test_a_flood_from_one_source_is_gathered_and_another_letter_comes_alone(house: House) -> None:
    await house.people(ADA)
    await house.tell(*[alone(n, "hall") for n in range(100)], alone(1, "garage"))
    await house.rounds(1)
    subjects = [x.subject for x in house.postman.letters]
    assert len(subjects) == ALONE + 1
    assert any("user 1" in x for x in subjects)
    await house.rounds(FIRST_SECONDS)
    assert house.postman.letters[-1].subject == f"{100 - ALONE} alerts from hall"
    await house.tell(*[alone(n, "hall") for n in range(100, 120)])
    await house.rounds(FIRST_SECONDS)
    assert len(house.postman.letters) == ALONE + 2
    await house.rounds(WINDOW_SECONDS)
    assert house.postman.letters[-1].subject == "20 alerts from hall"


def reused(number: int, user: UserRef, severity: Severity = Severity.SECURITY) -> tuple[str, AuditEvent]:
    """The gateway's word that `user` repeated an id."""
    detail = {"reason": "id-reused"}
    return "gateway", event(id=f"r{number}", user=user, severity=severity, outcome=Outcome.REJECTED, detail=detail)


async def test_a_guest_who_floods_a_gateways_letters_holds_up_no_unlock(house: House) -> None:
    await house.people(ADA)
    await house.tell(*[reused(n, GUEST) for n in range(24)])
    await house.rounds(1)
    assert len(house.postman.letters) == ALONE
    # Ada's is told alone, and so is the guest's own unlock, which the gateway says was asked for.
    await house.tell(reused(99, ADA_USER))
    for user in (ADA_USER, GUEST):
        asked = event(user=user, command_id=f"c-{user.id}", outcome=Outcome.ASKED)
        await house.tell(("gateway", asked), ("hall", event(user=user, command_id=f"c-{user.id}")))
    await house.rounds(1)
    assert len(house.postman.letters) == ALONE + 3
    assert sum("unlocked" in x.subject for x in house.postman.letters) == 2


def acts(count: int, *, first: int = 0, place: str = "hall/front-door", user: UserRef = ADA_USER) -> list[Told]:
    """What a gateway and its room say of so many acts of one person on one device."""
    room = place.partition("/")[0]
    return [
        (source, event(user=user, where=place, command_id=f"c{number}", outcome=outcome))
        for number in range(first, first + count)
        for source, outcome in (("gateway", Outcome.ASKED), (room, Outcome.EXECUTED))
    ]


def told_of(letters: list[Letter]) -> list[list[str]]:
    """The commands that each letter tells of."""
    return [re.findall(r"\bCommand (c\d+)\b", letter.text) for letter in letters]


async def test_the_first_act_is_told_at_once_and_the_next_together_within_a_minute(house: House) -> None:
    await house.people(ADA)
    await house.tell(*acts(1))
    await house.rounds(1)
    assert told_of(house.postman.letters) == [["c0"]]
    await house.tell(*acts(2, first=1))
    await house.rounds(20)
    await house.tell(*acts(1, first=3))
    await house.rounds(30)
    assert len(house.postman.letters) == 1
    await house.rounds(TOGETHER_SECONDS - 51)
    assert told_of(house.postman.letters) == [["c0"], ["c1", "c2", "c3"]]
    both = house.postman.letters[1]
    assert both.subject == "Front door (hall) unlocked 3 more times — Ada, 20:04"
    assert both.text.startswith("Ada used Front door (hall) 3 more times at 20:04.")
    assert both.urgent
    assert both.thread == house.postman.letters[0].thread
    rows = {proof.row for letter in house.postman.letters for proof in proofs.read(composed(letter))}
    assert rows == set(range(1, 9)), "every row of every act is proven"
    await house.rounds(3600)
    assert len(house.postman.letters) == 2
    assert await house.counts() == (0, 0)


async def test_a_letter_offers_no_lockdown_while_the_home_has_one(house: House) -> None:
    manner = msgspec.structs.replace(MANNER, pages="https://home.example:8443")
    house.outbox = Outbox(house.store, house.postman, manner, now=house.clock)
    await house.people(ADA)
    offered = []
    begun, over = "home:locked-down", "home:lockdown-ended"
    for number, (told, claimed) in enumerate([("", begun), (begun, over), (over, begun)]):
        if told:
            await house.tell(("auth", event(id=f"l{number}", what=told, where="home", command_id=None)))
        # A room's word for it counts for nothing.
        await house.tell(("hall", event(id=f"x{number}", what=claimed, where="home", command_id=None)))
        await house.tell(*acts(1, first=number, place=f"hall/door-{number}"))
        await house.rounds(1)
        offered += ["/lockdown" in x.text for x in house.postman.letters if f"Command c{number}" in x.text]
    assert offered == [True, False, True]


async def test_a_letter_of_one_more_act_reads_as_any_other(house: House) -> None:
    await house.people(ADA)
    await house.tell(*acts(2))
    await house.rounds(TOGETHER_SECONDS + 1)
    assert [x.subject for x in house.postman.letters] == ["Front door (hall) unlocked — Ada, 20:04"] * 2


async def test_another_person_and_another_device_wait_for_nobody(house: House) -> None:
    await house.people(ADA)
    await house.tell(*acts(2), *acts(1, first=2, place="garage/door"), *acts(1, first=3, user=GUEST))
    await house.rounds(1)
    assert told_of(house.postman.letters) == [["c0"], ["c2"], ["c3"]]


async def test_what_a_room_claims_holds_up_no_gateways_letter(house: House) -> None:
    await house.people(ADA)
    await house.tell(*[("hall", event(issuer="phone", command_id=f"x{n}")) for n in range(3)])
    await house.rounds(1)
    before = len(house.postman.letters)
    await house.tell(*acts(1))
    await house.rounds(1)
    assert told_of(house.postman.letters)[before:] == [["c0"]]


async def test_a_restart_forgets_nothing_that_waits_to_be_told_together(house: House) -> None:
    await house.people(ADA)
    await house.tell(*acts(1))
    await house.rounds(1)
    await house.tell(*acts(3, first=1))
    await house.rounds(1)
    restarted = House(house.store, house.postman, house.clock)
    await restarted.rounds(TOGETHER_SECONDS)
    assert told_of(house.postman.letters) == [["c0"], ["c1", "c2", "c3"]]


async def test_a_way_for_what_is_urgent_hears_of_what_is_told_together(
    store: Store, postman: Postman, clock: Clock
) -> None:
    alarm = Postman("alarm")
    house = House(store, postman, clock)
    house.outbox = Outbox(store, postman, MANNER, further=[Further(alarm, urgent_only=True)], now=clock)
    await house.people(ADA)
    await house.tell(*acts(4))
    await house.rounds(TOGETHER_SECONDS + 1)
    assert told_of(alarm.letters) == [["c0"], ["c1", "c2", "c3"]]


async def test_what_was_or_may_have_been_done_is_all_told_within_its_minute(house: House) -> None:
    await house.people(ADA)
    await house.tell(*[("gateway", event(command_id=f"c{n}", outcome=Outcome.ASKED)) for n in range(3 * ALONE)])
    await house.rounds(OUTCOME_WAIT_SECONDS + 1)
    assert len(house.postman.letters) == 1
    await house.rounds(TOGETHER_SECONDS)
    assert sorted(one for some in told_of(house.postman.letters) for one in some) == sorted(
        f"c{n}" for n in range(3 * ALONE)
    )
    assert len(house.postman.letters) == 2
    await house.tell(alone(1, "gateway"))
    await house.rounds(1)
    assert len(house.postman.letters) == 3


async def test_refusals_are_told_seldom_and_together(house: House) -> None:
    await house.people(ADA)
    for n in range(2 * ALONE):
        asked, refused = (event(command_id=f"c{n}", outcome=x) for x in (Outcome.ASKED, Outcome.REJECTED))
        await house.tell(("gateway", asked), ("hall", refused))
    await house.rounds(WINDOW_SECONDS - 1)
    assert house.postman.letters == []
    await house.rounds(2)
    (digest,) = house.postman.letters
    assert digest.subject == f"{2 * ALONE} acts were refused: Front door (hall)"
    assert not digest.urgent
    assert len(told_of([digest])[0]) == 2 * ALONE
    assert len(proofs.read(composed(digest))) == 2 * ALONE


async def test_a_refusal_that_a_rule_calls_urgent_goes_at_once(store: Store, postman: Postman, clock: Clock) -> None:
    house = House(store, postman, clock)
    strict = Policy([Rule(what="device:unlock", outcome=Outcome.REJECTED, urgent=True)])
    manner = Manner(zone=zoneinfo.ZoneInfo("UTC"), per_minute=100_000, alone=ALONE, policy=strict)
    house.outbox = Outbox(store, postman, manner, now=clock)
    await house.people(ADA)
    await house.tell(("gateway", event(outcome=Outcome.ASKED)), ("hall", event(outcome=Outcome.REJECTED)))
    await house.rounds(1)
    assert [x.subject for x in postman.letters] == ["Front door (hall): unlock refused — Ada, 20:04"]


async def test_a_busy_quarter_of_an_hour_is_few_letters(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody shows the house: again and again the same lock and the same door, and some of it is refused."""
    await house.people(ADA)
    told = 0
    for begin, place, count, refused in (
        (0, "hall/front-door", 4, 0),
        (120, "garage/door", 3, 1),
        (200, "hall/front-door", 5, 2),
        (480, "hall/front-door", 2, 0),
        (540, "garage/door", 4, 1),
        (800, "hall/front-door", 3, 1),
    ):
        await house.rounds(max(0, START + begin - house.clock.time))
        for number in range(count + refused):
            outcome = Outcome.EXECUTED if number < count else Outcome.REJECTED
            for source, said in (("gateway", Outcome.ASKED), (place.partition("/")[0], outcome)):
                what = event(where=place, command_id=f"c{told}", outcome=said, at=house.clock.time)
                await house.tell((source, what))
            told += 1
            await house.rounds(8)
    await house.rounds(WINDOW_SECONDS)
    with capsys.disabled():
        print(f"\n{told} commands in a quarter of an hour: {len(house.postman.letters)} letters")
        print(*(f"  {one.subject}" for one in house.postman.letters), sep="\n")
    every = [one for some in told_of(house.postman.letters) for one in some]
    assert sorted(every) == sorted(f"c{number}" for number in range(told)), "each is told once"
    assert len(house.postman.letters) < told * 0.6


async def test_a_digest_lists_what_was_done_first_and_never_cuts_it(house: House) -> None:
    await house.people(ADA)
    noise = [reused(n, GUEST, Severity.SECURITY) for n in range(DIGEST_LINES)]
    done = [("gateway", event(id=f"d{n}", user=GUEST, command_id=None)) for n in range(DIGEST_LINES + 10)]
    await house.tell(*noise, *done)
    await house.rounds(FIRST_SECONDS + 1)
    digest = house.postman.letters[-1]
    assert digest.subject == f"{len(noise) + len(done) - ALONE} alerts from gateway"
    assert len(proofs.read(composed(digest))) == len(done)
    assert f"And {len(noise) - ALONE} more" in digest.text


async def test_a_digest_that_lists_all_that_was_done_fills_up_with_the_rest(house: House) -> None:
    await house.people(ADA)
    noise = [reused(n, GUEST) for n in range(2 * DIGEST_LINES)]
    await house.tell(*noise, ("gateway", event(id="done", user=GUEST, command_id=None)))
    await house.rounds(FIRST_SECONDS + 1)
    lines = [x for x in house.postman.letters[-1].text.splitlines() if " — " in x]
    assert len(lines) == DIGEST_LINES
    assert "unlocked" in lines[0]
    assert not any("unlocked" in x for x in lines[1:])


async def test_a_full_digest_is_followed_by_another(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "DIGEST_FULL", 3)
    await house.people(ADA)
    for n in range(ALONE + 6):
        await house.tell(alone(n))
        await house.rounds(0.5)
    await house.rounds(WINDOW_SECONDS + FIRST_SECONDS)
    assert [x.subject for x in house.postman.letters[ALONE:]] == ["3 alerts from auth"] * 2


async def test_letters_leave_alone_again_when_the_flood_is_over(house: House) -> None:
    await house.people(ADA)
    await house.tell(*[alone(n) for n in range(ALONE)])
    await house.rounds(WINDOW_SECONDS + 1)
    await house.tell(alone(99))
    await house.rounds(1)
    assert "user 99" in house.postman.letters[-1].subject


async def test_a_refusal_of_one_letter_delays_only_that_one(house: House) -> None:
    await house.people(ADA, BOB)
    house.postman.refusals[BOB] = MailError("450 try later", permanent=False)
    await house.tell(alone(1), alone(2))
    await house.rounds(1)
    assert [x.to for x in house.postman.letters] == [ADA, ADA]
    assert house.outbox.mail.failing_since is None
    house.postman.refusals.clear()
    await house.rounds(60)
    assert [x.to for x in house.postman.letters] == [ADA, ADA, BOB, BOB]


async def test_a_permanent_refusal_is_shown_and_tried_again_seldom(house: House) -> None:
    await house.people(ADA)
    house.postman.refusals[ADA] = MailError("550 no such user", permanent=True)
    await house.tell(alone(1))
    await house.rounds(600)
    assert house.postman.tries == 1
    assert await house.counts() == (1, 1)
    house.postman.refusals.clear()
    house.clock.time += 6 * 3600
    await house.rounds(1)
    assert len(house.postman.letters) == 1
    assert await house.counts() == (0, 0)


async def test_what_waits_for_an_address_that_is_gone_goes_to_the_new_one(house: House) -> None:
    await house.people(ADA, BOB)
    house.postman.refusals[BOB] = MailError("550 no such user", permanent=True)
    await house.tell(alone(1))
    await house.rounds(1)
    await house.people(ADA, CLEO)
    await house.rounds(60)
    assert [x.to for x in house.postman.letters] == [ADA, CLEO]


async def test_an_address_that_comes_back_gets_its_letter(house: House) -> None:
    await house.people(ADA)
    house.postman.away = True
    await house.tell(alone(1))
    await house.rounds(10)
    await house.people(BOB)
    await house.people(ADA)
    house.postman.away = False
    await house.rounds(120)
    assert [x.to for x in house.postman.letters] == [ADA]


async def test_a_crash_before_the_commit_sends_the_same_letter_again_recognisably(house: House) -> None:
    await house.people(ADA)
    await house.tell(alone(1))
    await house.rounds(1)
    async with house.store.write() as connection:
        await connection.execute(update(deliveries).values(state="pending"))
    restarted = House(house.store, house.postman, house.clock)
    await restarted.rounds(1)
    first, second = house.postman.letters
    assert first == second


async def test_a_restart_sends_what_was_left(house: House) -> None:
    await house.people(ADA)
    house.postman.away = True
    await house.tell(alone(1))
    await house.rounds(5)
    house.postman.away = False
    await House(house.store, house.postman, house.clock).rounds(60)  # the last try before it put the next one off
    assert len(house.postman.letters) == 1


async def test_a_letter_that_cannot_be_written_holds_up_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Names.place

    def place(names: Names, where: str) -> str:
        if where == "user 1":
            raise ZeroDivisionError
        return real(names, where)

    monkeypatch.setattr(Names, "place", place)
    await house.people(ADA)
    await house.tell(alone(1), alone(2))
    await house.rounds(1)
    assert len(house.postman.letters) == 1
    assert "user 2" in house.postman.letters[0].subject
    assert await house.counts() == (1, 1)


async def test_the_same_recipients_change_nothing(house: House) -> None:
    await house.people(ADA, BOB)
    await house.tell(alone(1))
    await house.rounds(1)
    await house.people(BOB, ADA)
    async with house.store.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(deliveries))).scalar() == 2
        assert (await connection.execute(select(letters.c.released_at))).scalar() == START


async def ends(task: asyncio.Task[None]) -> bool:
    done, _ = await asyncio.wait({task}, timeout=DEADLINE)
    if not done:
        task.cancel()  # so that the test ends too
        await asyncio.wait({task}, timeout=DEADLINE)
    return bool(done) and task.cancelled()


async def test_a_stop_that_meets_a_wake_up_is_not_lost(house: House) -> None:
    await house.people(ADA)
    task = asyncio.create_task(house.outbox.run())
    await house.tell(alone(1))
    house.outbox.wake()
    async with asyncio.timeout(DEADLINE):
        while not house.postman.letters or not house.outbox.resting:  # noqa: ASYNC110 - the very step is the point
            await asyncio.sleep(0)
    house.outbox.wake()
    await asyncio.sleep(0)  # what it waited for is done, and it has not yet gone on
    task.cancel()
    assert await ends(task)


async def test_a_stop_that_a_library_swallows_still_ends_it_and_the_letter_counts_as_sent(
    store: Store, clock: Clock
) -> None:
    under_way = asyncio.Event()
    sent: list[Letter] = []

    class Server(Postman):
        async def send(self, letter: Letter) -> None:
            under_way.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                sent.append(letter)  # it had taken it by then

    house = House(store, Server(), clock)
    await house.people(ADA)
    await house.tell(alone(1), alone(2))
    task = asyncio.create_task(house.outbox.run())
    async with asyncio.timeout(DEADLINE):
        await under_way.wait()
    task.cancel()
    assert await ends(task)
    assert len(sent) == 1
    async with store.read() as connection:
        states = (await connection.execute(select(deliveries.c.state).order_by(deliveries.c.id))).scalars().all()
    assert list(states) == ["sent", "pending"]


async def test_a_stop_swallowed_by_the_last_letter_is_not_missed_until_the_next_round(
    store: Store, clock: Clock
) -> None:
    under_way = asyncio.Event()

    class Server(Postman):
        async def send(self, letter: Letter) -> None:
            under_way.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    house = House(store, Server(), clock)
    await house.people(ADA)
    await house.tell(alone(1))
    task = asyncio.create_task(house.outbox.run())
    async with asyncio.timeout(DEADLINE):
        await under_way.wait()
    task.cancel()
    assert await ends(task)
