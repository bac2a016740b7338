"""E-mail addresses: what every mail server carries is taken, and what to write instead is said of the rest."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.words import addresses


@pytest.mark.parametrize(
    "address", ["ada@example.org", "a.b+c@mail.example.org", "home@localhost", "a@xn--mller-kva.de"]
)
def test_ordinary_addresses_are_taken(address: str) -> None:
    assert addresses.fault(address) is None


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "@example.org", "a b@c", "a@b\nBcc: c@d", "a@b..c", "a" * 65 + "@b"]
)
def test_another_form_is_named_as_such(address: str) -> None:
    assert addresses.fault(address) == "The e-mail address is not of the form name@example.org."


def test_a_foreign_domain_is_told_as_it_is_written_in_ascii() -> None:
    assert str(addresses.fault("ada@m\u00fcller.de")).endswith("; write ada@xn--mller-kva.de.")


@pytest.mark.parametrize(
    "address", ["j\u00f6rg@example.org", "\u00e4", "a@" + "\u00fc" * 70 + ".org", "a@\u3002", "ada@stra\u00dfe.de"]
)
def test_what_has_no_form_in_ascii_needs_another_address(address: str) -> None:
    assert str(addresses.fault(address)).endswith("; use an address without.")


@settings(deadline=None)
@given(st.text(max_size=40))
def test_what_is_taken_can_stand_in_a_header(text: str) -> None:
    if addresses.fault(text) is None:
        assert text.isascii()
        assert text.isprintable()
        assert " " not in text
