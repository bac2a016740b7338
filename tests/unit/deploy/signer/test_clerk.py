"""The signer's deeds at the broker: who was late to be shut out is, whatever becomes of others."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from auth_service.proof import Proof
from deploy.allowing import orders, rights
from deploy.pki.authorities import Authorities
from deploy.signer.clerk import Clerk
from deploy.signer.config import Settings
from deploy.signer.door import Caller
from deploy.signer.doorkeeper import LATE
from deploy.signer.plugin import Plugin
from shared.running.config import ConfigError
from shared.trust.signing import Drop, Revoke, Withdraw
from shared.words.problem import HomeError

US = Caller(process=1, user=0)


class Book:
    """A proof that is always written."""

    async def write_or_owe(self, *_: object, **__: object) -> None:
        return


class Broker:
    """Settles everybody but those of `stuck`."""

    def __init__(self) -> None:
        self.stuck: set[str] = set()
        self.settled: list[str] = []

    async def settle(self, name: str, *_: object, **__: Any) -> bool:
        if name in self.stuck:
            raise HomeError("internal", f"The broker took our orders, and still has {name}.")
        self.settled.append(name)
        return True


MOMENT = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)


async def test_a_lost_index_keeps_nobody_connected(tmp_path: Path) -> None:
    broker = Broker()
    settings = Settings(state=tmp_path, socket=tmp_path / "s.sock", users=frozenset())
    clerk = Clerk(settings, cast("Proof", Book()), cast("Plugin", broker), now=lambda: MOMENT)
    settings.vault.mkdir()
    (settings.vault / "issued.json").write_text("[")
    with pytest.raises(ConfigError, match="restore it from a backup"):
        await clerk.obey(Revoke(name="hall"), US)
    await clerk.obey(Withdraw(name="hall"), US)
    assert broker.settled == ["hall"]
    with pytest.raises(HomeError, match="no room and no client"):
        await clerk.obey(Withdraw(name="gateway"), US)


async def test_one_that_cannot_be_dropped_keeps_no_other_connected(tmp_path: Path) -> None:
    moment = MOMENT
    broker = Broker()
    settings = Settings(state=tmp_path, socket=tmp_path / "s.sock", users=frozenset())
    clerk = Clerk(settings, cast("Proof", Book()), cast("Plugin", broker), now=lambda: moment)
    for name in ("attic", "hall"):
        await clerk.obey(Withdraw(name=name), US)
    broker.settled.clear()
    broker.stuck = {"attic"}
    await clerk.shut_out_late()
    assert broker.settled == []
    moment += LATE
    with pytest.raises(HomeError, match="still has attic"):
        await clerk.shut_out_late()
    assert broker.settled == ["hall"]
    broker.stuck.clear()
    await clerk.shut_out_late()
    await clerk.shut_out_late()
    assert broker.settled == ["hall", "attic"]


class Plugged:
    """What a broker's plugin has of one client, which it changes as it is told."""

    def __init__(self, *, disabled: bool) -> None:
        name = "tablet"
        role = {"rolename": name, "acls": []}
        self.document = rights.document([role])
        self.document["clients"][0]["disabled"] = disabled
        self.given: list[str] = []

    async def standing(self, name: str) -> orders.Standing:
        return orders.written(self.document, name)

    async def settle(self, name: str, plan: orders.Plan, **_: Any) -> bool:
        needed = plan(await self.standing(name))
        self.document = orders.applied(self.document, needed)
        self.given += [order["command"] for order in needed]
        return bool(needed)


@pytest.mark.parametrize("disabled", [False, True])
async def test_who_is_dropped_may_come_again_even_where_that_was_interrupted_before(
    tmp_path: Path, *, disabled: bool
) -> None:
    """A signer that was killed between the two orders left somebody out whom nobody meant to shut out."""
    plugged = Plugged(disabled=disabled)
    settings = Settings(state=tmp_path, socket=tmp_path / "s.sock", users=frozenset())
    clerk = Clerk(settings, cast("Proof", Book()), cast("Plugin", plugged), now=lambda: MOMENT)
    await clerk.obey(Drop(name="tablet"), US)
    assert plugged.given == (["enableClient"] if disabled else ["disableClient", "enableClient"])
    assert (await plugged.standing("tablet")).admitted


async def test_who_says_late_who_it_is_is_dropped_once_more_under_a_name_that_stays(tmp_path: Path) -> None:
    """It shook hands by a certificate that was replaced since, and the broker asks nobody twice."""
    moment = MOMENT
    plugged = Plugged(disabled=False)
    settings = Settings(state=tmp_path, socket=tmp_path / "s.sock", users=frozenset())
    clerk = Clerk(settings, cast("Proof", Book()), cast("Plugin", plugged), now=lambda: moment)
    await clerk.obey(Drop(name="tablet"), US)
    plugged.given.clear()
    await clerk.shut_out_late()
    assert plugged.given == []
    moment += LATE
    await clerk.shut_out_late()
    await clerk.shut_out_late()
    assert plugged.given == ["disableClient", "enableClient"]
    assert (await plugged.standing("tablet")).admitted


async def test_who_was_shut_out_is_not_let_in_by_being_dropped(tmp_path: Path) -> None:
    plugged = Plugged(disabled=False)
    await plugged.settle("tablet", orders.shut_out)
    plugged.given.clear()
    settings = Settings(state=tmp_path, socket=tmp_path / "s.sock", users=frozenset())
    clerk = Clerk(settings, cast("Proof", Book()), cast("Plugin", plugged), now=lambda: MOMENT)
    await clerk.obey(Drop(name="tablet"), US)
    assert plugged.given == []
    assert (await plugged.standing("tablet")).out


def test_our_own_pair_is_made_once_whoever_asks_for_it_at_the_same_time(tmp_path: Path) -> None:
    """After weeks without power the pair is due, and several ask at once when the signer starts."""
    settings = Settings(state=tmp_path, socket=tmp_path / "s.sock", users=frozenset())
    clerk = Clerk(settings, cast("Proof", Book()), cast("Plugin", Broker()), now=lambda: MOMENT)
    Authorities(settings.vault, demo=False, now=MOMENT).ensure(["hub.home.arpa"])
    for _ in range(10):
        for path in tmp_path.glob("signer.*"):
            path.unlink()
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(lambda _: clerk.renew_own(), range(8)))
