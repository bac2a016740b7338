"""Every sentence is there in every language, with the same gaps, compiled as it is written."""

import ast
import re
import string
import zoneinfo
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from shared.words import languages
from shared.words.languages import DEFAULT, DOMAIN, FOLDER, LANGUAGES, Language, tongue
from tests import catalogue

OTHERS = [one for one in LANGUAGES if one != DEFAULT]
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
MOMENT = datetime(2026, 11, 23, 20, 4, 5, tzinfo=UTC)
_SENTENCE = re.compile(r"[A-Z][^{}]* [^{}]*\.")


def forms(said: str | Sequence[str] | None) -> tuple[str, ...]:
    return (said or "",) if said is None or isinstance(said, str) else tuple(said)


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_there_are_sentences_to_look_at() -> None:
    assert len(catalogue.sentences()) > 100
    assert OTHERS


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_missing_untranslated_or_left_over(language: Language) -> None:
    said = {forms(one.id) for one in catalogue.sentences() if one.id}
    known = {forms(one.id): one for one in catalogue.translated(language) if one.id}
    assert said == known.keys(), "run `make catalogue`, and translate what is new"
    assert [one.id for one in known.values() if one.fuzzy or not catalogue.is_translated(one.string)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_the_gaps_of_every_sentence_agree(language: Language) -> None:
    wrong = [
        (one.id, said)
        for one in catalogue.translated(language)
        for said in forms(one.string)
        if one.id and gaps(said) != set().union(*map(gaps, forms(one.id)))
    ]
    assert wrong == []


@pytest.mark.parametrize("language", OTHERS)
def test_what_lies_compiled_is_what_is_written(language: Language) -> None:
    lies = (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.mo").read_bytes()
    assert lies == catalogue.compiled(language), "run `make catalogue`"
    for script, text in catalogue.words_of_scripts(language).items():
        assert script.read_text() == text, "run `make catalogue`"


def test_a_gap_is_filled_with_what_it_is_given_and_nothing_in_that_is_read() -> None:
    evil = "{who.__class__} %s {time}"
    assert tongue("de").say("{who} unlocked {place} at {time}.", who=evil, place=evil, time="14:06") == (
        f"{evil}: um 14:06 Uhr von {evil} aufgeschlossen."
    )


@pytest.mark.parametrize(
    ("language", "exactly", "short"),
    [
        ("en", "Monday, 23 November 2026, 21:04:05 CET", "23 Nov 2026"),
        ("de", "Montag, 23. November 2026, 21:04:05 MEZ", "23.11.2026"),
    ],
)
def test_times_are_written_as_the_language_writes_them(language: Language, exactly: str, short: str) -> None:
    spoken = tongue(language)
    assert spoken.exactly(MOMENT, BERLIN) == exactly
    assert spoken.short_day(MOMENT, BERLIN) == short
    assert spoken.time(MOMENT, BERLIN) == "21:04"


def test_both_passes_of_a_doubled_hour_are_told_apart() -> None:
    told = [tongue("de").exactly(datetime(2026, 10, 25, hour, 30, tzinfo=UTC), BERLIN) for hour in (0, 1)]
    assert [one.partition("2026, ")[2] for one in told] == ["02:30:00 MESZ", "02:30:00 MEZ"]


def test_many_are_counted_as_the_language_counts() -> None:
    many = ("{count} alert from {source}", "{count} alerts from {source}")
    assert [tongue("de").say_many(*many, n, source="Flur") for n in (1, 2)] == [
        "1 Meldung von Flur",
        "2 Meldungen von Flur",
    ]
    assert tongue().say_many(*many, 1, source="hall") == "1 alert from hall"


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (("de_DE.UTF-8",), "de"),
        (("de",), "de"),
        ((None, "de_AT"), "de"),
        (("C.UTF-8", None), "en"),
        (("fr_FR.UTF-8", "en_US"), "en"),
        ((), "en"),
    ],
)
def test_a_language_is_found_in_a_locale(wanted: tuple[str | None, ...], language: Language) -> None:
    assert languages.first_of(*wanted) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de", "de"),
        ("de-AT, en;q=0.8", "de"),
        ("en;q=0.8, de;q=0.9", "de"),
        ("en; q=0.5, de;Q=0.501", "de"),
        ("de;q=0, en;q=0.001", "en"),
        ("fr-CH, fr;q=0.9, EN-gb;q=0.8, de;q=0.7, *;q=0.5", "en"),
        ("en, de", "en"),
        ("de;q=2, en;q=0.1", "en"),
        ("de;q=1.001;q=0, en;q=0.1", "en"),
        ("*", None),
        ("fr", None),
        ("de;q=0", None),
        ("", None),
        (",;,;q=,q=1", None),
    ],
)
def test_the_language_that_a_browser_likes_best_is_found(header: str, language: str | None) -> None:
    assert languages.accepted(header) == language


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["Sunday", "Sun", "1 March 2026", "1 March", "March", "March 2026", "Mar", "21.50", "−3", "0.5", "CET"]),
        ("de", ["Sonntag", "So", "1. März 2026", "1. März", "März", "März 2026", "Mär", "21,50", "−3", "0,5", "MEZ"]),
    ],
)
def test_days_and_numbers_are_written_as_the_language_writes_them(language: Language, told: list[str]) -> None:
    spoken, day = tongue(language), date(2026, 3, 1)
    assert [
        spoken.weekday(day),
        spoken.short_weekday(day),
        spoken.dated(day),
        spoken.dated(day, year=False),
        spoken.month(day),
        spoken.month(day, year=True),
        spoken.short_month(day),
        spoken.number(21.5, digits=2),
        spoken.number(-3.0, digits=0),
        spoken.number(0.5),
        spoken.zone_name(MOMENT, BERLIN),
    ] == told


