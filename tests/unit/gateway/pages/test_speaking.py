"""A page is said in the language of who asks, else the browser's, else the home's; what fills a gap is escaped."""

import jinja2
import msgspec
import pytest
from markupsafe import Markup

from gateway import keys
from gateway.pages import speaking
from shared.words.languages import Language
from shared.words.names import Role
from tests.unit.gateway.pages.house import House, config, open_house

GERMAN = "Zum Inhalt springen"
ENGLISH = "Skip to the content"


@pytest.mark.parametrize(
    ("own", "browser", "home", "language"),
    [
        (None, "", "en", "en"),
        (None, "", "de", "de"),
        (None, "de-AT,en;q=0.8", "en", "de"),
        (None, "en;q=0.8,de;q=0.9", "en", "de"),
        (None, "fr, *;q=0.5", "de", "de"),
        ("en", "de", "de", "en"),
        ("de", "en", "en", "de"),
    ],
)
async def test_who_asks_comes_first_then_the_browser_then_the_home(
    own: Language | None, browser: str, home: Language, language: str
) -> None:
    async with open_house(furnish=lambda app: app.update({keys.CONFIG: spoken_at_home(home)})) as house:
        if own is not None:
            await sign_in_speaking(house, own)
        page = await house.get("/account" if own else "/login", **{"Accept-Language": browser})
        assert page.status == 200
        assert page.has("html", lang=language)
        assert {"en": ENGLISH, "de": GERMAN}[language] in page.text
        assert {"en": GERMAN, "de": ENGLISH}[language] not in page.text
        assert "Accept-Language" in page.headers["Vary"]


async def test_a_problem_is_said_in_the_browsers_language_too() -> None:
    async with open_house() as house:
        page = await house.get("/nowhere", **{"Accept-Language": "de"})
        assert (page.status, page.has("html", lang="de"), GERMAN in page.text) == (404, True, True)


async def test_nobody_hears_the_language_of_the_one_before() -> None:
    async with open_house() as house:
        said = [await house.get("/login", **{"Accept-Language": one}) for one in ("de", "en", "de", "")]
        assert [GERMAN in page.text for page in said] == [True, False, True, False]


def test_a_gap_is_escaped_and_never_read_as_a_sentence() -> None:
    environment = jinja2.Environment(autoescape=True)
    environment.globals["say"] = speaking.write
    page = environment.from_string('<p title="{{ say("{who} & me", who=who) }}">{{ say("{who} & me", who=link) }}</p>')
    assert page.render(who='"><b>{who}', link=Markup("<a>x</a>")) == (
        '<p title="&#34;&gt;&lt;b&gt;{who} &amp; me"><a>x</a> &amp; me</p>'
    )


async def sign_in_speaking(house: House, language: Language, role: Role = Role.MEMBER) -> None:
    """Somebody who has chosen a language."""
    info = await house.sign_in(role)
    user = msgspec.structs.replace(info.user, language=language)
    house.auth.sessions[f"token-{role}"] = msgspec.structs.replace(info, user=user)


def spoken_at_home(language: Language) -> object:
    """The configuration of a home that speaks that."""
    return msgspec.structs.replace(config(), language=language)


async def test_the_page_that_a_browser_keeps_is_the_same_for_everyone() -> None:
    async with open_house() as house:
        nobody = await house.get("/offline", **{"Accept-Language": "de"})
        await sign_in_speaking(house, "de", Role.MASTER)
        master = await house.get("/offline")
        assert (nobody.status, nobody.body) == (200, master.body)
        assert "Set-Cookie" not in nobody.headers


PLACES = {"room": "hall", "device": "front-door", "user": "u-guest", "slug": "forbidden", "id": "i1"}
"""What fills the gaps in the addresses of pages."""
NO_PAGES = ("/static/", "/service-worker.js")
ENGLISH_WORDS = frozenset(
    [
        "the",
        "and",
        "is",
        "are",
        "of",
        "to",
        "with",
        "for",
        "your",
        "you",
        "this",
        "that",
        "not",
        "by",
        "from",
        "until",
        "it",
    ]
)


async def test_on_no_page_in_german_is_a_word_of_english() -> None:
    async with open_house() as house:
        await sign_in_speaking(house, "de", Role.MASTER)
        house.put("front-door", "unlocked")
        assert house.browser.app is not None
        found = {
            one.canonical for one in house.browser.app.router.resources() for route in one if route.method == "GET"
        }
        paths = sorted(path.format(**PLACES) for path in found if not path.startswith(NO_PAGES))
        assert len(paths) > 15
        for path in paths:
            page = await house.get(path)
            if page.status == 303:
                continue
            assert page.has("html", lang="de"), path
            said = {word.strip(".,:;!?…()„“").lower() for word in page.text.split()}
            assert (path, said & ENGLISH_WORDS) == (path, set())
