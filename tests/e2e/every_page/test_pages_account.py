"""Nothing is wrong with what one sees and changes of one's own."""

import pytest

from tests.e2e.every_page.conftest import Wrong
from tests.visits import account
from tests.visits.visit import Phase

pytestmark = pytest.mark.long


@pytest.mark.parametrize("phase", account.PHASES, ids=lambda phase: phase.name)
def test_nothing_is_wrong_with_any_page(wrong: Wrong, phase: Phase) -> None:
    found = wrong(phase)
    assert not found, "\n".join(found)
