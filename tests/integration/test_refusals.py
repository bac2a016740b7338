"""Why the broker refuses a connection is told as what it is, by services and by rooms, and not as a line that broke."""

import asyncio
import datetime as dt
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.folder.home import Home
from deploy.pki.pairs import Pki
from device_agents.inbox import Inbox
from device_agents.link.broker_link import BrokerLink
from device_agents.link.link import Down, Reached, Up
from shared.broker.bus import Bus
from tests import brokers, house
from tests.house import DEADLINE, Broker

NAMES = {"bus": "auth", "link": "hall"}
"""Who speaks: a service, or a room's agent."""


def authority(home: Home, days: float = 0) -> Pki:
    """The home's authorities, as they would have signed so many days ago or ahead."""
    now = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    return Pki(home.pki, vault=home.vault, demo=True, now=now)


def sign(pki: Pki, name: str) -> None:
    for suffix in ("crt", "key"):
        (pki.folder / f"{name}.{suffix}").unlink()
    pki.ensure_client(name, "room")


def expired(home: Home, name: str) -> None:
    sign(authority(home, -100), name)


def not_begun(home: Home, name: str) -> None:
    sign(authority(home, 10), name)


def revoked(home: Home, name: str) -> None:
    authority(home).revoke(name)


def strange(home: Home, name: str) -> None:
    other = Pki(home.var / "other", vault=home.var / "other-vault", demo=True, now=dt.datetime.now(dt.UTC))
    other.ensure_authorities(["localhost"])
    other.ensure_client(name, "room")
    for suffix in ("crt", "key"):
        (home.pki / f"{name}.{suffix}").write_bytes((other.folder / f"{name}.{suffix}").read_bytes())


def list_ended(home: Home, _name: str) -> None:
    authority(home, -40).write_crl()


def list_not_begun(home: Home, _name: str) -> None:
    authority(home, 10).write_crl()


def broker_expired(home: Home, _name: str) -> None:
    (home.pki / "broker.key").unlink()
    authority(home, -100).ensure_server("broker", "broker", "service", home.settings.hosts)


REFUSALS: dict[Callable[[Home, str], None], str] = {
    expired: r"(auth|hall)\.crt has expired: run `homesystem renew` on the hub",
    not_begun: r"(auth|hall)\.crt is not yet valid: the clock says",
    revoked: r"our certificate was revoked: (run `homesystem renew`|`homesystem room renew hall`) on the hub",
    strange: "does not know our authority",
    list_ended: "the broker's revocation list has ended, so it refuses everyone: run `homesystem renew`",
    list_not_begun: "the broker's revocation list is not valid yet",
    broker_expired: "the other side's certificate has expired: run `homesystem renew`",
}


@pytest.fixture(params=[brokers.INSTALLED, *brokers.SUITES])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker with certificates of its own, not started yet."""
    release = brokers.find(request.param)
    if release is None:
        pytest.skip(f"Mosquitto of {request.param} is not here: python -m tests.brokers {request.param}")
    home = house.make_home(tmp_path)
    house.make_pki(home)
    made = Broker(home, release)
    yield made
    made.stop()


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        str(record.facts["reason"])  # type: ignore[attr-defined]  # see shared.running.log.facts
        for record in caplog.records
        if record.getMessage() in {"Broker cannot be reached", "Waiting for the clock"}
    ]


async def try_bus(broker: Broker, caplog: pytest.LogCaptureFixture) -> str:
    """The first reason that a service's bus gives."""
    bus = Bus(broker.config("auth"), subscriptions=(), on_message=lambda _: None)
    running = asyncio.create_task(bus.run())
    await asyncio.to_thread(house.until, lambda: reasons(caplog), "a reason is given")
    running.cancel()
    await asyncio.wait({running})
    return reasons(caplog)[0]


async def try_link(broker: Broker, caplog: pytest.LogCaptureFixture) -> str:
    """The first reason that a room's link gives."""
    inbox: Inbox[Any] = Inbox()
    link = BrokerLink(broker.config("hall"), inbox)
    end = time.monotonic() + DEADLINE
    while not reasons(caplog):
        assert time.monotonic() < end, "no reason was given"
        link.tick(time.monotonic())
        inbox.wait(0.1, link)
        while isinstance(event := inbox.take(), Reached | Up | Down):
            assert not isinstance(event, Up)
            link.took(event, time.monotonic())
    for thread in threading.enumerate():
        if thread.name == "connect":
            thread.join(DEADLINE)
    inbox.close()
    return reasons(caplog)[0]


@pytest.mark.parametrize("who", ["bus", "link"])
@pytest.mark.parametrize("spoil", REFUSALS, ids=lambda spoil: spoil.__name__)
async def test_a_refusal_is_named(
    broker: Broker, caplog: pytest.LogCaptureFixture, spoil: Callable[[Home, str], None], who: str
) -> None:
    caplog.set_level(logging.INFO)
    spoil(broker.home, NAMES[who])
    broker.start()
    told = await (try_bus if who == "bus" else try_link)(broker, caplog)
    assert re.search(REFUSALS[spoil], told), told
