"""Which addresses only who is at home has."""

import pytest

from auth_service.signing_in.networks import is_home


@pytest.mark.parametrize(
    "address",
    [
        "192.168.1.7",
        "10.1.2.3",
        "172.31.0.1",
        "127.0.0.1",
        "::1",
        "fd12::1",
        "fe80::1%eth0",
        "169.254.1.1",
        "::ffff:10.0.0.1",
    ],
)
def test_a_private_address_is_at_home(address: str) -> None:
    assert is_home(address)


@pytest.mark.parametrize(
    "address",
    ["", "nonsense", "0.0.0.0", "::", "192.0.2.7", "172.32.0.1", "2001:db8:1::7", "::ffff:192.0.2.7"],
)
def test_any_other_is_not(address: str) -> None:
    assert not is_home(address)


def test_a_home_may_name_networks_of_its_own() -> None:
    own = ("2001:db8:1::/48", "192.0.2.0/24")
    assert is_home("2001:db8:1::7", own)
    assert is_home("192.0.2.7", own)
    assert not is_home("2001:db8:2::7", own)
