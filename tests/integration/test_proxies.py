"""The gateway behind nginx, HAProxy and Caddy, with the files of docs/proxies.md; skipped where one is missing."""

import itertools
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from deploy.folder.home import Home
from gateway.streams import events
from shared.words.internal_alerts import MAX_AUDIT_PAGE
from shared.words.names import Role
from tests.house import Broker
from tests.integration.gateway_parts import PASSWORD, GatewayHouse, next_event, stream_events
from tests.integration.proxy_parts import NGINX_AS_INSTALLED, Proxy, program
from tests.integration.test_gateway_history import records
from tests.unit.gateway.parts import session, state

STRANGER, ADA = "127.0.0.9", "127.0.0.8"
"""Where they call from; the proxies call from 127.0.0.1."""
MASTER = session(Role.MASTER)
FORGED = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}


@pytest.fixture(params=["nginx", "haproxy", "caddy"])
def proxy(request: pytest.FixtureRequest, home: Home, tmp_path: Path) -> Iterator[Proxy]:
    program(request.param)
    made = Proxy(request.param, home, tmp_path, more={})
    made.start()
    yield made
    made.stop()


def behind(proxy: Proxy) -> Callable[[str], str]:
    """What an owner writes into gateway.toml."""

    def edit(text: str) -> str:
        for old, new in (
            ('# origins = ["https://home.example.org"]', f'origins = ["{proxy.url}"]'),
            ('# trusted_proxies = ["127.0.0.1"]', 'trusted_proxies = ["127.0.0.1"]'),
        ):
            assert old in text
            text = text.replace(old, new)
        return text

    return edit


@pytest.fixture
async def house(broker: Broker, proxy: Proxy) -> AsyncIterator[GatewayHouse]:
    async with GatewayHouse(broker, edit=behind(proxy)) as made:
        yield made


async def test_through_a_proxy_one_signs_in_commands_and_sees_what_happens_at_once(
    house: GatewayHouse, proxy: Proxy
) -> None:
    ada = await house.visitor(MASTER, url=proxy.url, address=ADA)
    assert house.auth.callers == [ADA]
    seen = stream_events(ada)
    await next_event(seen, "ready")
    # One small event: far less than what a proxy might gather before it passes anything on.
    house.room.publish("home/hall/lamp/state", state("on"))
    while (await next_event(seen, "state"))["state"]["value"] != "on":
        pass
    await seen.aclose()
    status, body, _ = await ada.command("lamp", "off")
    assert (status, body["outcome"]) == (200, "executed")
    assert house.room.heard[-1].origin == ADA


async def test_what_a_caller_writes_about_itself_is_believed_nowhere(house: GatewayHouse, proxy: Proxy) -> None:
    ada = await house.visitor(MASTER, url=proxy.url, address=ADA)
    status, _, _ = await ada.post("/api/v1/devices/hall/lamp/commands", {"action": "on"}, headers=FORGED)
    assert status == 200
    assert house.room.heard[-1].origin == ADA
    direct = await house.visitor(address=STRANGER)
    await direct.fetch_token()
    asked = {"email": "nobody@example.org", "password": PASSWORD}
    assert (await direct.post("/api/v1/login/code", asked, headers=FORGED))[0] == 202
    assert house.auth.callers[-1] == STRANGER


