"""Second volume of the stories in story.py."""

import pytest

from tests.unit.device_agents.story import told

pytestmark = [pytest.mark.timeout(1200), pytest.mark.long]

TestStory = told(2)
