"""Nothing is wrong with pages while the home is not as usual: something is away or waited for, or it is locked down."""

import pytest

from tests.e2e.every_page.conftest import Wrong
from tests.visits import unusual
from tests.visits.visit import Phase

pytestmark = pytest.mark.long


@pytest.mark.parametrize("phase", unusual.PHASES, ids=lambda phase: phase.name)
def test_nothing_is_wrong_with_any_page(wrong: Wrong, phase: Phase) -> None:
    found = wrong(phase)
    assert not found, "\n".join(found)
