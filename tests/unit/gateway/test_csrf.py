"""A change must come from one of our own pages and carry the token."""

import pytest

from gateway import csrf

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
    ("expected", "given", "fits"),
    [("abc", "abc", True), ("abc", "abd", False), ("abc", None, False), (None, "abc", False), (None, None, False),
     ("", "", False), ("abc", "äbc", False)],
)  # fmt: skip
def test_the_token_must_be_ours(expected: str | None, given: str | None, fits: bool) -> None:
    assert csrf.fits(expected, given) is fits
