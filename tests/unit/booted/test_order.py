"""Which phases are taken, and which cannot be tried."""

import pytest

from tests.booted.phases.order import PACKAGED, STEPS, Step, chosen, unmet


@pytest.mark.parametrize("steps", [STEPS, PACKAGED], ids=["checkout", "packages"])
def test_what_a_step_needs_comes_before_it(steps: tuple[Step, ...]) -> None:
    before: set[str] = set()
    for step in steps:
        assert unmet(step, before) == "", step.name
        before.add(step.name)


def test_the_short_run_has_all_that_its_steps_need() -> None:
    short = [step.name for step in chosen(None, short=True)]
    assert all(unmet(step, short) == "" for step in chosen(None, short=True))
    assert len(short) < len(chosen(None, short=False)) == len(STEPS)


def test_a_named_step_comes_with_what_it_needs_and_no_more() -> None:
    assert [step.name for step in chosen(["command"], short=False)] == [
        *("install", "init", "units", "sign in", "enrol", "command")
    ]


def test_after_the_newest_debian_there_is_no_next() -> None:
    assert [step.name for step in PACKAGED if step not in chosen(None, steps=PACKAGED, newest=True)] == ["next Debian"]
    assert chosen(None, steps=PACKAGED) == list(PACKAGED)


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(KeyError):
        chosen(["party"], short=False)


def test_after_a_failure_it_is_said_what_is_missing() -> None:
    step = next(step for step in STEPS if step.name == "command")
    assert unmet(step, {"install"}) == "enrol"
