"""What the alert service is answered while somebody is being changed."""

import asyncio
from typing import Any, cast

import msgspec

from auth_service.account import another_email, telling
from auth_service.answers.reading import Reading
from auth_service.hub.accounts import Accounts
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words.internal import User
from shared.words.internal_recipients import Recipients
from shared.words.messages import Who
from tests.unit.auth_service.parts import Clock

NEW = "ada@elsewhere.example"


async def test_whom_letters_go_to_is_answered_after_a_change_that_was_told_is_committed(
    store: Store, proof: Proof, clock: Clock, accounts: Accounts, ada: User
) -> None:
    reading = Reading(store, cast("Any", None), cast("Any", None), cast("Any", None))

    async def addresses() -> list[str]:
        answer = await reading.recipients(cast("Any", None))
        return [one.email for one in msgspec.json.decode(cast("bytes", answer.body), type=Recipients).people]

    assert await addresses() == [ada.email]
    async with telling.change(store, proof, Who(issuer="gateway")) as (connection, say):
        await another_email.change(connection, ada, NEW, clock())
        await say(another_email.WHAT, f"user/{ada.id}")
        asking = asyncio.create_task(addresses())
        done, _ = await asyncio.wait([asking], timeout=0.2)
        assert not done
    assert await asking == [NEW]
