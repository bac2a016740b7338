"""Invitations: a link that uses nothing up, a code that works once, and nobody let in by who may invite no more."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from auth_service.account.current_password import CurrentPassword
from auth_service.account.invitation_letters import InvitationLetters
from auth_service.account.invitations import Invitations
from auth_service.account.masters import Masters
from auth_service.account.owners import Owners
from auth_service.confirming.errands import Errands
from auth_service.home.lockdown import Lockdown
from auth_service.hub.accounts import Accounts
from auth_service.people import invitation_rows, user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.mail import Letter, MailError
from shared.proof.spool import Spool
from shared.words.internal import User
from shared.words.internal_people import InvitationRow, InvitationTaken, Invite, Joined
from shared.words.messages import Who
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import EMAIL, PASSWORD, Clock, Postman, code_in, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
BEN, CHOSEN = "ben@example.org", "lanterns over quiet harbours"


class Home:
    """A master user who is signed in, a postman, and what invites."""

    def __init__(self, store: Store, user: User, clock: Clock, errands: Errands) -> None:
        self.store = store
        self.user = user
        self.clock = clock
        self.errands = errands
        self.post = Postman()
        self.invitations: Invitations

    async def signed_in(self, user: User | None = None) -> str:
        async with self.store.write() as connection:
            answer = await session_rows.start(
                connection, user or self.user, address="192.0.2.7", agent="", limits=LIMITS, now=self.clock()
            )
        return answer.token

    async def invite(self, email: str = BEN, role: Role = Role.MEMBER, **other: str) -> InvitationRow:
        asked = Invite(
            token=other.pop("token", "") or await self.signed_in(),
            current=other.pop("current", PASSWORD),
            email=email,
            name=other.pop("name", "Ben"),
            role=role,
            home="https://home.example:8443",
            address="192.0.2.7",
        )
        try:
            return await self.invitations.invite(asked, "gateway")
        finally:
            await self.errands.settled()

    async def take(self, invitation_id: str, code: str, new: str = CHOSEN) -> Joined:
        asked = InvitationTaken(id=invitation_id, code=code, new=new, address="192.0.2.9")
        try:
            return await self.invitations.take(asked, "gateway")
        finally:
            await self.errands.settled()

    async def open(self) -> list[InvitationRow]:
        return list((await self.invitations.of_home()).invitations)

    async def account(self, email: str = BEN) -> user_rows.Account | None:
        async with self.store.read() as connection:
            return await user_rows.find(connection, email)


@pytest.fixture
async def home(store: Store, proof: Proof, passwords: Passwords, clock: Clock, ada: User) -> AsyncIterator[Home]:
    sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=lambda: None)
    async with asyncio.TaskGroup() as group:
        errands = Errands(group)
        made = Home(store, ada, clock, errands)
        current = CurrentPassword(store, passwords, proof, errands, now=clock)
        owners = Owners(sessions, current, limits=LIMITS, now=clock)
        masters = Masters(store, owners)
        made.invitations = Invitations(
            store, passwords, proof, masters, errands, send=made.post, now=clock, home_words=("Sycamore",)
        )
        yield made


def told(spool: Spool, what: str) -> list[tuple[str, str, dict[str, str]]]:
    """Outcome, severity and detail of what stands in the spool."""
    return [(e.outcome.value, e.severity.value, e.detail) for e in spool.pending(100) if e.what == what]


async def test_who_is_invited_chooses_a_password_and_is_a_user(home: Home, passwords: Passwords, spool: Spool) -> None:
    row = await home.invite()
    (letter,) = home.post.letters
    assert (letter.to, row.expires_at - row.created_at) == (BEN, timedelta(hours=48))
    assert f"https://home.example:8443/invitations/{row.id}\n" in letter.text
    assert f"/invitations/{row.id}" in (letter.html or "")
    assert home.post.code not in f"/invitations/{row.id}"
    (listed,) = await home.open()
    assert (listed.email, listed.by, listed.letter, listed.spent) == (BEN, "Ada Lovelace", "sent", False)
    joined = await home.take(row.id, home.post.code.lower().replace("-", " "))
    assert (joined.user.id, joined.user.role, joined.user.email) == (row.id, Role.MEMBER, BEN)
    account = await home.account()
    assert account is not None
    assert await passwords.verify(CHOSEN, account.password_hash)
    assert await home.open() == []
    ((outcome, severity, detail),) = told(spool, "account:invited")
    assert (outcome, severity) == ("executed", "critical")
    assert (detail["user"], detail["role"], detail["email"]) == ("Ben", "member", BEN)
    made = told(spool, "account:created")[-1]
    assert made == ("executed", "critical", {"user": "Ben", "role": "member"})


async def test_it_works_once_and_of_two_at_once_one_wins(home: Home) -> None:
    row = await home.invite()
    code = home.post.code
    answers = await asyncio.gather(
        home.take(row.id, code), home.take(row.id, code, "seven slow winter trains"), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(Joined) == 1
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.take(row.id, code)


async def test_whatever_is_wrong_is_answered_alike(home: Home, accounts: Accounts) -> None:
    row = await home.invite()
    code = home.post.code
    said = []
    for wanted, typed in ((row.id, "ABCD-2345"), ("0123456789abcdef", code), (row.id, "no code"), (row.id, "")):
        with pytest.raises(HomeError) as caught:
            await home.take(wanted, typed)
        said.append((caught.value.slug, caught.value.detail, caught.value.facts))
    await accounts.create_user(email=BEN.upper(), name="Another", password=CHOSEN, role=Role.MEMBER)
    with pytest.raises(HomeError) as caught:
        await home.take(row.id, code)
    said.append((caught.value.slug, caught.value.detail, caught.value.facts))
    assert said == [said[0]] * 5, "nothing tells whether there is such an invitation, or an account"


async def test_a_code_takes_the_same_statements_and_one_count_whatever_it_is_typed_at(home: Home) -> None:
    """Else the time of a write would tell which invitations are open."""
    row = await home.invite()
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    async def typed_at(wanted: str) -> list[str]:
        statements.clear()
        async with home.store.write() as connection:
            await invitation_rows.claim(connection, wanted, home.clock())
        return list(statements)

    async def counted() -> tuple[int, int]:
        tries, codes = sa.select(invitation_rows.table.c.tries), sa.select(invitation_rows.missed.c.codes)
        async with home.store.read() as connection:
            return (await connection.execute(tries)).scalar_one(), (await connection.execute(codes)).scalar_one()

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        at_open = await typed_at(row.id)
        assert at_open == await typed_at("0123456789abcdef")
        assert await counted() == (1, 1)
        for _ in range(invitation_rows.TRIES):
            assert await typed_at(row.id) == at_open
        assert await counted() == (invitation_rows.TRIES, 2), "the last one found no try left"
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


async def test_five_wrong_codes_end_it_and_a_password_that_may_not_be_is_none(home: Home, spool: Spool) -> None:
    row = await home.invite()
    code = home.post.code
    for new in ("short", "password2026", "Sycamore 2026!", "ben ben ben", "short", "short"):
        with pytest.raises(HomeError, match="invalid-value") as caught:
            await home.take(row.id, code, new)
        assert caught.value.facts == {"field": "new"}
    for _ in range(5):
        with pytest.raises(HomeError, match="confirmation-failed"):
            await home.take(row.id, "ABCD-2345")
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.take(row.id, code)
    assert (await home.open())[0].spent
    assert [severity for _, severity, _ in told(spool, "account:invitation-failed")] == ["info", "security"]
    again = await home.invite()
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.take(again.id, code)
    await home.take(again.id, home.post.code)


async def test_it_ends_by_itself(home: Home) -> None:
    row = await home.invite()
    home.clock.forward(hours=48)
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.take(row.id, home.post.code)
    assert await home.open() == []
    await home.invitations.sweep()


async def test_a_later_one_for_the_same_address_makes_the_former_void(home: Home) -> None:
    first = await home.invite()
    code = home.post.code
    second = await home.invite(BEN.upper())
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.take(first.id, code)
    assert [row.id for row in await home.open()] == [second.id]


async def test_only_a_master_user_with_the_password_invites(home: Home, accounts: Accounts) -> None:
    member = await accounts.create_user(email="m@example.org", name="Kim", password=CHOSEN, role=Role.MEMBER)
    with pytest.raises(HomeError, match="forbidden"):
        await home.invite(token=await home.signed_in(member), current=CHOSEN)
    with pytest.raises(HomeError, match="wrong-password"):
        await home.invite(current="a guess")
    with pytest.raises(HomeError, match="sign-in-required"):
        await home.invite(token="somebody else's")
    assert await home.open() == []
    assert home.post.letters == []


@pytest.mark.parametrize(
    ("email", "name", "slug", "field"),
    [
        ("no address", "Ben", "invalid-value", "email"),
        ("ben@exämple.org", "Ben", "invalid-value", "email"),
        ("ben@example.org\r\nBcc: x@example.org", "Ben", "invalid-value", "email"),
        (BEN, "  ", "invalid-value", "name"),
        (BEN, "x" * 65, "invalid-value", "name"),
        (EMAIL.upper(), "Ben", "already-exists", "email"),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field(
    home: Home, email: str, name: str, slug: str, field: str
) -> None:
    with pytest.raises(HomeError) as caught:
        await home.invite(email, name=name)
    assert (caught.value.slug, caught.value.facts.get("field")) == (slug, field)
    assert await home.open() == []


async def test_who_may_invite_no_more_lets_nobody_in(home: Home, accounts: Accounts) -> None:
    eve = await accounts.create_user(email="eve@example.org", name="Eve", password=CHOSEN, role=Role.MASTER)
    row = await home.invite(token=await home.signed_in(eve), current=CHOSEN)
    await accounts.disable_user("eve@example.org")
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.take(row.id, home.post.code)
    assert await home.open() == [], "nor is it listed as if it were one"
    assert await home.account() is None


async def test_a_master_user_withdraws_it(home: Home, accounts: Accounts, spool: Spool) -> None:
    row = await home.invite()
    member = await accounts.create_user(email="m@example.org", name="Kim", password=CHOSEN, role=Role.MEMBER)
    with pytest.raises(HomeError, match="forbidden"):
        await home.invitations.withdraw(row.id, by=member.id, issuer="gateway", address="")
    await home.invitations.withdraw(row.id, by=home.user.id, issuer="gateway", address="192.0.2.7")
    with pytest.raises(HomeError, match="not-found"):
        await home.invitations.withdraw(row.id, by=home.user.id, issuer="gateway", address="")
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.take(row.id, home.post.code)
    assert [outcome for outcome, _, _ in told(spool, "account:invitation-withdrawn")] == ["executed"]


async def test_without_proof_nobody_is_invited_and_nobody_joins(home: Home, tmp_path: Path) -> None:
    row = await home.invite()
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await home.take(row.id, home.post.code)
    assert await home.account() is None
    with pytest.raises(HomeError, match="no-proof"):
        await home.invite("c@example.org")
    assert len(home.post.letters) == 1


async def test_a_letter_that_is_refused_is_said_in_the_list(home: Home) -> None:
    home.post.refusals = [MailError("550 no such user", permanent=True)]
    await home.invite()
    assert (await home.open())[0].letter == "refused"


async def test_a_letter_that_a_restart_took_is_written_anew_with_another_code(
    home: Home, store: Store, passwords: Passwords, clock: Clock
) -> None:
    row = await home.invite()
    former = home.post.letters.pop()
    async with store.write() as connection:  # as it is when the service ends before the mail server took it
        await invitation_rows.note_letter(connection, row.id, "waiting")
    letters = InvitationLetters(store, passwords, home.errands, send=home.post, now=clock)
    await letters.sweep()
    await home.errands.settled()
    assert home.post.letters == [], "a young one is sent by whoever invited"
    clock.forward(hours=6)
    for _ in range(2):
        await letters.sweep()
        await home.errands.settled()
    (letter,) = home.post.letters
    assert (await home.open())[0].letter == "sent"
    assert f"https://home.example:8443/invitations/{row.id}\n" in letter.text
    assert "for 42 hours" in letter.text
    assert letter.message_id != former.message_id, "no mailbox takes it for a repetition"
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.take(row.id, code_in(former.text))
    assert (await home.take(row.id, code_in(letter.text))).user.email == BEN


async def test_a_letter_under_way_is_written_once_and_none_for_what_is_over_or_void(
    home: Home, store: Store, passwords: Passwords, clock: Clock
) -> None:
    row = await home.invite()
    home.post.letters.clear()
    async with store.write() as connection:
        await invitation_rows.note_letter(connection, row.id, "waiting")
    clock.forward(minutes=2)
    held = asyncio.Event()

    async def slow(letter: Letter) -> None:
        await held.wait()
        await home.post(letter)

    letters = InvitationLetters(store, passwords, home.errands, send=slow, now=clock)
    await letters.sweep()
    await letters.sweep()
    held.set()
    await home.errands.settled()
    assert len(home.post.letters) == 1
    async with store.write() as connection:
        await invitation_rows.note_letter(connection, row.id, "waiting")
    for _ in range(invitation_rows.TRIES):
        with pytest.raises(HomeError, match="confirmation-failed"):
            await home.take(row.id, "AAAA-AAAA")
    await letters.sweep()
    clock.forward(hours=48)
    await letters.sweep()
    await home.errands.settled()
    assert len(home.post.letters) == 1


async def test_what_a_name_says_is_text(home: Home) -> None:
    await home.invite(name="{minutes} <b>Ben</b>")
    (letter,) = home.post.letters
    assert "Hello {minutes} <b>Ben</b>," in letter.text
    assert "Hello {minutes} &lt;b&gt;Ben&lt;/b&gt;," in (letter.html or "")
    assert code_in(letter.text)


async def test_a_lockdown_withdraws_whatever_somebody_inside_sent_to_themselves(home: Home, proof: Proof) -> None:
    row = await home.invite(role=Role.MASTER)
    await Lockdown(home.store, proof, now=home.clock).begin(Who(issuer="admin"))
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.take(row.id, home.post.code)
    assert await home.account() is None


async def test_who_is_made_a_member_meanwhile_lets_nobody_in(home: Home, accounts: Accounts, store: Store) -> None:
    eve = await accounts.create_user(email="eve@example.org", name="Eve", password=CHOSEN, role=Role.MASTER)
    row = await home.invite(token=await home.signed_in(eve), current=CHOSEN)
    async with store.write() as connection:
        await user_rows.set_role(connection, eve.id, Role.MEMBER)
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.take(row.id, home.post.code)
    assert await home.account() is None
