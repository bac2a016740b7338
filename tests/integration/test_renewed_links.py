"""Certificates renewed under links that run: a room comes back with its new one, a service with the next connection."""

import asyncio
import datetime as dt
import logging
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.folder.home import Home
from deploy.pki.pairs import Pki
from shared.broker.bus import Bus
from shared.words import topics
from tests import house
from tests.house import Broker
from tests.integration.agent_parts import GATEWAY_HEARS, Client, Room, offline


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    home = house.make_home(tmp_path)
    house.make_pki(home)
    made = Broker(home)
    made.start()
    yield made
    made.stop()


def renewed(home: Home, name: str, stem: str = "renewed") -> tuple[bytes, bytes]:
    """Key and certificate as a renewal would write them, not in their places yet."""
    folder = home.var / stem
    Pki(home.pki, vault=home.vault, demo=True, now=dt.datetime.now(dt.UTC)).ensure_client(name, "room", folder=folder)
    return (folder / f"{name}.key").read_bytes(), (folder / f"{name}.crt").read_bytes()


def shown(broker: Broker, name: str) -> int:
    """How often the broker let `name` in."""
    return broker.log.count(f" as {name} (")


def test_a_room_connects_anew_with_a_new_pair_that_fits_and_is_never_away(broker: Broker) -> None:
    home = broker.home
    with Client(broker, "gateway", *GATEWAY_HEARS) as gateway:
        hall = Room(home)
        hall.online(gateway)
        gateway.heartbeat()
        assert gateway.command("front-door", "lock") == ("executed", None)
        assert shown(broker, "hall") == 1
        key, certificate = renewed(home, "hall")
        (home.pki / "hall.key").write_bytes(key)
        hall.complained("Renewed certificate cannot be used; the one before stays")
        assert gateway.command("front-door", "unlock") == ("executed", None)
        gateway.forget()
        (home.pki / "hall.crt").write_bytes(certificate)
        hall.there(gateway)
        gateway.heartbeat()
        assert gateway.command("front-door", "lock") == ("executed", None)
        assert shown(broker, "hall") == 2
        assert [said for said in gateway.said if offline(said)] == []
        assert hall.stop(signal.SIGTERM) == 0


def test_a_room_whose_new_pair_the_broker_refuses_comes_back_with_the_old_one(broker: Broker) -> None:
    home = broker.home
    strange = Pki(home.var / "other", vault=home.var / "vault", demo=True, now=dt.datetime.now(dt.UTC))
    strange.ensure_authorities(["localhost"])
    strange.ensure_client("hall", "room")
    with Client(broker, "gateway", *GATEWAY_HEARS) as gateway:
        hall = Room(home)
        hall.online(gateway)
        gateway.forget()
        for suffix in ("key", "crt"):
            (home.pki / f"hall.{suffix}").write_bytes((strange.folder / f"hall.{suffix}").read_bytes())
        hall.complained("does not know our authority")
        hall.there(gateway)
        gateway.heartbeat()
        assert gateway.command("front-door", "lock") == ("executed", None)
        hall.stop(signal.SIGTERM)


async def test_a_service_that_meets_a_bad_pair_keeps_its_way_in_and_takes_the_good_one(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    home, ups = broker.home, asyncio.Queue[None]()

    async def up() -> None:
        ups.put_nowait(None)

    bus = Bus(broker.config("auth"), subscriptions=(), on_message=lambda _: None, on_up=up)
    running = asyncio.create_task(bus.run())
    await asyncio.wait_for(ups.get(), house.DEADLINE)
    key, certificate = renewed(home, "auth")
    (home.pki / "auth.key").write_bytes(key)
    broker.kill()
    broker.start()
    await asyncio.wait_for(ups.get(), house.DEADLINE)
    (home.pki / "auth.crt").write_bytes(certificate)
    broker.kill()
    broker.start()
    await asyncio.wait_for(ups.get(), house.DEADLINE)
    told = [record.getMessage() for record in caplog.records if record.name == "shared.trust.renewal"]
    assert told == ["Renewed certificate is in use"]
    assert await bus.send(topics.REVOKED, b"{}") in (0, 16)
    running.cancel()
    await asyncio.wait({running})
