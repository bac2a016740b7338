"""How far versions lie apart."""

import pytest

from shared.words import versions
from shared.words.version import VERSION


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("0.1.0", "0.1.0", 0),
        ("0.1.7", "0.1.0", 0),
        ("0.1.0+deb12", "0.2.0+deb13", -1),
        ("0.3", "0.1.9", 2),
        ("1.0.0", "0.9.0", 2),
        ("0.9.0", "1.0.0", -2),
        ("0.10.0", "0.9.0", 1),
        ("new", "0.1.0", None),
        ("0.1.0", "", None),
    ],
)
def test_versions_are_counted_by_their_second_number(one: str, other: str, apart: int | None) -> None:
    assert versions.apart(one, other) == apart


def test_ours_is_one() -> None:
    assert versions.numbers(VERSION) is not None
