"""A change must come from one of our own pages and carry the token."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.door import csrf
from shared.words.names import Role
from tests.unit.gateway.pages.house import HEADERS, House, open_house

OWN = frozenset({"https://localhost:8443", "https://home.example.org"})


@pytest.mark.parametrize(
    ("headers", "host", "allowed"),
    [
        ({"Origin": "https://localhost:8443"}, "localhost:8443", True),
        ({"Sec-Fetch-Site": "same-origin"}, "localhost:8443", True),
        ({"Origin": "https://home.example.org", "Sec-Fetch-Site": "same-origin"}, "home.example.org", True),
        ({}, "localhost:8443", False),
        ({"Origin": "null"}, "localhost:8443", False),
        ({"Origin": "https://evil.example"}, "localhost:8443", False),
        ({"Origin": "https://evil.example"}, "evil.example", False),
        ({"Sec-Fetch-Site": "same-origin"}, "evil.example", False),
        ({"Origin": "http://localhost:8443"}, "localhost:8443", False),
        ({"Origin": "https://home.example.org"}, "localhost:8443", False),
        ({"Origin": "https://localhost:8443", "Sec-Fetch-Site": "cross-site"}, "localhost:8443", False),
        ({"Origin": "https://localhost:8443", "Sec-Fetch-Site": "same-site"}, "localhost:8443", False),
        ({"Sec-Fetch-Site": "none"}, "localhost:8443", False),
    ],
)
def test_only_our_own_pages_may_change_anything(headers: dict[str, str], host: str, allowed: bool) -> None:
    assert csrf.is_same_origin(headers, host, OWN) is allowed


@pytest.mark.parametrize(
    ("headers", "host", "allowed"),
    [
        ({"Origin": "https://home.example.org"}, "127.0.0.1:8443", True),
        ({"Origin": "https://home.example.org", "Sec-Fetch-Site": "same-origin"}, "anything", True),
        ({"Origin": "https://home.example.org"}, "home.example.org", True),
        ({"Origin": "https://home.example.org", "Sec-Fetch-Site": "cross-site"}, "127.0.0.1:8443", False),
        ({"Origin": "https://home.example.org", "Sec-Fetch-Site": "same-site"}, "127.0.0.1:8443", False),
        ({"Origin": "https://home.example.org:444"}, "127.0.0.1:8443", False),
        ({"Origin": "http://home.example.org"}, "127.0.0.1:8443", False),
        ({"Origin": "https://localhost:8443"}, "127.0.0.1:8443", False),
        ({"Origin": "https://evil.example"}, "localhost:8443", False),
        ({"Origin": "https://evil.example"}, "home.example.org", False),
        ({"Sec-Fetch-Site": "same-origin"}, "127.0.0.1:8443", False),
        ({}, "home.example.org", False),
    ],
)
def test_behind_a_proxy_the_origin_that_browsers_show_is_ours_whatever_the_host(
    headers: dict[str, str], host: str, allowed: bool
) -> None:
    assert csrf.is_same_origin(headers, host, OWN, frozenset({"https://home.example.org"})) is allowed


@pytest.mark.parametrize(
    ("expected", "given", "fits"),
    [("abc", "abc", True), ("abc", "abd", False), ("abc", None, False), (None, "abc", False), (None, None, False),
     ("", "", False), ("abc", "äbc", False), ("abc", "\udce9\udcff", False), ("abc", "\ud800", False)],
)  # fmt: skip
def test_the_token_must_be_ours(expected: str | None, given: str | None, fits: bool) -> None:
    assert csrf.fits(expected, given) is fits


_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data; boundary=x"
_NAMED = b'--x\r\nContent-Disposition: form-data; name="a"\r\n'


async def post(house: House, path: str, body: bytes, **headers: str) -> int:
    async with house.browser.post(path, data=body, headers=HEADERS | headers, allow_redirects=False) as response:
        return response.status


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (_MULTIPART, b"abc"),
        ("multipart/form-data", b"abc"),
        (_MULTIPART, b"--x\r\nno header\r\n\r\nv\r\n--x--\r\n"),
        (_MULTIPART, b"--x\r\nA: b\r\n\r\nv\r\n--x--\r\n"),
        (_MULTIPART, _NAMED + b"Content-Transfer-Encoding: nonsense\r\n\r\nv\r\n--x--\r\n"),
        (_MULTIPART, _NAMED + b"Content-Type: text/plain; charset=nonsense\r\n\r\nv\r\n--x--\r\n"),
        (f"{_URLENCODED}; charset=nonsense", b"a=b"),
        (f"{_URLENCODED}; charset=utf-7", b"a=+2AA-"),
        (_URLENCODED, b"\xff\xfe="),
    ],
)
@pytest.mark.parametrize("with_token", [False, True])
async def test_a_form_that_cannot_be_read_is_the_senders_fault(
    content_type: str, body: bytes, *, with_token: bool
) -> None:
    async with open_house() as house:
        headers = {"Content-Type": content_type}
        if with_token:
            headers[csrf.HEADER] = (await house.get("/login")).form("/login").fields[csrf.FIELD]
        assert await post(house, "/login", body, **headers) == 400


async def test_a_form_of_too_many_fields_is_too_large() -> None:
    async with open_house() as house:
        assert await post(house, "/login", b"a=b&" * 5000, **{"Content-Type": _URLENCODED}) == 413


async def test_refused_changes_are_counted_and_use_up_nothing_of_the_users() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        refused = [await post(house, "/logout", b"", **{"Content-Type": _URLENCODED}) for _ in range(60)]
        assert refused == [403] * 50 + [429] * 10
        assert (await house.send(page.form("/logout"))).status == 303


@given(st.text(), st.text())
def test_a_token_fits_under_every_mask_and_no_other_token_does(token: str, other: str) -> None:
    assert csrf.fits(token, csrf.masked(token)) is bool(token)
    assert csrf.fits(token, csrf.masked(other)) is (bool(token) and token == other)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_what_is_no_mask_of_ours_is_compared_as_it_is(given: str) -> None:
    assert csrf.fits("abc", given) is (given == "abc")
    assert not csrf.fits("abc", f"m.{given}")


async def test_no_two_answers_have_the_token_in_common_and_each_fits() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        house.put("lamp", "off")
        pages = [await house.get("/") for _ in range(2)]
        tokens = [set(re.findall(r'(?:csrf_token" value|data-csrf)="([^"]+)"', page.body)) for page in pages]
        assert [len(found) for found in tokens] == [1, 1]
        assert tokens[0].isdisjoint(tokens[1])
        for page in pages:
            assert (await house.send(page.form("/rooms/hall/lamp", "on"), "on")).status == 303
        assert len(house.commands.wishes) == 2


async def test_a_token_that_an_earlier_version_gave_out_without_a_mask_fits() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        house.put("lamp", "off")
        form = (await house.get("/")).form("/rooms/hall/lamp", "on")
        bare = csrf.unmasked(form.fields["csrf_token"])
        assert bare != form.fields["csrf_token"]
        assert (await house.send(form, "on", csrf_token=bare)).status == 303
