"""Accounts and identities: what may be made, and that every change leaves proof or does not happen."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from auth_service.home.identity_rows import IdentityRole
from auth_service.hub.accounts import Accounts
from auth_service.people import email_rows, erasure_rows, user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import Grant, User
from shared.words.internal_recipients import Erasure
from shared.words.names import Outcome, Role, Severity
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import EMAIL, PASSWORD, START, Clock, fill

LAMP = Grant(room="hall", device="lamp")


def told(spool: Spool) -> list[tuple[str, Outcome]]:
    """What the spool holds."""
    return [(event.what, event.outcome) for event in spool.pending(100)]


async def test_user_is_listed_as_made_and_proven(accounts: Accounts, ada: User, spool: Spool, clock: Clock) -> None:
    clock.forward(minutes=1)
    guest = await accounts.create_user(
        email="g@example.org", name="  Guest   One ", password=PASSWORD, role=Role.GUEST, grants=(LAMP,)
    )
    first, second = await accounts.list_users()
    assert first.user == ada
    assert first.created_at == START
    assert second.user == guest
    assert second.user.name == "Guest One"
    assert second.grants == (LAMP,)
    event = spool.pending(10)[0]
    assert (event.what, event.where, event.who.issuer) == ("account:created", f"user/{ada.id}", "admin")
    assert event.severity is Severity.CRITICAL


async def test_founding_is_recorded_without_a_letter(
    store: Store, proof: Proof, passwords: Passwords, spool: Spool
) -> None:
    founding = Accounts(store, proof, passwords, founding=True)
    await founding.create_user(email=EMAIL, name="Ada", password=PASSWORD, role=Role.MASTER)
    assert spool.pending(10)[0].severity is Severity.INFO


async def test_email_is_unique_however_it_is_typed(accounts: Accounts, ada: User) -> None:
    with pytest.raises(HomeError, match="already-exists"):
        await accounts.create_user(email=" ADA@Example.ORG ", name="Ada", password=PASSWORD, role=Role.MEMBER)


async def test_email_beyond_ascii_is_refused_with_the_reason(accounts: Accounts) -> None:
    with pytest.raises(HomeError) as caught:
        await accounts.create_user(email="ada@m\u00fcller.de", name="Ada", password=PASSWORD, role=Role.MASTER)
    assert caught.value.detail is not None
    assert "write ada@xn--mller-kva.de" in caught.value.detail


@pytest.mark.parametrize(
    "email",
    ["", "ada", "ada@", "@example.org", "a b@c", "a@b\nBcc: c@d", "ä@example.org", "a@b..c", "a" * 250 + "@b.org"],
)
async def test_email_of_another_form_is_refused(accounts: Accounts, email: str) -> None:
    with pytest.raises(HomeError, match="invalid-value"):
        await accounts.create_user(email=email, name="Ada", password=PASSWORD, role=Role.MASTER)


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "tab\x07bell"])
async def test_name_of_another_form_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(HomeError, match="invalid-value"):
        await accounts.create_user(email=EMAIL, name=name, password=PASSWORD, role=Role.MASTER)


async def test_weak_password_is_refused_for_new_and_old_users(accounts: Accounts, ada: User) -> None:
    for password in ("password1", "lovelace", "rosebud!", "short"):
        with pytest.raises(HomeError, match="invalid-value"):
            await accounts.set_password(EMAIL, password)
        with pytest.raises(HomeError, match="invalid-value"):
            await accounts.create_user(email="b@c", name="Lovelace", password=password, role=Role.MEMBER)


@pytest.mark.parametrize(
    "grant",
    [
        Grant(room="Hall", device="lamp"),
        Grant(room="hall", device="*"),
        Grant(room="hall", device="lamp", weekdays=()),
        Grant(room="hall", device="lamp", weekdays=(7,)),
        Grant(room="hall", device="lamp", from_minute=600, to_minute=600),
        Grant(room="hall", device="lamp", to_minute=1441),
        Grant(room="hall", device="lamp", until=datetime(2026, 1, 1)),  # noqa: DTZ001 - the missing zone is the point
    ],
)
async def test_grant_that_means_nothing_is_refused(accounts: Accounts, ada: User, grant: Grant) -> None:
    with pytest.raises(HomeError, match="invalid-value"):
        await accounts.create_user(
            email="g@example.org", name="Guest", password=PASSWORD, role=Role.GUEST, grants=(grant,)
        )


async def test_grants_are_for_guests(accounts: Accounts, ada: User) -> None:
    with pytest.raises(HomeError, match="for guests"):
        await accounts.create_user(
            email="m@example.org", name="Member", password=PASSWORD, role=Role.MEMBER, grants=(LAMP,)
        )


async def test_first_user_must_be_a_master(accounts: Accounts) -> None:
    with pytest.raises(HomeError, match="last-master"):
        await accounts.create_user(email=EMAIL, name="Ada", password=PASSWORD, role=Role.MEMBER)


async def test_last_master_cannot_be_disabled(accounts: Accounts, ada: User, clock: Clock) -> None:
    clock.forward(minutes=1)
    with pytest.raises(HomeError, match="last-master"):
        await accounts.disable_user(EMAIL)
    await accounts.create_user(email="b@example.org", name="Babbage", password=PASSWORD, role=Role.MASTER)
    await accounts.disable_user(EMAIL)
    await accounts.disable_user(EMAIL)
    with pytest.raises(HomeError, match="last-master"):
        await accounts.disable_user("b@example.org")
    assert [row.disabled for row in await accounts.list_users()] == [True, False]


async def test_erasing_deletes_a_disabled_account_and_its_proof_names_nobody(
    accounts: Accounts, ada: User, spool: Spool, store: Store
) -> None:
    bob = await accounts.create_user(email="b@example.org", name="Babbage", password=PASSWORD, role=Role.MASTER)
    with pytest.raises(HomeError, match=r"homesystem user disable b@example\.org"):
        await accounts.erase_user("b@example.org")
    await accounts.change_email("b@example.org", "b@elsewhere.example")
    await accounts.disable_user("b@elsewhere.example")
    before = len(spool.pending(100))
    erasure = Erasure(id=bob.id, emails=("b@elsewhere.example", "b@example.org"))
    assert await accounts.erase_user("b@elsewhere.example") == erasure
    assert [row.user for row in await accounts.list_users()] == [ada]
    (event,) = spool.pending(100)[before:]
    assert (event.what, event.where, event.outcome, event.severity) == (
        "account:erased",
        f"user/{bob.id}",
        Outcome.EXECUTED,
        Severity.CRITICAL,
    )
    assert (event.detail, event.who.user) == ({}, None)
    async with store.read() as connection:
        assert await erasure_rows.unfinished(connection) == (erasure,), "the record still has to lose them"
    with pytest.raises(HomeError, match="not-found"):
        await accounts.erase_user("b@elsewhere.example")


async def test_without_proof_nobody_is_erased(accounts: Accounts, ada: User, tmp_path: Path, store: Store) -> None:
    await accounts.create_user(email="b@example.org", name="Babbage", password=PASSWORD, role=Role.MEMBER)
    await accounts.disable_user("b@example.org")
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await accounts.erase_user("b@example.org")
    assert len(await accounts.list_users()) == 2
    async with store.read() as connection:
        assert await erasure_rows.unfinished(connection) == (), "nobody else's record is touched either"


async def test_unknown_user_is_not_found(accounts: Accounts) -> None:
    with pytest.raises(HomeError, match="not-found"):
        await accounts.disable_user("nobody@example.org")
    with pytest.raises(HomeError, match="not-found"):
        await accounts.set_password("nobody@example.org", PASSWORD)


async def test_no_name_is_given_out_twice(accounts: Accounts, spool: Spool) -> None:
    await accounts.enrol_identity("hall", "room")
    await accounts.enrol_identity("phone", "client")
    await accounts.enrol_identity("gateway", "service")
    roles: tuple[IdentityRole, ...] = ("room", "client")
    for role in roles:
        with pytest.raises(HomeError, match=r"in use.*another card there is homesystem room renew hall;"):
            await accounts.enrol_identity("hall", role)
    with pytest.raises(HomeError, match=r"in use.*another machine there is homesystem client renew phone;"):
        await accounts.enrol_identity("phone", "client")
    with pytest.raises(HomeError, match="kept for the hub's own services"):
        await accounts.enrol_identity("gateway", "service")
    await accounts.revoke_identity("hall")
    await accounts.revoke_identity("phone")
    await accounts.revoke_identity("phone")
    with pytest.raises(HomeError, match="was revoked"):
        await accounts.enrol_identity("hall", "room")
    rows = await accounts.list_identities()
    assert [(row.name, row.role, row.revoked_at is None) for row in rows] == [
        ("gateway", "service", True),
        ("hall", "room", False),
        ("phone", "client", False),
    ]
    assert [what for what, _ in told(spool)] == [
        "room:added",
        "client:added",
        "service:added",
        "room:revoked",
        "client:revoked",
    ]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Hall", "room"),
        ("1hall", "room"),
        ("a" * 33, "room"),
        ("admin", "client"),
        ("gateway-2", "room"),
        ("x", "service"),
    ],
)
async def test_name_of_another_form_or_of_the_hub_is_refused(accounts: Accounts, name: str, role: str) -> None:
    with pytest.raises(HomeError, match="invalid-value"):
        await accounts.enrol_identity(name, role)  # type: ignore[arg-type]  # from the parametrization


async def test_unknown_identity_cannot_be_revoked(accounts: Accounts) -> None:
    with pytest.raises(HomeError, match="not-found"):
        await accounts.revoke_identity("nobody")


async def test_without_proof_nothing_changes(accounts: Accounts, ada: User, tmp_path: Path) -> None:
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await accounts.create_user(email="b@example.org", name="Babbage", password=PASSWORD, role=Role.MEMBER)
    with pytest.raises(HomeError, match="no-proof"):
        await accounts.enrol_identity("hall", "room")
    assert len(await accounts.list_users()) == 1
    assert await accounts.list_identities() == ()


async def test_change_that_is_not_committed_is_taken_back_in_the_proof(
    accounts: Accounts, ada: User, spool: Spool, tmp_path: Path
) -> None:
    # A constraint that only the commit checks stands in for a disk that fails at that moment.
    with sqlite3.connect(tmp_path / "auth.sqlite3") as direct:
        direct.execute("CREATE TABLE late (id TEXT REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED)")
        direct.execute("CREATE TRIGGER fail AFTER INSERT ON identities BEGIN INSERT INTO late VALUES ('nobody'); END")
    direct.close()
    with pytest.raises(HomeError):
        await accounts.enrol_identity("hall", "room")
    assert told(spool)[1:] == [("room:added", Outcome.EXECUTED), ("room:added", Outcome.FAILED)]
    assert await accounts.list_identities() == ()


async def test_times_are_what_the_clock_said(accounts: Accounts, clock: Clock) -> None:
    clock.forward(days=1)
    await accounts.enrol_identity("hall", "room")
    (row,) = await accounts.list_identities()
    assert row.enrolled_at == clock.time


async def test_a_user_has_letters_in_a_language_of_their_own(
    accounts: Accounts, ada: User, spool: Spool, store: Store
) -> None:
    await accounts.set_language(ada.email, "de")
    await accounts.set_language(ada.email, "de")
    assert [event.detail for event in spool.pending(10) if event.what == "account:changed"] == [
        {"user": ada.name, "language": "de"}
    ]
    async with store.read() as connection:
        assert [one.language for one in await user_rows.recipients(connection)] == ["de"]
        found = await user_rows.find(connection, ada.email)
    assert found is not None
    assert found.user.language == "de"
    await accounts.set_language(ada.email, None)
    assert [row.user.language for row in await accounts.list_users()] == [None]
    with pytest.raises(HomeError, match="not-found"):
        await accounts.set_language("nobody@example.org", "de")


async def test_another_address_ends_sessions_and_has_its_proof_and_a_letter_owed(
    accounts: Accounts, ada: User, store: Store, spool: Spool, clock: Clock
) -> None:
    limits = session_rows.Limits(timedelta(hours=12), timedelta(days=7))
    async with store.write() as connection:
        begun = await session_rows.start(connection, ada, address="", agent="", limits=limits, now=clock())
    after = await accounts.change_email(EMAIL.upper(), " ada@elsewhere.example ")
    assert after.email == "ada@elsewhere.example"
    (row,) = await accounts.list_users()
    assert (row.user.id, row.user.email) == (ada.id, "ada@elsewhere.example")
    async with store.read() as connection:
        assert await session_rows.find(connection, begun.token, limits=limits, now=clock()) is None
        assert await session_rows.why_ended(connection, begun.token, clock()) == "email-changed"
        assert [former.email for former in await email_rows.untold(connection, clock() - timedelta(days=1))] == [EMAIL]
    event = spool.pending(10)[-1]
    assert (event.what, event.who.issuer, event.severity) == ("account:email-changed", "admin", Severity.CRITICAL)
    assert event.detail == {"user": "Ada Lovelace", "email": "ada@elsewhere.example"}
    assert after.email == "ada@elsewhere.example"


async def test_an_address_that_is_somebody_elses_or_none_is_refused_at_the_hub(
    accounts: Accounts, ada: User, store: Store
) -> None:
    await accounts.create_user(email="ben@example.org", name="Ben", password=PASSWORD, role=Role.MEMBER)
    for old, new, slug in (
        (EMAIL, "BEN@example.org", "already-exists"),
        (EMAIL, "no address", "invalid-value"),
        ("nobody@example.org", "new@example.org", "not-found"),
    ):
        with pytest.raises(HomeError, match=slug):
            await accounts.change_email(old, new)
    await accounts.change_email(EMAIL, EMAIL.upper())
    assert EMAIL.upper() in {row.user.email for row in await accounts.list_users()}
    async with store.read() as connection:
        assert await email_rows.of(connection, ada.id) == (), "the same, spelt otherwise, was never another"
