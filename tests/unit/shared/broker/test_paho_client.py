"""What goes with every message to the broker."""

import pytest

from shared.broker import paho_client


@pytest.mark.parametrize(("asked", "whole"), [(0.0, 1), (0.2, 1), (1.0, 1), (4.2, 5), (75.0, 75)])
def test_an_expiry_never_becomes_the_0_that_the_broker_takes_for_never(asked: float, whole: int) -> None:
    properties = paho_client.publish_properties(asked)
    assert properties is not None
    assert properties.json()["MessageExpiryInterval"] == whole  # type: ignore[no-untyped-call]  # paho leaves it untyped


def test_what_does_not_expire_says_nothing_of_it() -> None:
    assert paho_client.publish_properties(None) is None
