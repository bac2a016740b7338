"""Nothing is wrong at the door, nor with the home and its rooms; a phone's first screen shows four devices."""

import pytest
from playwright.sync_api import Page

from shared.words.languages import LANGUAGES
from tests import looking
from tests.e2e.conftest import Open
from tests.e2e.every_page.conftest import Wrong
from tests.visits import at_home
from tests.visits.visit import Phase

PHONE = (looking.SIZES[0]["width"], looking.SIZES[0]["height"])
pytestmark = pytest.mark.long


@pytest.mark.parametrize("phase", at_home.PHASES, ids=lambda phase: phase.name)
def test_nothing_is_wrong_with_any_page(wrong: Wrong, phase: Phase) -> None:
    found = wrong(phase)
    assert not found, "\n".join(found)


def test_a_phones_first_screen_shows_four_of_ten_devices(open_page: Open) -> None:
    for language in LANGUAGES:
        page = open_page("/", role="master", size=PHONE, locale=language)
        assert page.locator(".device").count() == 10
        assert _wholly_seen(page) >= 4, language


def _wholly_seen(page: Page) -> int:
    """How many devices one sees without scrolling: what it is, what it shows, and all of its buttons."""
    return int(
        page.evaluate(
            """() => {
                const end = document.querySelector(".tabs").getBoundingClientRect().top;
                const parts = (it) => [...it.querySelectorAll(".face, .controls")];
                const seen = (it) => parts(it).every((one) => one.getBoundingClientRect().bottom <= end);
                return [...document.querySelectorAll(".device")].filter(seen).length;
            }"""
        )
    )
