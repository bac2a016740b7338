"""How the house is kept, from real tables: who is enrolled and until when, and who has a strong factor."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from auth_service.factors import factor_rows
from auth_service.home.keeping import Keeping
from auth_service.hub.accounts import Accounts
from shared.keeping.database import Store
from shared.words.internal import User
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import PASSWORD, START, Clock

END = START + timedelta(days=40)


@pytest.fixture
async def enrolled(accounts: Accounts) -> None:
    """Two rooms of which one was revoked, and a client."""
    await accounts.enrol_identity("hall", "room")
    await accounts.enrol_identity("attic", "room")
    await accounts.enrol_identity("phone", "client")
    await accounts.revoke_identity("attic")


async def ends() -> Mapping[str, datetime]:
    return {"hall": END, "attic": END, "gateway": END}


async def test_certificates_have_their_end_where_it_is_known(store: Store, enrolled: None) -> None:
    kept = await Keeping(store, ends).read()
    assert [(one.name, one.role, one.ends_at) for one in kept.enrolled] == [
        ("hall", "room", END),
        ("phone", "client", None),
    ]
    assert kept.unsigned is None


async def test_a_signer_that_says_nothing_is_told(store: Store, enrolled: None) -> None:
    async def away() -> Mapping[str, datetime]:
        raise HomeError("signer-unreachable", "It does not answer.")

    kept = await Keeping(store, away).read()
    assert {one.ends_at for one in kept.enrolled} == {None}
    assert kept.unsigned == "It does not answer."


async def test_a_strong_factor_counts_once_its_first_code_was_typed(
    store: Store, accounts: Accounts, ada: User, clock: Clock
) -> None:
    bob = await accounts.create_user(email="bob@example.org", name="Bob", password=PASSWORD, role=Role.MEMBER)
    async with store.write() as connection:
        await factor_rows.begin(connection, ada.id, "f1", "App", clock())
        await factor_rows.begin(connection, bob.id, "f2", "App", clock())
        assert await factor_rows.confirm(connection, bob.id, "f2", 1, clock())
    kept = await Keeping(store, ends).read()
    assert {one.name: one.strong for one in kept.people} == {"Ada Lovelace": False, "Bob": True}


async def test_who_may_not_sign_in_is_left_out(store: Store, accounts: Accounts, ada: User) -> None:
    await accounts.create_user(email="bob@example.org", name="Bob", password=PASSWORD, role=Role.MEMBER)
    await accounts.disable_user("bob@example.org")
    assert [one.name for one in (await Keeping(store, ends).read()).people] == ["Ada Lovelace"]
