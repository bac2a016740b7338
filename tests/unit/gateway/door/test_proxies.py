"""Who calls through proxies: nobody can write another's address, and only trusted proxies are believed."""

import ipaddress
import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from gateway.door import limits, proxies
from gateway.door.proxies import Proxies
from gateway.streams.hub_time import HEARTBEAT_SECONDS
from shared.running.config import ConfigError

TRUSTED = Proxies(["127.0.0.1", "192.0.2.0/28", "2001:db8:1::/64"])
NEAR, FAR = "127.0.0.1", "192.0.2.3"


@pytest.mark.parametrize(
    ("peer", "said", "caller"),
    [
        (NEAR, ["198.51.100.7"], "198.51.100.7"),
        (NEAR, ["203.0.113.1, 198.51.100.7"], "198.51.100.7"),
        (NEAR, ["203.0.113.1", "198.51.100.7"], "198.51.100.7"),
        (NEAR, ["198.51.100.7, 192.0.2.3"], "198.51.100.7"),
        (NEAR, ["203.0.113.1,198.51.100.7 ,192.0.2.3"], "198.51.100.7"),
        (NEAR, ["203.0.113.1, 127.0.0.1, 198.51.100.7"], "198.51.100.7"),
        (NEAR, ["2001:db8:9::1"], "2001:db8:9::1"),
        (NEAR, ["2001:DB8:9:0::1"], "2001:db8:9::1"),
        (NEAR, ["[2001:db8:9::1]:4711"], "2001:db8:9::1"),
        (NEAR, ["198.51.100.7:4711"], "198.51.100.7"),
        (NEAR, ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("::ffff:127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("2001:db8:1::7", ["198.51.100.7"], "198.51.100.7"),
        ("2001:db8:1::7%eth0", ["198.51.100.7"], "198.51.100.7"),
        (NEAR, [], NEAR),
        (NEAR, [""], NEAR),
        (NEAR, ["unknown"], NEAR),
        (NEAR, ["198.51.100.7, unknown"], NEAR),
        (NEAR, ["198.51.100.7, unknown, 192.0.2.3"], FAR),
        (NEAR, ["198.51.100.7,"], NEAR),
        (NEAR, [FAR], FAR),
        ("198.51.100.9", ["203.0.113.1"], "198.51.100.9"),
        ("2001:db8:2::1", ["203.0.113.1"], "2001:db8:2::1"),
        ("", ["203.0.113.1"], ""),
    ],
)
def test_the_hop_furthest_to_the_right_that_is_no_proxy_of_ours_calls(peer: str, said: list[str], caller: str) -> None:
    assert TRUSTED.caller(peer, said) == caller


WRITTEN = st.lists(
    st.text(alphabet=st.characters(codec="latin-1"), max_size=40) | st.ip_addresses().map(str), max_size=5
)


@given(st.ip_addresses(), WRITTEN, st.lists(st.sampled_from([NEAR, FAR]), max_size=3))
def test_whatever_a_caller_writes_it_is_seen_under_its_own_address(
    caller: ipaddress.IPv4Address | ipaddress.IPv6Address, written: list[str], way: list[str]
) -> None:
    if str(caller) in TRUSTED or "%" in str(caller) or getattr(caller, "ipv4_mapped", None) is not None:
        return
    # Each proxy adds whom it saw: the caller, then the proxies before it.
    added = ", ".join([str(caller), *way])
    assert TRUSTED.caller(NEAR, [*written, added]) == str(caller)
    assert TRUSTED.caller(NEAR, [", ".join([*written, added])]) == str(caller)
    assert TRUSTED.caller(str(caller), [*written, added]) == str(caller)


@pytest.mark.parametrize(
    ("trusted", "peer", "believed"),
    [
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("::ffff:192.0.2.0/120", "192.0.2.9", True),
        ("::ffff:192.0.2.0/120", "192.0.3.9", False),
        ("::ffff:127.0.0.1", "127.0.0.2", False),
        ("2001:db8::/32", "2001:db8::1", True),
    ],
)
def test_an_address_of_ipv4_may_be_written_as_one_of_ipv6(trusted: str, peer: str, believed: bool) -> None:
    assert (peer in Proxies([trusted])) is believed


@pytest.mark.parametrize("wrong", ["proxy.example.org", "192.0.2.1/24", "", "192.0.2.0/33"])
def test_what_is_no_network_is_told(wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"trusted_proxies: .* is no address and no network"):
        Proxies([wrong])


def request_from(peer: str, said: str | None, trusted: Proxies = TRUSTED) -> web.Request:
    app = web.Application()
    app[proxies.PROXIES] = trusted
    headers = {} if said is None else {"X-Forwarded-For": said}
    return make_mocked_request("POST", "/login?a=b", headers=headers, app=app).clone(remote=peer)


async def remote_inside(request: web.Request) -> str | None:
    seen: list[web.Request] = []

    async def handler(inner: web.Request) -> web.Response:
        seen.append(inner)
        return web.Response()

    await proxies.name_caller(request, handler)
    (inner,) = seen
    assert (inner.method, inner.path, inner.query.get("a")) == ("POST", "/login", "b")
    assert inner.app is request.app
    return inner.remote


async def test_further_in_the_caller_is_the_one_who_called() -> None:
    assert await remote_inside(request_from(NEAR, "203.0.113.1, 198.51.100.7")) == "198.51.100.7"
    assert await remote_inside(request_from("198.51.100.9", "203.0.113.1")) == "198.51.100.9"
    assert await remote_inside(request_from(NEAR, "203.0.113.1", Proxies([]))) == NEAR


async def test_a_proxy_that_names_nobody_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    trusted = Proxies([NEAR])
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert await remote_inside(request_from(NEAR, None, trusted)) == NEAR
    assert [record.message for record in caplog.records].count(
        "A trusted proxy does not say who calls; see docs/proxies.md"
    ) == 1


@pytest.mark.parametrize(
    ("caller", "counted"),
    [
        ("198.51.100.7", "address:198.51.100.7"),
        ("2001:db8:9::1", "address:2001:db8:9::/64"),
        (NEAR, None),
        ("2001:db8:1::7", None),
        ("", "address:"),
    ],
)
def test_a_trusted_proxy_itself_is_counted_by_no_limit_per_address(caller: str, counted: str | None) -> None:
    assert limits.by_address(request_from(caller, None)) == counted


def test_streams_say_something_long_before_a_proxy_gives_up() -> None:
    assert HEARTBEAT_SECONDS * 3 < 50
