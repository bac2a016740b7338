"""axe-core finds nothing to complain of on any page, light and dark, in every language."""

import importlib.resources
from typing import Any

import pytest
from playwright.sync_api import Page

from shared.words.languages import LANGUAGES
from tests.e2e.conftest import Open

PATHS = (
    "/",
    "/rooms/hall",
    "/history",
    "/history?since=nonsense",
    "/account",
    "/account/password",
    "/account/factors",
    "/account/tokens",
    "/users",
    "/arrange",
    "/arrange/hall",
    "/house/arrange",
    "/house/arrange/hall",
    "/house/names/hall",
    "/house/names/hall/lamp",
    "/house",
    "/waiting",
    "/authority",
    "/offline",
    "/lockdown",
    "/readings/hall/lamp",
    "/rooms/hall/front-door/confirm?action=unlock",
    "/problems/forbidden",
    "/nowhere",
)
STATUS = {"/history?since=nonsense": 400, "/nowhere": 404}
AXE = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text()
"""It is put into the page by the browser's own tools, which the pages' policy does not bind."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_any_page(open_page: Open, language: str) -> None:
    page = open_page("/login", locale=language)
    assert complaints(page) == []
    page = open_page(None, role="master", locale=language)
    for path in PATHS:
        page.emulate_media(color_scheme="light")
        response = page.goto(path)
        assert response is not None
        assert (path, response.status) == (path, STATUS.get(path, 200))
        assert page.locator("html").get_attribute("lang") == language
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        found = complaints(page)
        page.emulate_media(color_scheme="dark")
        found += complaints(page, "color-contrast")
        assert (path, found) == (path, [])


def test_axe_is_there_and_finds_what_is_wrong(open_page: Open) -> None:
    page = open_page("/login")
    page.evaluate("document.querySelector('label').remove()")
    assert [one.partition(":")[0] for one in complaints(page)] == ["label"]


def complaints(page: Page, *rules: str) -> list[str]:
    """What axe says of the page as it stands: the rule, and where; by all of its rules, or by those named."""
    page.evaluate(AXE)
    page.evaluate("() => Promise.all(document.getAnimations().map((it) => it.finished))")
    options: dict[str, Any] = {"runOnly": list(rules)} if rules else {}
    results: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", options)
    return [f"{one['id']}: {node['html'][:200]}" for one in results["violations"] for node in one["nodes"]]
