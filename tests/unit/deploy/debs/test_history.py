"""CHANGELOG.md as a package's changelog."""

import datetime as dt
import re
from pathlib import Path

from deploy.debs import history

ROOT = Path(__file__).resolve().parents[4]
TEXT = """# Changelog

About it.

## [Unreleased]

### Added

- One thing, told over
  two lines ([a page](docs/a.md)).
- Another, with `code`.

### Fixed

- A fault.

## [0.1.0] - 2026-03-04

### Added

- The beginning.
"""


def test_each_version_has_its_changes_as_one_line_each() -> None:
    assert history.read(TEXT) == [
        history.Version(
            "Unreleased",
            None,
            ("Added: One thing, told over two lines (a page).", "Added: Another, with code.", "Fixed: A fault."),
        ),
        history.Version("0.1.0", dt.date(2026, 3, 4), ("Added: The beginning.",)),
    ]


def test_ours_can_be_read_whole() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = history.read(text)
    bullets = sum(line.startswith("- ") for line in text.splitlines())
    assert sum(len(one.changes) for one in versions) == bullets > 100
    assert versions[0].number == history.UNRELEASED


def test_ours_has_no_word_twice_in_a_row() -> None:
    """Lintian warns of it, and a package of which it warns is none."""
    changes = (change for one in history.read((ROOT / "CHANGELOG.md").read_text()) for change in one.changes)
    assert [found[0] for change in changes for found in re.finditer(r"\b([a-z]+) \1\b", change)] == []


def test_a_stanza_is_as_dpkg_wants_it() -> None:
    said = history.stanza(
        "home-system", "1.0+deb12", "bookworm", ("Added: " + "word " * 40, "Fixed: it."), "Me <m@x>  now"
    )
    first, *body, last = said.rstrip("\n").split("\n")
    assert first == "home-system (1.0+deb12) bookworm; urgency=medium"
    assert last == " -- Me <m@x>  now"
    assert all(len(line) <= 80 for line in body)
    assert [line[:4] for line in body if line.startswith("  *")] == ["  * ", "  * "]
