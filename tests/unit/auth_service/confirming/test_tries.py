"""Tries that failed are told of few times, in full number, and with no more of who it was than is known."""

from datetime import timedelta

import pytest

from auth_service.confirming.regulation import BURST, WINDOW
from auth_service.confirming.tries import FailedTries
from auth_service.proof import Proof
from shared.proof.spool import Spool
from shared.words.internal import User
from shared.words.messages import Who
from shared.words.names import Outcome, Role, Severity
from tests.unit.auth_service.parts import Clock

ADA = User(id="u1", name="Ada", email="ada@example.org", role=Role.MASTER)
WHO = Who(issuer="gateway", address="192.0.2.7")
MADE = "account:sign-in-failed"


@pytest.fixture
def tries(proof: Proof, clock: Clock) -> FailedTries:
    return FailedTries(MADE, proof, now=clock)


async def test_the_first_and_a_burst_are_told_at_once_and_the_rest_as_a_sum(
    tries: FailedTries, spool: Spool, clock: Clock
) -> None:
    for _ in range(BURST + 2):
        await tries.tell("user/u1", WHO, ADA)
    clock.forward(seconds=WINDOW.total_seconds())
    await tries.sweep()
    told = [(e.what, e.where, e.who.issuer, e.severity, e.outcome, e.detail["count"]) for e in spool.pending(10)]
    assert told == [
        (MADE, "user/u1", "gateway", Severity.INFO, Outcome.REJECTED, "1"),
        (MADE, "user/u1", "gateway", Severity.SECURITY, Outcome.REJECTED, str(BURST)),
        (MADE, "user/u1", "auth", Severity.INFO, Outcome.REJECTED, str(BURST + 2)),
    ]


async def test_a_sum_that_comes_with_somebody_elses_try_does_not_name_them(
    tries: FailedTries, spool: Spool, clock: Clock
) -> None:
    for _ in range(2):
        await tries.tell("address/192.0.2.7", WHO, None)
    clock.time += WINDOW + timedelta(seconds=1)
    await tries.tell("user/u1", WHO, ADA)
    told = [(event.where, event.detail["count"], event.detail.get("user")) for event in spool.pending(10)]
    assert told == [("address/192.0.2.7", "1", None), ("address/192.0.2.7", "2", None), ("user/u1", "1", "Ada")]
