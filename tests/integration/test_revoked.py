"""A certificate that was taken back is good for no call to auth and alerts, on the connection that it has already."""

import asyncio
import contextlib
import datetime as dt
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.folder.home import Home
from deploy.pki.pairs import Pki
from shared.door.client import AlertsAddress, AuthAddress, ServiceClient
from shared.trust import tls
from shared.words import internal
from shared.words.problem import HomeError
from tests.begun import whole_home
from tests.house import DEADLINE, come_up, end, listens, until

MODULES = {"auth": "auth_service", "alerts": "alert_service"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Its auth and alert services run, without a broker; its authorities are its own."""
    made = whole_home(tmp_path)
    ports = {"auth": made.settings.auth_port, "alerts": made.settings.alerts_port}
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((made.var / "log" / "services.err").open("ab"))
        for name, module in MODULES.items():
            command = [sys.executable, "-m", module, "--config", str(made.config(name))]
            process = subprocess.Popen(command, stderr=log)
            stack.callback(end, [process])
            come_up(process, functools.partial(listens, ports[name]), f"{name} listens")
        yield made


def client(home: Home, name: str, service: str) -> ServiceClient:
    address = AuthAddress if service == "auth" else AlertsAddress
    port = home.settings.auth_port if service == "auth" else home.settings.alerts_port
    pki = home.pki
    files = tls.Identity(ca=pki / "device-ca.crt", certificate=pki / f"{name}.crt", key=pki / f"{name}.key")
    return ServiceClient(address(port=port), files, absent=f"{service}-unreachable")


async def answer(caller: ServiceClient) -> str:
    try:
        await caller.call("GET", internal.READY, dict)
    except HomeError as error:
        return error.slug
    return "ready"


async def wait_until_ready(caller: ServiceClient) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            if await answer(caller) == "ready":
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("service", ["auth", "alerts"])
async def test_a_revoked_certificate_is_refused_on_the_connection_that_stands(home: Home, service: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(client(home, "gateway", service))
        admin = await stack.enter_async_context(client(home, "admin", service))
        await wait_until_ready(gateway)
        assert await answer(admin) == "ready"
        home.authority().revoke("gateway")
        assert await answer(gateway) == "forbidden"
        assert await answer(admin) == "ready"
        fresh = await stack.enter_async_context(client(home, "gateway", service))
        assert await answer(fresh) == "forbidden"
        # A list past its end keeps nobody out but whom it names.
        late = Pki(home.pki, vault=home.vault, demo=True, now=dt.datetime.now(dt.UTC) - dt.timedelta(days=400))
        late.write_crl()
        assert await answer(admin) == "ready"
        assert await answer(fresh) == "forbidden"
    log = f"{service}.log"
    until(lambda: "Revocation list has ended" in (home.var / "log" / log).read_text(), "the end is told")
