"""The web floor: every error is a problem document, every request a line, and only the named may call."""

import asyncio
import gzip
import logging
import ssl
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from deploy.running.up import port_is_free
from shared.door.answering import TooSlowError, answer
from shared.door.web import (
    MAX_BODY_BYTES,
    USER,
    allow,
    internal_app,
    json_response,
    read_json,
    serve_https,
)
from shared.running.config import ConfigError
from shared.trust import tls
from shared.words.problem import HomeError
from tests.claimed import free_port


class Body(msgspec.Struct, forbid_unknown_fields=True):
    number: Annotated[int, msgspec.Meta(ge=0)]


async def take(request: web.Request) -> web.StreamResponse:
    request[USER] = "u1"
    return json_response(await read_json(request, Body))


async def fail(_request: web.Request) -> web.StreamResponse:
    raise ZeroDivisionError("a secret of ours")


async def refuse(_request: web.Request) -> web.StreamResponse:
    raise HomeError("rate-limited", retry_after=7)


async def move(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther("/elsewhere")


class Site:
    """A running internal service, and how to call it as somebody."""

    def __init__(self, pki: Path) -> None:
        self.pki = pki
        self.port = free_port()
        self.app = internal_app()
        self.app.router.add_post("/take", allow("gateway", "gateway-*")(take))
        self.app.router.add_get("/fail", fail)
        self.app.router.add_get("/refuse", refuse)
        self.app.router.add_get("/move", move)

    def files(self, name: str) -> tls.Identity:
        pki = self.pki
        return tls.Identity(ca=pki / "device-ca.crt", certificate=pki / f"{name}.crt", key=pki / f"{name}.key")

    async def call(
        self, method: str, path: str, *, who: str = "gateway", **options: Any
    ) -> tuple[int, dict[str, Any], Any]:
        context = tls.client_context(self.files(who))
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, f"https://localhost:{self.port}{path}", ssl=context, allow_redirects=False, **options
            ) as response,
        ):
            body = await response.read()
            return (
                response.status,
                dict(response.headers),
                msgspec.json.decode(body) if body[:1] in b"{[" and body else body,
            )


@pytest.fixture
async def site(pki: Path) -> AsyncIterator[Site]:
    made = Site(pki)
    async with serve_https(made.app, "127.0.0.1", made.port, tls.server_context(made.files("auth-server"))):
        yield made


async def test_a_body_that_fits_is_answered(site: Site) -> None:
    status, headers, body = await site.call("POST", "/take", json={"number": 5})
    assert (status, body) == (200, {"number": 5})
    assert headers["Cache-Control"] == "no-store"


JSON = {"Content-Type": "application/json"}


async def test_a_whole_number_may_be_written_as_a_float(site: Site) -> None:
    assert (await site.call("POST", "/take", data=b'{"number":5.0}', headers=JSON))[::2] == (200, {"number": 5})


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "identity"])
async def test_a_body_may_be_packed_in_the_ways_that_are_known(site: Site, coding: str) -> None:
    bare = b'{"number":5}'
    body = {"gzip": gzip.compress(bare), "deflate": zlib.compress(bare)}.get(coding.lower(), bare)
    answer = await site.call("POST", "/take", data=body, headers=JSON | {"Content-Encoding": coding})
    assert answer[::2] == (200, {"number": 5})


@pytest.mark.parametrize("coding", ["br", "zstd", "x-gzip", "gzip, br", "rot13"])
async def test_what_is_packed_otherwise_is_told_which_ways_there_are(site: Site, coding: str) -> None:
    status, _, document = await site.call(
        "POST", "/take", data=b'{"number":5}', headers=JSON | {"Content-Encoding": coding}
    )
    assert (status, document["type"]) == (415, "/problems/unsupported-media-type")
    assert "gzip or deflate" in document["detail"]


