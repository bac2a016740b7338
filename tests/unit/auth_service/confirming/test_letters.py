"""The letter with a code."""

import msgspec

from auth_service.confirming.letters import (
    code_letter,
    farewell_letter,
    lockdown_letter,
    masked,
    new_email_letter,
    old_email_letter,
    taken_email_letter,
)
from shared.words.internal import User
from shared.words.languages import tongue
from shared.words.names import Role
from tests.unit.auth_service.parts import code_in

ADA = User(id="u1", name="Ada", email="a@b", role=Role.MASTER)


def test_letter_holds_the_code_alone_on_its_line_and_who_asked() -> None:
    letter = code_letter(to=ADA, tongue=tongue(), code="ABCD-2345", address="192.0.2.7", message_id="1")
    assert letter.to == "a@b"
    assert "Home System code" in letter.subject
    assert "ABCD" not in letter.subject
    assert code_in(letter.text) == "ABCD-2345"
    assert "192.0.2.7" in letter.text
    assert "10 minutes" in letter.text
    assert "If it was not you" in letter.text
    assert letter.html is not None
    assert "ABCD-2345" in letter.html


def test_name_and_address_cannot_write_html() -> None:
    letter = code_letter(
        to=msgspec.structs.replace(ADA, name="<b>Ada</b>"),
        tongue=tongue(),
        code="ABCD-2345",
        address="<i>x</i>",
        message_id="1",
    )
    assert letter.html is not None
    assert "<b>" not in letter.html
    assert "<i>" not in letter.html


def test_every_letter_with_a_code_comes_in_german_too() -> None:
    german = tongue("de")
    given = {"to": ADA, "code": "ABCD-2345", "address": "192.0.2.7", "message_id": "1", "tongue": german}
    sign_in = code_letter(**given)  # type: ignore[arg-type]  # by name
    begin, end = (lockdown_letter(ends=ends, **given) for ends in (False, True))  # type: ignore[arg-type]  # by name
    assert [one.subject for one in (sign_in, begin, end)] == [
        "Home System: Code",
        "Home System: Code zum Sperren",
        "Home System: Code zum Aufheben der Sperre",
    ]
    for one in (sign_in, begin, end):
        assert one.text.startswith("Hallo Ada,")
        assert code_in(one.text) == "ABCD-2345"
        assert "10 Minuten" in " ".join(one.text.split())
        assert max(map(len, one.text.splitlines())) <= 72
        assert one.html is not None
        assert '<html lang="de">' in one.html


def test_letters_about_an_address_come_in_german_too_and_tell_former_mailboxes_little() -> None:
    german, new = tongue("de"), "ada@elsewhere.example"
    old = old_email_letter(to=ADA, code="ABCD-2345", email=new, address="192.0.2.7", message_id="1", tongue=german)
    there = new_email_letter(to=ADA, email=new, code="ABCD-2345", message_id="2", tongue=german)
    taken = taken_email_letter(ADA, message_id="3", tongue=german)
    last = farewell_letter(msgspec.structs.replace(ADA, email=new), to="a@b", message_id="4", tongue=german)
    assert [one.to for one in (old, there, taken, last)] == ["a@b", new, "a@b", "a@b"]
    for one in (old, there):
        assert code_in(one.text) == "ABCD-2345"
        assert "10 Minuten" in " ".join(one.text.split())
    for one in (taken, last):
        assert "None" not in one.text
        assert 'class="code"' not in (one.html or "")
    for one in (old, there, taken, last):
        assert one.text.startswith("Hallo Ada,")
        assert new not in one.text + (one.html or "")
        assert max(map(len, one.text.splitlines())) <= 72
    assert len({one.subject for one in (old, there, taken, last)}) == 4
    assert masked(new) in " ".join(last.text.split())


def test_a_masked_address_is_known_again_by_who_has_it() -> None:
    assert masked("ada@elsewhere.example") == "a…@elsewhere.example"
