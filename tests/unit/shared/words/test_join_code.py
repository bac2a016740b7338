"""The code for a phone: as it is shown, however it is typed."""

import pytest

from shared.words import join_code


def test_each_is_another_one_of_letters_that_cannot_be_mistaken() -> None:
    codes = {join_code.fresh() for _ in range(1000)}
    assert len(codes) == 1000
    assert all(join_code.is_one(code) for code in codes)
    assert not {"i", "l", "o"} & set("".join(codes))


def test_it_is_understood_however_it_is_typed() -> None:
    code = join_code.fresh()
    for typed in (code, join_code.shown(code), f" {code.upper()} ", code.capitalize(), f"{code[:6]}-{code[6:]}"):
        assert join_code.typed(typed) == code
    assert join_code.shown("abcdefghjkmn") == "abcd efgh jkmn"


@pytest.mark.parametrize(
    "text", ["", "abcdefghjkm", "abcdefghjkmnp", "abcdefghjklo", "0" * 32, "abcdefghjkm1", "äbcdefghjkmn"]
)
def test_what_is_none(text: str) -> None:
    assert not join_code.is_one(join_code.typed(text))