@pytest.mark.parametrize(
    ("options", "status", "slug"),
    [
        ({"data": b"{}"}, 415, "unsupported-media-type"),
        (
            {"data": b"number=5", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
            415,
            "unsupported-media-type",
        ),
        ({"data": b"", "headers": JSON}, 400, "malformed"),
        ({"data": b"{", "headers": JSON}, 400, "malformed"),
        ({"data": b"\xff\xfe", "headers": JSON}, 400, "malformed"),
        ({"data": b"[" * 20_000, "headers": JSON}, 422, "invalid-value"),
        ({"data": b'{"x":' + b"[" * 20_000, "headers": JSON}, 422, "invalid-value"),
        ({"data": b'{"number":"5"}', "headers": JSON}, 422, "invalid-value"),
        ({"data": b'{"number":-1}', "headers": JSON}, 422, "invalid-value"),
        ({"data": b"x" * (MAX_BODY_BYTES + 1), "headers": JSON}, 413, "too-large"),
    ],
)
async def test_a_body_that_does_not_is_a_problem_document(
    site: Site, options: dict[str, Any], status: int, slug: str
) -> None:
    got, headers, document = await site.call("POST", "/take", **options)
    assert got == document["status"] == status
    assert headers["Content-Type"].startswith("application/problem+json")
    assert document["type"] == f"/problems/{slug}"
    assert document["instance"].startswith("urn:request:")
    assert document["detail"]


@pytest.mark.parametrize(
    ("error", "kept"),
    [(web.RequestPayloadError("no gzip"), False), (TooSlowError(), False), (HomeError("malformed"), None)],
)
def test_who_sent_a_body_that_has_no_end_is_told_that_the_connection_has_one(
    error: Exception, kept: bool | None
) -> None:
    assert answer(error).keep_alive is kept


async def test_aiohttps_own_refusals_are_in_our_words(site: Site) -> None:
    assert (await site.call("GET", "/nowhere"))[2]["type"] == "/problems/not-found"
    status, headers, document = await site.call("GET", "/take")
    assert (status, document["type"], headers["Allow"]) == (405, "/problems/method-not-allowed", "POST")


async def test_a_limit_says_when_to_come_back(site: Site) -> None:
    status, headers, document = await site.call("GET", "/refuse")
    assert (status, headers["Retry-After"], document["retry_after"]) == (429, "7", 7)


async def test_a_redirection_is_no_problem(site: Site) -> None:
    assert (await site.call("GET", "/move"))[0] == 303


async def test_a_fault_of_ours_is_logged_and_tells_nothing(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    status, _, document = await site.call("GET", "/fail")
    assert (status, document["type"]) == (500, "/problems/internal")
    assert "secret" not in str(document)
    assert "Request failed" in caplog.text


@pytest.mark.parametrize(
    ("who", "status"),
    [("gateway", 200), ("gateway-2", 200), ("auth", 403), ("hall", 403), ("phone", 403), ("admin", 403)],
)
async def test_only_named_certificates_may_call(site: Site, who: str, status: int) -> None:
    assert (await site.call("POST", "/take", who=who, json={"number": 5}))[0] == status


async def test_without_a_certificate_nobody_is_heard(site: Site) -> None:
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(site.pki / "device-ca.crt")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"https://localhost:{site.port}/refuse", ssl=bare)


async def test_the_request_log_has_who_what_and_how_but_no_query(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "requests"):
        await site.call("POST", "/take?token=hidden", json={"number": 5})
        await site.call("GET", "/refuse")
    lines = [record.__dict__["facts"] for record in caplog.records if record.name == "requests"]
    assert [(x["user"], x["method"], x["path"], x["status"], x["address"]) for x in lines] == [
        ("u1", "POST", "/take", 200, "127.0.0.1"),
        ("-", "GET", "/refuse", 429, "127.0.0.1"),
    ]
    assert all(x["seconds"] >= 0 for x in lines)
    assert "hidden" not in str(lines)


async def test_a_port_in_use_says_what_to_do(site: Site) -> None:
    context = tls.server_context(site.files("auth-server"))
    with pytest.raises(ConfigError, match="choose another port"):
        async with serve_https(internal_app(), "127.0.0.1", site.port, context):
            pass
    assert not port_is_free("127.0.0.1", site.port)
    assert port_is_free("127.0.0.1", free_port())


async def test_leaving_the_block_frees_the_port_even_with_a_request_under_way(pki: Path) -> None:
    site = Site(pki)
    entered = asyncio.Event()

    async def hang(_request: web.Request) -> web.StreamResponse:
        entered.set()
        await asyncio.Event().wait()
        raise AssertionError

    site.app.router.add_get("/hang", hang)
    async with serve_https(site.app, "127.0.0.1", site.port, tls.server_context(site.files("auth-server"))):
        call = asyncio.create_task(site.call("GET", "/hang"))
        await entered.wait()
    with pytest.raises(aiohttp.ClientError):
        await call
    assert port_is_free("127.0.0.1", site.port)
