"""What a new password may be."""

import pytest

from auth_service import password_policy
from shared.problem import HomeError


def refused(password: str) -> bool:
    """Whether the policy refuses it for Ada of Rosebud Cottage."""
    try:
        password_policy.check(
            password, email="ada.byron@example.org", name="Ada Lovelace", home_words=("Rosebud Cottage",)
        )
    except HomeError as error:
        return error.slug == "invalid-value"
    return False


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "1234567",
        "password",
        "Password1!",
        "P4ssw0rd2026",
        "p@$$w0rd",
        "passwordpassword",
        "qwertyuiop",
        "asdfghjkl",
        "12345678",
        "9876543210",
        "abcdefgh",
        "aaaaaaaaaa",
        "abababab",
        "31.12.1999",
        "letmein123",
        "Homesystem1",
        "Lovelace1815",
        "byron-1788",
        "rosebud!!!",
        "x" * 1025,
        "half a pair \ud800",
    ],
)
def test_poor_password_is_refused(password: str) -> None:
    assert refused(password)


@pytest.mark.parametrize(
    "password",
    [
        "violet engine of numbers",
        "correct horse battery staple",
        "kitchen lamps at midnight",
        "tr0ub4dor&3x",
        "Zwölf Boxkämpfer jagen",
        "a9#kQ2!z",
        "🙂" * 3 + "ship of Theseus",
        "z y" * 341,
    ],
)
def test_good_password_is_taken_whatever_it_is_made_of(password: str) -> None:
    assert not refused(password)


def test_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(HomeError) as refusal:
        password_policy.check("Lovelace1815", email="a@b", name="Ada Lovelace")
    assert "1815" not in str(refusal.value)
