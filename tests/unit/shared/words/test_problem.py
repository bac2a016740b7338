"""The catalogue of problems: each a sentence, an HTTP status, and what to do next."""

import http

import pytest

from shared.words.problem import CATALOGUE, HomeError


@pytest.mark.parametrize("slug", CATALOGUE)
def test_every_problem_says_what_and_what_next(slug: str) -> None:
    entry = CATALOGUE[slug]
    assert slug == slug.lower()
    assert slug.replace("-", "").isalpha()
    assert 400 <= http.HTTPStatus(entry.status).value < 600
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.advice.endswith(".")


def test_titles_tell_problems_apart() -> None:
    titles = [entry.title for entry in CATALOGUE.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("slug", "status"),
    [
        ("confirmation-required", 409),
        ("interlocked", 409),
        ("locked-out", 409),
        ("id-reused", 409),
        ("unstamped", 409),
        ("room-offline", 503),
        ("broker-unreachable", 503),
        ("no-proof", 503),
        ("expired", 504),
        ("unknown", 504),
        ("rate-limited", 429),
        ("sign-in-failed", 401),
        ("not-found", 404),
    ],
)
def test_statuses_are_those_of_the_contract(slug: str, status: int) -> None:
    assert CATALOGUE[slug].status == status


def test_a_document_is_an_rfc_9457_problem() -> None:
    error = HomeError("room-offline", "The hall is away.", room="hall", retry_after=3)
    assert error.document("urn:request:1") == {
        "type": "/problems/room-offline",
        "title": "The room is offline",
        "status": 503,
        "detail": "The hall is away.",
        "instance": "urn:request:1",
        "room": "hall",
        "retry_after": 3,
    }
    assert HomeError("unknown").detail == CATALOGUE["unknown"].advice


def test_a_slug_outside_the_catalogue_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        HomeError("no-such-slug")
