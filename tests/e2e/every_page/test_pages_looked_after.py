"""Nothing is wrong with what a master user looks after, nor with how everybody arranges theirs."""

import pytest

from tests.e2e.every_page.conftest import Wrong
from tests.visits import looked_after
from tests.visits.visit import Phase

pytestmark = pytest.mark.long


@pytest.mark.parametrize("phase", looked_after.PHASES, ids=lambda phase: phase.name)
def test_nothing_is_wrong_with_any_page(wrong: Wrong, phase: Phase) -> None:
    found = wrong(phase)
    assert not found, "\n".join(found)
