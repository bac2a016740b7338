"""Every page of the gateway in each state that people meet, for `python -m tests.pictures`; tests/e2e/every_page looks
at each part in a file of its own.

A page that is on the route table and in no visit fails tests/unit/test_visits.py.
"""

from collections.abc import Mapping
from typing import Final

from tests.visits import account, at_home, looked_after, unusual

PHASES: Final = (*at_home.PHASES, *looked_after.PHASES, *account.PHASES, *unusual.PHASES)
UNVISITED: Final[Mapping[str, str]] = {}
"""Pages of the route table that nobody looks at, and why."""
