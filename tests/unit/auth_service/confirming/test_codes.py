"""Confirmation codes: their form, and how forgivingly they are read."""

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from auth_service.confirming import codes


def test_code_has_its_form_and_more_than_twenty_bits() -> None:
    assert re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", codes.new())
    assert 8 * math.log2(len(codes.ALPHABET)) > 39


def test_codes_differ() -> None:
    assert len({codes.new() for _ in range(100)}) == 100


def test_alphabet_has_no_look_alikes() -> None:
    assert not set("01OILU") & set(codes.ALPHABET)


@given(st.text(codes.ALPHABET, min_size=8, max_size=8), st.sampled_from(["", "-", " ", " - ", "–", "\u00a0", "\u2011"]))
def test_code_is_read_in_any_case_with_any_dash_or_space(letters: str, dash: str) -> None:
    meant = f"{letters[:4]}-{letters[4:]}"
    assert codes.read(letters[:4] + dash + letters[4:]) == meant
    assert codes.read(f"  {letters.lower()[:4]}{dash}{letters.lower()[4:]}\r\n") == meant


@given(st.text(max_size=40))
def test_anything_read_is_a_code_or_nothing(typed: str) -> None:
    code = codes.read(typed)
    assert code is None or codes.read(code) == code


def test_what_cannot_be_a_code_is_nothing() -> None:
    for typed in ("", "ABCD-EFG", "ABCD-EFGHJ", "ABCD-EFG0", "ABCD_EFGH", "ÀBCD-EFGH"):
        assert codes.read(typed) is None
