"""docs/standards.md: each row says how it stands, and what is said to be shown is shown by a test that is there."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.words.names import Kind

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "standards.md"
STANDINGS = ("met", "partly", "not met", "not applicable")
ROWS = 65
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


class Row(NamedTuple):
    """One line of the tables."""

    number: str
    asks: str
    stands: str
    shown: str


def rows() -> list[Row]:
    """All of them."""
    lines = [line for line in GUIDE.read_text().splitlines() if re.match(r"\| [0-9]", line)]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines]


@cache
def named_in(path: Path) -> frozenset[str]:
    """The tests of a file, by name, as Python reads it."""
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.number)
def test_every_row_says_how_it_stands_and_by_what(row: Row) -> None:
    assert row.stands in STANDINGS
    named = TEST.findall(row.shown)
    assert row.shown.count("::") == len(named), "what is meant as a test reads as one"
    if row.stands == "met":
        assert named, "what no test shows is not met"
    else:
        assert TEST.sub("", row.shown).strip(" ,"), "it says what is missing, or why"
    for path, name in named:
        assert name in named_in(ROOT / path), f"{path} has no {name}"


def test_the_whole_of_it_is_there_and_counted_right() -> None:
    found = rows()
    assert len(found) == len({row.number for row in found}) == ROWS
    counts = Counter(row.stands for row in found)
    told = f"Met: {counts['met']} · " + " · ".join(f"{name}: {counts[name]}" for name in STANDINGS[1:]) + "."
    assert told in GUIDE.read_text()


def test_the_policy_says_whom_to_tell_and_when_an_answer_comes() -> None:
    policy = " ".join((ROOT / "SECURITY.md").read_text().split())
    assert "private vulnerability report" in policy
    assert "acknowledgement within three days and a first assessment within ten" in policy
    assert "docs/standards.md" in policy


def test_no_script_keeps_anything_in_the_browser() -> None:
    """But for the moment since which the home cannot be reached."""
    scripts = [*ROOT.glob("gateway/static/*.js")]
    assert len(scripts) > 5
    moment = re.compile(r"sessionStorage\.\w+\((UNREACHED\b|\"unreached-since\")")
    storage = re.compile(r"localStorage|sessionStorage|indexedDB|document\.cookie")
    assert [path.name for path in scripts if storage.search(moment.sub("", path.read_text()))] == []


def test_nobody_is_told_of_a_level_that_nobody_looked_at() -> None:
    texts = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("gateway/templates/*.html")]
    assert len(texts) > 50
    claims = re.compile(r"\bAAL[123]\b|\b(NIST|ETSI|ASVS)[- ](compliant|certified)", re.IGNORECASE)
    assert [str(path) for path in texts if claims.search(path.read_text())] == []


def test_of_every_kind_it_is_written_down_what_it_tells_of_the_people_at_home() -> None:
    _, found, section = (
        (ROOT / "docs" / "sensors.md").read_text().partition("## What a device tells of the people at home")
    )
    assert found
    told = [line.split("|")[1:4] for line in section.splitlines() if line.startswith("| `")]
    assert {kind for kinds, _, _ in told for kind in re.findall(r"`(\w+)`", kinds)} == set(Kind)
    assert all(kept.strip() and tells.strip() for _, kept, tells in told)
