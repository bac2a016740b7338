"""Every page in every state: axe finds nothing, nothing is cut or covered, all is in the reader's language.

Which pages there are, and how one comes to each state, is in tests/visits.py.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState

from shared.words.languages import LANGUAGES
from tests import looking
from tests.demo import Demo
from tests.e2e.actions import WAIT
from tests.e2e.conftest import Open
from tests.visited_home import VisitedHome, visited_home
from tests.visits import PHASES, Phase, Visit

PHONE = (looking.SIZES[0]["width"], looking.SIZES[0]["height"])
pytestmark = pytest.mark.long


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


@pytest.mark.parametrize("phase", PHASES, ids=[phase.name for phase in PHASES])
def test_nothing_is_wrong_with_any_page(house: VisitedHome, browser: Browser, phase: Phase) -> None:
    wrong = []
    with phase.during(house):
        for visit in phase.visits:
            for language in LANGUAGES:
                found = _looked_at(house, browser, visit, language)
                wrong += [f"{visit.name} in {language}, {one}" for one in found]
    assert not wrong, "\n".join(wrong)


def _looked_at(house: VisitedHome, browser: Browser, visit: Visit, language: str) -> list[str]:
    who = visit.visitor(language)
    with browser.new_context(
        base_url=house.demo.url, locale=language, storage_state=house.cookies(who) if who is not None else None
    ) as context:
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.set_viewport_size(looking.SIZES[0])
        response = page.goto(visit.address(house))
        assert response is not None
        assert (visit.name, response.status) == (visit.name, visit.status)
        assert page.locator("html").get_attribute("lang") == language
        if visit.steps is not None:
            visit.steps(page, house)
        found = []
        for size in looking.SIZES:
            page.set_viewport_size(size)
            found += [
                f"{size['width']}: {one}" for one in looking.findings(page, language, twice=size == looking.SIZES[0])
            ]
        found += looking.complaints(page)
        page.emulate_media(color_scheme="dark")
        return found + [f"dark: {one}" for one in looking.complaints(page, "color-contrast")]


def test_axe_is_there_and_finds_what_is_wrong(open_page: Open) -> None:
    page = open_page("/login")
    page.evaluate("document.querySelector('label').remove()")
    assert [one.partition(":")[0] for one in looking.complaints(page)] == ["label"]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("it.style.width = '500px'", "sideways"),
        ("it.style.cssText = 'width: 3rem; white-space: nowrap'", "cut"),
        ("it.style.marginTop = '-3rem'", "overlap"),
        ("it.textContent = 'Code per E-Mail {when}'", "gap"),
        ("it.textContent = 'Mail me a code'", "English"),
        (
            "const p = document.createElement('p'); p.className = 'said'; p.textContent = 'so'; it.before(p);"
            " p.style.marginBottom = '-2rem'",
            "covered",
        ),
        (
            "for (const text of 'ab') { const a = document.createElement('a'); a.href = '/'; a.textContent = text;"
            " it.before(a); a.style.cssText = 'display: block; font: 8px serif; margin-bottom: -1rem'; }",
            "small",
        ),
    ],
)
def test_what_is_wrong_is_found(open_page: Open, harm: str, said: str) -> None:
    page = open_page("/login", locale="de", size=PHONE)
    assert looking.findings(page, "de") == []
    page.evaluate(f"() => {{ const it = document.getElementById('submit'); {harm}; }}")
    assert said in {one.partition(":")[0] for one in looking.findings(page, "de")}


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
