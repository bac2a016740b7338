"""How every page is looked at: axe finds nothing, nothing is cut or covered, all is in the reader's language.

Which pages there are, and how one comes to each state, is in tests/visits; each part of them has a file here, and so
a home and a browser of its own.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Error, StorageState

from shared.words.languages import LANGUAGES
from tests import looking
from tests.demo import Demo
from tests.visited_home import VisitedHome, visited_home
from tests.visits.visit import Phase, Visit

_LONGEST = "de"
Wrong = Callable[[Phase], list[str]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VisitedHome]:
    """A home of this module's own: people, devices and services come and go in it."""
    with visited_home(tmp_path_factory.mktemp("visited") / "home") as made:
        yield made


@pytest.fixture(scope="module")
def demo_home(house: VisitedHome) -> Demo:
    """The one that the browser believes."""
    return house.demo


@pytest.fixture
def signed_in() -> dict[str, StorageState]:
    """Nobody whom other modules know."""
    return {}


@pytest.fixture(scope="module")
def told() -> dict[str, set[str]]:
    """By language, the routes that were looked at in it."""
    return {language: set() for language in LANGUAGES}


@pytest.fixture
def wrong(house: VisitedHome, browser: Browser, told: dict[str, set[str]]) -> Wrong:
    """`wrong(phase)`: whatever is wrong with its pages, at every size, in every language.

    Each state is looked at in the language whose words are the longest, and each page once in all the others.
    """

    def looked(phase: Phase) -> list[str]:
        found = []
        with phase.during(house):
            for visit in phase.visits:
                for language in LANGUAGES:
                    if language == _LONGEST or visit.route not in told[language]:
                        told[language].add(visit.route)
                        those = _looked_at(house, browser, visit, language)
                        found += [f"{visit.name} in {language}, {one}" for one in those]
        return found

    return looked


def _looked_at(house: VisitedHome, browser: Browser, visit: Visit, language: str) -> list[str]:
    with visit.phone(browser, house, language) as context:
        page = context.new_page()
        try:
            response = page.goto(visit.address(house))
            assert response is not None
            assert (response.status, page.locator("html").get_attribute("lang")) == (visit.status, language)
            if visit.steps is not None:
                visit.steps(page, house)
        except (AssertionError, Error) as error:
            return [f"not come to: {error}"]  # so that all others are looked at none the less
        found = []
        for size in looking.SIZES:
            page.set_viewport_size(size)
            found += [
                f"{size['width']}: {one}" for one in looking.findings(page, language, twice=size == looking.SIZES[0])
            ]
        if language != _LONGEST:
            return found  # axe minds no words
        found += looking.complaints(page)
        page.emulate_media(color_scheme="dark")
        return found + [f"dark: {one}" for one in looking.complaints(page, "color-contrast")]
