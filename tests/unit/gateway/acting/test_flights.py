"""The wishes under way: each is settled once, and what is remembered of the settled ones has a bound."""

import pytest

from gateway.acting import flights
from gateway.acting.flights import Flight, Flights
from gateway.acting.verdicts import Verdict
from gateway.acting.wish import Wish
from gateway.picture.devices import device_of
from shared.words.messages import UserRef
from shared.words.names import Action, Outcome
from tests.unit.gateway.parts import LAMP, registered

EXECUTED = Verdict(outcome=Outcome.EXECUTED)
UNKNOWN = Verdict(outcome=Outcome.UNKNOWN, slug="unknown", reason="no-answer")


def wish(id_: str) -> Wish:
    return Wish(
        id=id_,
        user=UserRef(id="u-ada", name="Ada"),
        device=device_of("hall", registered(LAMP), LAMP),
        action=Action.ON,
        value=None,
        origin="192.0.2.7",
        issued_at=0.0,
    )


class Book:
    """Flights, and what was said of each as it was settled."""

    def __init__(self) -> None:
        self.flights = Flights()
        self.told: list[tuple[str, Verdict]] = []

    def fly(self, id_: str) -> Flight:
        flight = self.flights.begin(wish(id_), lambda one, verdict: self.told.append((one.wish.id, verdict)))
        flight.sent = True
        return flight


def test_the_first_verdict_stands_and_is_told_once() -> None:
    book = Book()
    flight = book.fly("a")
    assert book.flights.settle(flight, EXECUTED)
    assert not book.flights.settle(flight, UNKNOWN)
    assert flight.verdict == EXECUTED
    assert book.told == [("a", EXECUTED)]
    assert book.flights.answer("a") == EXECUTED


def test_an_unknown_end_is_no_answer_and_not_nothing() -> None:
    book = Book()
    book.flights.settle(book.fly("a"), UNKNOWN)
    assert book.flights.answer("a") is None
    assert book.flights.begun("a")
    assert not book.flights.begun("b")


def test_the_oldest_of_too_many_settled_ids_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights, "_REMEMBERED", 2)
    book = Book()
    for id_ in ("a", "b", "c"):
        book.flights.settle(book.fly(id_), EXECUTED)
    assert [book.flights.answer(id_) for id_ in ("a", "b", "c")] == [None, EXECUTED, EXECUTED]