def test_nothing_is_said_where_there_is_nothing_to_say() -> None:
    assert tongue("de").say("") == ""


def test_no_sentence_hides_in_an_f_string_or_a_template_where_the_gathering_does_not_look() -> None:
    hidden = [
        f"{path.name}:{call.lineno}"
        for package, keywords in catalogue.WITH_SENTENCES.items()
        for path in (catalogue.ROOT / package).rglob("*.py")
        for joined in ast.walk(ast.parse(path.read_text()))
        if isinstance(joined, ast.JoinedStr)
        for call in ast.walk(joined)
        if isinstance(call, ast.Call)
        and _called(call) in keywords
        and any(isinstance(x, ast.Constant) for x in call.args)
    ]
    hidden += [
        f"{path.name}: {found}"
        for path in catalogue.SCRIPTS.glob("*.js")
        for found in re.findall(r"\$\{[^}`]*\b(?:say|sayMany|later)\(\".*", path.read_text())
    ]
    assert hidden == []


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def test_what_a_problem_says_by_a_constant_is_gathered_too() -> None:
    gathered = {form for one in catalogue.sentences() for form in forms(one.id)}
    said = {
        (path.name, value.value)
        for package in ("auth_service", "gateway/desk", "gateway/pages")
        for path in (catalogue.ROOT / package).rglob("*.py")
        for value in _details(ast.parse(path.read_text()))
    }
    assert len(said) > 10
    assert [one for one in sorted(said) if one[1] not in gathered] == [], "put later(…) around it"


def _details(tree: ast.Module) -> list[ast.Constant]:
    """The sentences that a name stands for which is given to a HomeError, as they are written in the same file."""
    raised = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and ast.unparse(one.func) == "HomeError"]
    names = {name.id for one in raised for at in one.args[1:2] for name in ast.walk(at) if isinstance(name, ast.Name)}
    meant = [
        one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) and one.targets[0].id in names
    ]
    found = [piece for one in meant if not isinstance(one, ast.JoinedStr) for piece in ast.walk(one)]
    return [
        one
        for one in found
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and _SENTENCE.fullmatch(one.value)
    ]
