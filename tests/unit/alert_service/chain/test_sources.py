"""Who is believed about people."""

import pytest

from alert_service.chain import sources


@pytest.mark.parametrize(
    ("source", "believed"),
    [
        ("gateway", True),
        ("gateway-7", True),
        ("auth", True),
        ("admin", True),
        ("alerts", True),
        ("hall", False),
        ("gateway-x", False),
    ],
)
def test_only_the_hub_is_believed_about_people(source: str, *, believed: bool) -> None:
    assert sources.is_trusted(source) is believed


def test_the_signer_is_of_the_hub_and_believed() -> None:
    assert sources.is_trusted("signer")
