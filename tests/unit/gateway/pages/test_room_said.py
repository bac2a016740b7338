"""What rooms say of their files, in the page's language: every sentence that the agent's code has is known here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pages import room_said, speaking
from gateway.pages.recognizing import Sentences
from shared.words.languages import tongue

AGENT = Path(__file__).resolve().parents[4] / "device_agents"
COMPLAINING = ("complaints.py", "pins/board.py", "pins/gpiod.py", "pins/names.py", "pins/rpi.py")
ANSWERING = ("own_file/checking.py", "own_file/shelf.py", "own_file/text.py", "own_file/trying.py")
OF_THE_REST = re.compile(r"(room|broker\.identity|sim_dir|watchdog_seconds|chip|X\[X\]|devices\[X\]\.X|X): ")
"""What is no device's, and no page sets."""


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    before = speaking.now()
    speaking.speak(tongue("de"))
    yield
    speaking.speak(before)


def texts(node: ast.AST | None) -> Iterator[str]:
    """What an expression may say, each value of it as "X"."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in parts)
        case ast.IfExp(body=yes, orelse=no):
            yield from (*texts(yes), *texts(no))
        case ast.Tuple(elts=[*_, last]):
            yield from texts(last)


def complained() -> set[str]:
    """The sentences that these modules yield, or give back beside a setting's name."""
    found = set()
    for name in COMPLAINING:
        for node in ast.walk(ast.parse((AGENT / name).read_text())):
            if isinstance(node, ast.Yield) or (isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)):
                found |= set(texts(node.value))
    bare = {text.removeprefix("devices: ") for text in found}
    return {text for text in bare if text != "X" and not OF_THE_REST.match(text)}


def answered() -> set[str]:
    """The sentences that end as such: what became of a change, and what a hand alone may do."""
    found = set()
    for name in ANSWERING:
        tree = ast.parse((AGENT / name).read_text())
        by_hand = {
            n.targets[0].id: n.value
            for n in tree.body
            if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
        }
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings, to people
        for node in ast.walk(tree):
            if id(node) in told:
                continue
            if isinstance(node, ast.JoinedStr):
                filled = [
                    by_hand.get(p.value.id)
                    if isinstance(p, ast.FormattedValue) and isinstance(p.value, ast.Name)
                    else p
                    for p in node.values
                ]
                found.add("".join(str(p.value) if isinstance(p, ast.Constant) else "X" for p in filled))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return {
        text for text in found if re.fullmatch(r"[A-Z]\S* [^\n]{12,}\.", text) and not text.startswith("Only a hand")
    }


def test_every_complaint_is_known() -> None:
    found = complained()
    assert len(found) > 40
    assert sorted(text for text in found if room_said.told(text) == text) == []


def test_every_answer_is_known() -> None:
    found = answered()
    assert len(found) > 9
    assert sorted(text for text in found if room_said.told(text) == text) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "pin 5 is used by a and b; every device needs pins of its own",
            "Pin 5 haben a and b; jedes Gerät braucht seine eigenen Pins",
        ),
        (
            "/dev/gpiochip0: there is no line 99 (fan); the chip has 0 to 31",
            "/dev/gpiochip0: Leitung 99 (fan) gibt es nicht; der Chip hat 0 bis 31",
        ),
        ("Expected `float` >= 16.0", "Verlangt ist `float` >= 16.0"),
        ("Expected `float`, got `str`", "Verlangt ist `float`, und da steht `str`"),
        ("something that a newer room says", "something that a newer room says"),
    ],
)
def test_what_is_said(text: str, told: str) -> None:
    assert room_said.told(text) == told


def test_gaps_are_filled_by_the_words_around_them() -> None:
    speaking.speak(tongue("en"))
    known = Sentences(("{a} of {b}", "{a} of {b} here", "all", "no {a}"))
    for text in ("x of y", "x of y of z here", "all", "no x"):
        assert known.said(text) == text
    for text in ("", "of", " of ", "x of ", " of y", "no ", "allx"):
        assert known.said(text) is None, text


def test_a_room_that_says_the_same_words_for_ever_costs_nothing() -> None:
    speaking.speak(tongue("en"))
    known = Sentences(("the {a} of {b} is {c} by {d}; end",))
    assert known.said("the " + " of  is  by " * 4000) is None
