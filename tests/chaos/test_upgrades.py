"""An upgrade that is killed, wherever: the next try, or the machine when it starts, finishes it or goes back.

At some moments that are spread over it; at each of them with HOMESYSTEM_KILL_EVERYWHERE=1, which takes ten minutes.
"""

import signal
from pathlib import Path

import pytest

from tests import killed, upgraded_world
from tests.upgraded_world import World, check_former, check_newer, run


def at(monkeypatch: pytest.MonkeyPatch, folder: Path, flaw: str) -> World:
    """A machine whose programs come first from now on."""
    world = upgraded_world.made(folder, *filter(None, [flaw]))
    monkeypatch.setenv("PATH", upgraded_world.path(world))
    return world


@pytest.mark.parametrize("when", ["before", "amid"])
@pytest.mark.parametrize("flaw", ["", "faulty", "breaks"])
def test_killed_at_any_program_it_is_finished_when_the_machine_starts_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flaw: str, when: str
) -> None:
    world = at(monkeypatch, tmp_path / "whole", flaw)
    run(world)
    calls, cut = world.read("calls").splitlines(), 0
    halves = [number for number, call in enumerate(calls, 1) if call.startswith(("apt-get ", "dpkg "))]
    numbers = halves if when == "amid" else killed.moments(len(calls))
    for number in numbers:
        place = tmp_path / f"at-{number}"
        one = at(monkeypatch, place, flaw)
        one.dies(number, when)
        code, _ = killed.at_write(lambda one=one: run(one), place / "nowhere", 0)  # type: ignore[misc]
        if code != -signal.SIGKILL:
            continue  # that one does nothing by halves
        cut += 1
        begun = (one.place.state / "step.json").exists()
        one.boot()
        run(one, None, finish=True)
        if not begun and one.read("version") == "1":
            run(one)  # nothing had begun: it is asked for once more
        (check_former if flaw else check_newer)(one)
        assert len(one.read("told").splitlines()) == 1
    assert cut >= (1 if when == "amid" else len(numbers) - 2)


@pytest.mark.parametrize("flaw", ["", "faulty"])
def test_killed_at_any_write_it_is_finished_by_a_second_try(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flaw: str
) -> None:
    world = at(monkeypatch, tmp_path / "whole", flaw)
    _, total = killed.at_write(lambda: run(world), world.folder, 0)
    assert total > 20
    for number in killed.moments(total):
        place = tmp_path / f"at-{number}"
        one = at(monkeypatch, place, flaw)
        code, _ = killed.at_write(lambda one=one: run(one), place, number)  # type: ignore[misc]
        assert code == -signal.SIGKILL
        run(one)
        if flaw and (one.place.state / "last.json").exists() and one.read("version") == "1":
            check_former(one)
        else:
            check_newer(one)
