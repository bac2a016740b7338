"""Details are told in the reader's language, a browser in words, and whatever a client sent is short and clean."""

import pytest

from alert_service.telling import details
from alert_service.telling.reader import Reader
from shared.words.languages import Language, tongue
from shared.words.names import Outcome
from shared.words.problem import CATALOGUE
from tests.unit.alert_service.letters.test_letters import BERLIN, row
from tests.unit.alert_service.parts import event

FIREFOX = "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Mobile Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537 Chrome/130.0 Safari/537.36 Edg/130.0"


def reader(language: Language = "en") -> Reader:
    return Reader(zone=BERLIN, tongue=tongue(language))


@pytest.mark.parametrize(
    ("agent", "english", "german"),
    [
        (FIREFOX, "Firefox on Android", "Firefox (Android)"),
        (IPHONE, "Safari on an iPhone", "Safari (iPhone)"),
        (EDGE, "Edge on Windows", "Edge (Windows)"),
        ("Firefox/130.0", "Firefox", "Firefox"),
        ("python-requests/2.31", "python-requests", "python-requests"),
        ("\u202eevil\x1b[2J\r\nBcc:x" + "y" * 300, "evil [2J Bcc:x" + "y" * 17 + "…", None),
        ("", "a program that does not say what it is", "ein Programm, das nicht sagt, was es ist"),
    ],
)
def test_a_browser_is_told_in_words(agent: str, english: str, german: str | None) -> None:
    assert details.browser(agent, reader()) == english
    assert german is None or details.browser(agent, reader("de")) == german


def test_a_sign_in_from_a_new_place_names_browser_and_network() -> None:
    told = event(what="session:new-place", where="session/x", detail={"browser": FIREFOX, "network": "192.0.2.0/24"})
    assert details.told(row("auth", told), reader()) == [
        ("Browser", "Firefox on Android"),
        ("Detail", "network: 192.0.2.0/24"),
    ]
    assert details.told(row("auth", told), reader("de")) == [
        ("Browser", "Firefox (Android)"),
        ("Angabe", "Netz: 192.0.2.0/24"),
    ]


def test_what_a_person_is_called_from_now_on_is_told_and_a_name_that_the_sentence_has_is_not() -> None:
    names = {"user": "Kim", "name": "Kim B"}
    renamed = event(what="account:changed", where="user/u1", detail=names)
    assert details.told(row("auth", renamed), reader()) == [("Detail", "new name: Kim B")]
    assert details.told(row("auth", renamed), reader("de")) == [("Angabe", "neuer Name: Kim B")]
    other = event(what="account:token-made", where="user/u1", detail=names)
    assert details.told(row("auth", other), reader()) == []


@pytest.mark.parametrize(
    ("factor", "english", "german"),
    [
        ("mailed code", "a mailed code", "ein Code per E-Mail"),
        ("authenticator app", "an authenticator app", "eine Authenticator-App"),
        ("passkey", "a passkey", "ein Passkey"),
        ("recovery code", "a recovery code", "ein Wiederherstellungscode"),
        ("recovery codes", "recovery codes", "Wiederherstellungscodes"),
        ("all", "all of them", "alle"),
    ],
)
def test_what_a_sign_in_is_confirmed_by_is_told_in_the_readers_language(factor: str, english: str, german: str) -> None:
    told = row("auth", event(what="account:factor-added", where="user/x", detail={"factor": factor}))
    assert details.told(told, reader()) == [("Detail", f"factor: {english}")]
    assert details.told(told, reader("de")) == [("Angabe", f"Faktor: {german}")]
    claimed = row("hall", event(detail={"factor": factor}))
    assert details.told(claimed, reader("de")) == [("Angabe", f"Faktor: {factor}")], "a room's word stays its own"


def test_a_rooms_browser_is_a_detail_like_any_other() -> None:
    assert details.told(row("hall", event(detail={"browser": FIREFOX})), reader()) == [
        ("Detail", "browser: Firefox on Android")
    ]


@pytest.mark.parametrize(("language", "label"), [("en", "Why"), ("de", "Warum")])
def test_why_something_was_refused_is_told_in_the_readers_language(language: Language, label: str) -> None:
    refused = row("hall", event(outcome=Outcome.REJECTED, detail={"reason": "locked-out"}))
    title = {"en": "The device is locked out", "de": "Das Gerät ist stillgelegt"}[language]
    assert details.told(refused, reader(language)) == [(label, title)]


def test_every_problem_has_a_title_of_its_own_in_german() -> None:
    assert [slug for slug, entry in CATALOGUE.items() if reader("de").say(entry.title) == entry.title] == []


def test_a_reason_of_the_rooms_own_stands_as_it_is() -> None:
    assert details.told(row("hall", event(detail={"reason": "{x}", "odd-name": "1"})), reader("de")) == [
        ("Angabe", "Grund: {x}"),
        ("Angabe", "odd name: 1"),
    ]


def test_what_the_record_finds_wrong_is_told_in_the_readers_language_and_a_rooms_word_is_not() -> None:
    broken = event(what="audit:chain-broken", where="alerts", detail={"row": "7", "told": "was changed"})
    assert details.told(row("alerts", broken), reader("de")) == [
        ("Angabe", "Zeile: 7"),
        ("Angabe", "Meldung: wurde verändert"),
    ]
    assert details.told(row("hall", broken), reader("de"))[1] == ("Angabe", "Meldung: was changed")
    empty = event(what="audit:chain-broken", where="alerts", detail={"told": ""})
    assert details.told(row("alerts", empty), reader("de")) == [("Angabe", "Meldung: ")]
