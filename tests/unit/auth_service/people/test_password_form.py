"""What looks the same is the same password, and what was hashed before there was one form goes on fitting."""

import unicodedata
from collections.abc import Callable
from functools import partial

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.people.password_form import canonical, forms
from auth_service.people.passwords import Passwords

NFC, NFD = partial(unicodedata.normalize, "NFC"), partial(unicodedata.normalize, "NFD")
NFKC, NFKD = partial(unicodedata.normalize, "NFKC"), partial(unicodedata.normalize, "NFKD")
ALIKE = [
    ("café au lait noir", "cafe\u0301 au lait noir"),
    ("Ångström lattice", "\u212bngstro\u0308m lattice"),
    ("two words here", "two\u00a0words here"),
    ("ｗｉｄｅ keyboard", "wide keyboard"),
    ("red ❤️ house key", "red ❤ house key"),
    ("soft hyphen ship", "soft hy\u00adphen ship"),
    ("ﬁfth of five", "fifth of five"),
]


@pytest.mark.parametrize(("once", "again"), ALIKE)
async def test_what_looks_the_same_is_the_same(passwords: Passwords, once: str, again: str) -> None:
    assert once != again
    for first, second in ((once, again), (again, once)):
        assert await passwords.verify(second, await passwords.hash(first))


@pytest.mark.parametrize("form", ["NFC", "NFD", "typed"])
async def test_a_hash_from_before_fits_however_it_is_typed_now(passwords: Passwords, form: str) -> None:
    typed = "Zwo\u0308lf Boxkämpfer"
    then = {"typed": typed, "NFC": NFC(typed), "NFD": NFD(typed)}[form]
    stored = bcrypt.hashpw(passwords._prehash(then), bcrypt.gensalt(4)).decode()
    assert await passwords.verify(then, stored)
    if form != "typed":
        for now in (NFC, NFD):
            assert await passwords.verify(now(typed), stored)
    assert not await passwords.verify("Zwolf Boxkampfer", stored)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_the_form_is_stable_and_plain_text_has_one(password: str) -> None:
    assert canonical(canonical(password)) == canonical(password)
    assert forms(password)[0] == canonical(password)
    if password.isascii():
        assert forms(password) == (password,)


@given(st.text(), st.sampled_from([NFC, NFD, NFKC, NFKD]))
def test_every_normal_form_is_the_same_password(password: str, form: Callable[[str], str]) -> None:
    assert canonical(form(password)) == canonical(password)
