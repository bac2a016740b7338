"""Time zones: the machine's own on each kind of Debian, and what a typing error was probably meant to be."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.founding import zones


def etc(folder: Path, *, link: str | None = None, name: str | None = None) -> Path:
    if link is not None:
        (folder / "localtime").symlink_to(link)
    if name is not None:
        (folder / "timezone").write_text(f"{name}\n")
    return folder


def test_debian_13_keeps_the_zone_in_a_link_alone(tmp_path: Path) -> None:
    assert zones.of_machine(etc(tmp_path, link="/usr/share/zoneinfo/Europe/Berlin")) == "Europe/Berlin"


@pytest.mark.parametrize("link", ["../usr/share/zoneinfo/Asia/Kolkata", "/usr/share/zoneinfo/posix/Asia/Kolkata"])
def test_the_link_may_be_relative_or_lead_through_posix(tmp_path: Path, link: str) -> None:
    assert zones.of_machine(etc(tmp_path, link=link)) == "Asia/Kolkata"


def test_the_link_counts_before_a_name_that_was_left_behind(tmp_path: Path) -> None:
    made = etc(tmp_path, link="/usr/share/zoneinfo/Europe/Paris", name="Europe/Berlin")
    assert zones.of_machine(made) == "Europe/Paris"


def test_a_copied_file_leaves_the_name(tmp_path: Path) -> None:
    (tmp_path / "localtime").write_bytes(b"TZif2")
    assert zones.of_machine(etc(tmp_path, name="Europe/Berlin")) == "Europe/Berlin"


@pytest.mark.parametrize("name", [None, "localtime", "Mars/Olympus", ""])
def test_without_a_zone_it_is_utc(tmp_path: Path, name: str | None) -> None:
    assert zones.of_machine(etc(tmp_path, name=name)) == "UTC"


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe/berlin ", "Europe/Berlin"),
        ("america/new york", "America/New_York"),
    ],
)
def test_case_and_blanks_do_not_matter(typed: str, zone: str) -> None:
    assert zones.named(typed) == zone


@pytest.mark.parametrize(
    ("typed", "first"),
    [("Berlin", "Europe/Berlin"), ("Europe/Berln", "Europe/Berlin"), ("New York", "America/New_York"), ("Wien", None)],
)
def test_the_nearest_comes_first(typed: str, first: str | None) -> None:
    assert zones.named(typed) is None
    if first is not None:
        assert zones.nearest(typed)[0] == first


def test_localtime_is_no_answer() -> None:
    assert zones.named("localtime") is None
    assert "localtime" not in zones.nearest("localtime")


@settings(deadline=None)
@given(st.text(max_size=30))
def test_whatever_is_typed_only_zones_are_offered(text: str) -> None:
    assert set(zones.nearest(text)) <= zones.known()