async def test_a_strangers_tries_lock_nobody_else_out_and_are_logged_as_the_strangers(
    house: GatewayHouse, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = await house.visitor(url=proxy.url, address=STRANGER)
    await stranger.fetch_token()
    with caplog.at_level(logging.INFO):
        answers = [
            (await stranger.post("/api/v1/login/code", {"email": f"{n}@example.org", "password": "no such one"}))[0]
            for n in range(11)
        ]
    assert answers == [202] * 10 + [429]
    told = [getattr(record, "facts", {}) for record in caplog.records]
    (limited,) = [facts for facts in told if facts.get("event") == "rate_limited"]
    assert limited["address"] == STRANGER
    asked = [facts["address"] for facts in told if facts.get("path") == "/api/v1/login/code"]
    assert asked == [STRANGER] * 11
    await house.visitor(MASTER, url=proxy.url, address=ADA)


async def test_a_page_of_another_origin_may_change_nothing(house: GatewayHouse, proxy: Proxy) -> None:
    ada = await house.visitor(MASTER, url=proxy.url, address=ADA)
    for origin in ("https://evil.example", "null", f"{proxy.url}0", proxy.url.replace("https", "http")):
        status, _, _ = await ada.post(
            "/api/v1/devices/hall/lamp/commands", {"action": "on"}, headers={"Origin": origin}
        )
        assert status == 403, origin


@pytest.mark.parametrize("proxy", ["nginx", "haproxy"], indirect=True)
async def test_a_file_that_breaks_off_is_no_whole_one_behind_a_proxy_either(house: GatewayHouse, proxy: Proxy) -> None:
    # Caddy 2.6, and nginx over HTTP/1.0, pass it on as if it were whole: docs/proxies.md.
    ada = await house.visitor(MASTER, url=proxy.url, address=ADA)
    house.alerts.events = records(3 * MAX_AUDIT_PAGE)
    house.gateway.sessions._link_up = lambda: False  # nothing is remembered
    house.alerts.when_asked = house.auth.sessions.clear
    with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ClientConnectionError)):
        await ada.get("/api/v1/audit/export?format=jsonl")
    assert len(house.alerts.queries) == 1


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("nginx", {"proxy_http_version 1.1;": "proxy_http_version 1.1; proxy_read_timeout 1s;"}),
        ("haproxy", {"timeout client 50s": "timeout client 1s", "timeout server 50s": "timeout server 1s"}),
    ],
)
async def test_a_quiet_stream_outlives_the_time_after_which_a_proxy_ends_what_is_silent(
    broker: Broker, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, limits: dict[str, str]
) -> None:
    program(name)
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.25)
    proxy = Proxy(name, home, tmp_path, more=limits)
    proxy.start()
    try:
        async with GatewayHouse(broker, edit=behind(proxy)) as house:
            ada = await house.visitor(MASTER, url=proxy.url, address=ADA)
            async with ada.http.get("/api/v1/events") as stream:
                beats = 0
                async for line in stream.content:
                    beats += line.startswith(b"event: heartbeat")
                    if beats == 12:  # nearly three times as long as the proxy waits
                        break
                assert beats == 12
    finally:
        proxy.stop()


async def test_nginx_as_people_write_it_works_too_but_names_nobody(broker: Broker, home: Home, tmp_path: Path) -> None:
    program("nginx")
    proxy = Proxy("nginx", home, tmp_path, text=NGINX_AS_INSTALLED, more={})
    proxy.start()
    try:
        async with GatewayHouse(broker, edit=behind(proxy)) as house:
            ada = await house.visitor(MASTER, url=proxy.url, address=ADA)
            assert house.auth.callers == ["127.0.0.1"]
            seen = stream_events(ada)
            await next_event(seen, "ready")
            house.room.publish("home/hall/lamp/state", state("on"))
            while (await next_event(seen, "state"))["state"]["value"] != "on":
                pass
            await seen.aclose()
            house.alerts.events = records(3)
            status, body, _ = await ada.get("/api/v1/audit/export?format=jsonl")
            assert (status, body.count(b"\n")) == (200, 3)
            # One stranger does not use up what the proxy stands for.
            stranger = await house.visitor(url=proxy.url, address=STRANGER)
            await stranger.fetch_token()
            asked = itertools.count()
            for _ in range(12):
                wanted = {"email": f"{next(asked)}@example.org", "password": "no such one"}
                assert (await stranger.post("/api/v1/login/code", wanted))[0] == 202
    finally:
        proxy.stop()
