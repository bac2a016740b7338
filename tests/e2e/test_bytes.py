"""The first load of the home, with an empty cache, takes no more than 60 KB on the wire: page, styles and scripts."""

import pytest

from shared.words.languages import LANGUAGES
from tests.e2e.actions import wait_until_live
from tests.e2e.conftest import Open

MOST = 60_000
"""Bytes, headers included; for a slow phone in the cellar that is a second."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_load_of_the_home_is_small(open_page: Open, language: str) -> None:
    page = open_page(None, role="master", locale=language)
    seen: dict[str, str] = {}
    sizes: dict[str, float] = {}
    wire = page.context.new_cdp_session(page)
    wire.on("Network.requestWillBeSent", lambda event: seen.update({event["requestId"]: event["request"]["url"]}))
    wire.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    wire.send("Network.enable")
    page.goto("/")
    wait_until_live(page)
    told = {seen[one].partition("/static/")[2] or "/": int(size) for one, size in sizes.items() if one in seen}
    assert len(told) > 15, told
    assert sum(told.values()) <= MOST, dict(sorted(told.items(), key=lambda one: -one[1]))
