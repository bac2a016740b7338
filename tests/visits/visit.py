"""What a visit to a page is, and the steps that several of them share."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page

from tests import looking
from tests.e2e.actions import WAIT, wait_for_look, wait_until_live
from tests.visited_home import VisitedHome

Steps = Callable[[Page, VisitedHome], None]


class Visit(NamedTuple):
    """One state of one page.

    `path` names ids in braces ("/users/{guest}"), and `who` comes: nobody, or as VisitedHome.cookies knows them; where
    it ends in "-", somebody for each language. `steps` lead on from there, by a browser's own means.
    """

    name: str
    route: str
    path: str
    who: str | None = None
    status: int = 200
    steps: Steps | None = None

    def visitor(self, language: str) -> str | None:
        """Who comes, in this language."""
        return f"{self.who}{language}" if self.who and self.who.endswith("-") else self.who

    def address(self, home: VisitedHome) -> str:
        """Where it is in this home."""
        return self.path.format(**home.ids)

    def phone(self, browser: Browser, home: VisitedHome, language: str) -> BrowserContext:
        """Who comes, on a phone that was never there."""
        who = self.visitor(language)
        context = browser.new_context(
            base_url=home.demo.url,
            locale=language,
            viewport=looking.SIZES[0],
            storage_state=home.cookies(who) if who is not None else None,
        )
        context.set_default_timeout(WAIT)
        return context


class Phase(NamedTuple):
    """What is seen while the home is in one state."""

    name: str
    during: Callable[[VisitedHome], AbstractContextManager[Any]]
    visits: tuple[Visit, ...]


def sends(form: str, **fields: str) -> Steps:
    """Fill this form's fields in and send it, whatever the browser itself would say of them."""

    def steps(page: Page, home: VisitedHome) -> None:
        within = page.locator(form).last
        within.evaluate("(it) => { it.noValidate = true; const at = it.closest('details'); if (at) at.open = true; }")
        for name, value in fields.items():
            within.locator(f'[name="{name}"]').first.fill(home.password("master") if value == "MASTER" else value)
        with page.expect_navigation():
            within.evaluate("(it) => it.requestSubmit(it.querySelector('button:not([type=button])'))")

    return steps


def then(*several: Steps) -> Steps:
    """One after the other."""

    def steps(page: Page, home: VisitedHome) -> None:
        for one in several:
            one(page, home)

    return steps


def opens(page: Page, _: VisitedHome) -> None:
    """Everything that folds."""
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


def hall_there(page: Page, _: VisitedHome) -> None:
    wait_until_live(page)
    wait_for_look(page, "hall/lamp", "on", "off")
