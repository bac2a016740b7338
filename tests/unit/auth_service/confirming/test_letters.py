"""The letter with a code."""

from auth_service.confirming.letters import code_letter
from tests.unit.auth_service.parts import code_in


def test_letter_holds_the_code_alone_on_its_line_and_who_asked() -> None:
    letter = code_letter(to="a@b", name="Ada", code="ABCD-2345", address="192.0.2.7", message_id="1")
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
    letter = code_letter(to="a@b", name="<b>Ada</b>", code="ABCD-2345", address="<i>x</i>", message_id="1")
    assert letter.html is not None
    assert "<b>" not in letter.html
    assert "<i>" not in letter.html
