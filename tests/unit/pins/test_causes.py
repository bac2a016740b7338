"""What the day on a kernel counts: an edge too many, a late one, a repeated one, and one that never came."""

import pytest

from tests.pins.inside.causes import Cause, explained
from tests.pins.inside.tape import Edge

LAMP = 17
ON = Edge(at=2.0, pin=LAMP, level=1)


def told(**differently: object) -> Cause:
    return Cause(**{"what": "on", "pin": LAMP, "level": 1, "since": 1.0, "until": 3.0, "must": True} | differently)  # type: ignore[arg-type]  # by name


def test_an_edge_with_its_cause_is_explained() -> None:
    assert explained([ON], [told()]) == ([], [])


@pytest.mark.parametrize("other", [{"pin": 4}, {"level": 0}, {"since": 2.5}, {"until": 1.5}])
def test_another_line_another_level_and_another_time_explain_nothing(other: dict[str, object]) -> None:
    cause = told(**other)
    assert explained([ON], [cause]) == ([ON], [cause])


def test_one_command_explains_one_edge() -> None:
    again = ON._replace(at=2.5)
    assert explained([ON, again], [told()]) == ([again], [])


def test_what_had_to_move_and_did_not_is_missing() -> None:
    cause = told()
    assert explained([], [cause, told(must=False)]) == ([], [cause])


def test_what_must_have_moved_comes_before_what_may_have() -> None:
    assert explained([ON], [told(must=False, until=2.1), told()]) == ([], [])
