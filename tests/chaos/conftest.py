"""A home of its own for what breaks things, with limits out of the way."""

from collections.abc import Iterator

import pytest

from tests.demo import Demo

LIMITS = ("login_code", "login_code_account", "login", "commands", "reads", "default")


@pytest.fixture(scope="module")
def chaos_home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A running demo home; whoever breaks it leaves it whole. A module that says `COLD = True` gets one whose processes
    begin as people's do, and come back so.
    """
    made = Demo(tmp_path_factory.mktemp("chaos"), warm=not getattr(request.module, "COLD", False))
    assert made.command("init", "--demo").returncode == 0
    made.lift_limits(*LIMITS)
    made.start()
    yield made
    made.stop()
