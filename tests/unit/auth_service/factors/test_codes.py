"""What an authenticator app shows and what a recovery code looks like: read as typed, and only those."""

import re

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.factors import recovery, totp
from auth_service.people.passwords import Passwords

NOW = 1_790_000_010.0
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""Of RFC 6238, appendix B, in base 32."""


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert totp.step_of(SECRET, code, at) == at // 30


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_clock_may_be_half_a_minute_off(off: int) -> None:
    code = pyotp.TOTP(SECRET).at(int(NOW) + 30 * off)
    assert totp.step_of(SECRET, f" {code[:3]} {code[3:]} ", NOW) == int(NOW) // 30 + off


@pytest.mark.parametrize("off", [-2, 2, 60])
def test_a_code_of_another_time_is_none(off: int) -> None:
    assert totp.step_of(SECRET, pyotp.TOTP(SECRET).at(int(NOW) + 30 * off), NOW) is None


@given(st.text(max_size=12).filter(lambda text: not re.fullmatch(r"\d{6}", re.sub(r"\s", "", text), re.ASCII)))
def test_what_is_not_six_digits_is_none_and_raises_nothing(typed: str) -> None:
    assert totp.step_of(SECRET, typed, NOW) is None


def test_digits_of_other_scripts_are_none() -> None:
    code = pyotp.TOTP(SECRET).at(int(NOW))
    assert totp.step_of(SECRET, "".join(chr(ord("٠") + int(digit)) for digit in code), NOW) is None


def test_each_factor_has_a_secret_of_its_own_that_the_pepper_alone_makes(passwords: Passwords) -> None:
    other = Passwords(b"another pepper", rounds=4)
    try:
        made = {
            totp.secret(kept, user, factor) for kept in (passwords, other) for user in ("u1", "u2") for factor in "ab"
        }
    finally:
        other.close()
    assert len(made) == 8
    assert all(re.fullmatch(r"[A-Z2-7]{32}", one) for one in made)
    assert totp.secret(passwords, "u1", "a") == totp.secret(passwords, "u1", "a")


def test_the_apps_address_names_the_account() -> None:
    address = totp.address(SECRET, "ada+home@example.org")
    assert address.startswith("otpauth://totp/Home%20System:ada%2Bhome%40example.org?secret=" + SECRET)
    assert address.isascii()


def test_ten_recovery_codes_are_read_however_they_are_typed() -> None:
    codes = recovery.new()
    assert len(set(codes)) == recovery.COUNT
    for code in codes:
        assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", code)
        assert recovery.read(f" {code.lower().replace('-', ' ')} ") == code
        assert recovery.read(code[:-1]) is None
    assert recovery.read("ABCD-2345") is None, "a mailed code is none"
