"""Letters: no text makes a header of its own, a repeat is recognisable, and clear text stays on the machine."""

import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mail import Letter, MailError, SmtpConfig, check, compose, send
from shared.running.config import ConfigError

SENDER = "Home System <home@example.org>"
LOCAL = SmtpConfig(host="127.0.0.1", port=1, sender=SENDER, security="none")


def parsed(letter: Letter) -> EmailMessage:
    made = email.message_from_bytes(compose(letter, SENDER, 0.0).as_bytes(), policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


def test_a_letter_is_text_and_html_marked_as_automatic() -> None:
    made = parsed(
        Letter(to="ada@example.org", subject="Tür — offen", text="Grüße\n", html="<p>Grüße</p>\n", message_id="m1")
    )
    assert made["Subject"] == "Tür — offen"
    assert made["To"] == "ada@example.org"
    assert made["From"] == SENDER
    assert made["Date"] == "Thu, 01 Jan 1970 00:00:00 +0000"
    assert made["Message-ID"] == "<m1@example.org>"
    assert made["Auto-Submitted"] == "auto-generated"
    assert made["List-Id"] == "Home System <homesystem.example.org>"
    plain, html = made.get_body(("plain",)), made.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "Grüße"
    assert html.get_content().strip() == "<p>Grüße</p>"


HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "List-Id",
    "Content-Type",
    "MIME-Version",
    "Content-Transfer-Encoding",
}
nasty = st.text(max_size=80) | st.sampled_from(
    [
        "x\r\nBcc: eve@example.org",
        "x\n\n<script>",
        "a\x0bb\x0cc",
        "=?utf-8?q?=0ABcc:_x?=",
        "=??Q?=0ABcc:x",
        "x\u2028Bcc: y",
        "ü" * 300,
        "\0",
    ]
)


@given(nasty, nasty)
def test_no_subject_and_no_text_makes_a_header(subject: str, text: str) -> None:
    made = parsed(Letter(to="ada@example.org", subject=subject, text=text))
    assert set(made.keys()) <= HEADERS
    assert len(made.keys()) == len(set(made.keys()))
    raw = compose(Letter(to="ada@example.org", subject=subject, text=text), SENDER, 0.0).as_bytes()
    assert raw.partition(b"\n\n")[0].isascii()


@pytest.mark.parametrize("to", ["ada@example.org\r\nBcc: eve@example.org", "ada@example.org\nX: y"])
def test_an_address_with_a_line_end_is_no_address(to: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)linefeed|newline|carriage"):
        compose(Letter(to=to, subject="x", text="x"), SENDER, 0.0)


def test_letters_without_a_name_get_different_ones() -> None:
    first, second = (parsed(Letter(to="a@b.c", subject="x", text="x"))["Message-ID"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("host", ["mail.example.org", "192.0.2.1", "10.0.0.1", "0.0.0.0", "::"])
def test_clear_text_is_for_this_machine_alone(host: str) -> None:
    with pytest.raises(ConfigError, match="starttls"):
        SmtpConfig(host=host, port=25, sender=SENDER, security="none").check()
    SmtpConfig(host=host, port=25, sender=SENDER).check()
    SmtpConfig(host=host, port=25, sender=SENDER, security="tls").check()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_on_this_machine_clear_text_is_fine(host: str) -> None:
    SmtpConfig(host=host, port=25, sender=SENDER, security="none").check()


def test_a_user_needs_a_password_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"smtp\.password_file"):
        SmtpConfig(host="localhost", port=25, sender=SENDER, user="x").check()
    known = SmtpConfig(host="localhost", port=25, sender=SENDER, user="x", password_file=tmp_path / "p")
    known.check()


async def test_a_password_file_that_went_away_holds_letters_up_and_loses_none(tmp_path: Path) -> None:
    known = SmtpConfig(host="localhost", port=25, sender=SENDER, user="x", password_file=tmp_path / "p")
    with pytest.raises(MailError, match="cannot be read") as caught:
        await check(known)
    assert (caught.value.permanent, caught.value.answered) == (False, False)


def test_letters_about_one_thing_form_a_thread_and_urgent_ones_say_so() -> None:
    first, second = (
        compose(
            Letter(to="a@example.org", subject="x", text="x", message_id=m, thread="t1", urgent=m == "b"), SENDER, 0.0
        )
        for m in ("a", "b")
    )
    assert first["References"] == second["References"] == first["In-Reply-To"]
    for line in first.as_bytes().decode().splitlines():
        if line.startswith(("References", "In-Reply-To")):
            assert re.fullmatch(r"[A-Za-z-]+: <[0-9a-f]{32}@thread\.invalid>", line)
    assert first["Message-ID"] != second["Message-ID"]
    assert (first["Importance"], second["Importance"]) == (None, "high")
    alone = compose(Letter(to="a@example.org", subject="x", text="x"), SENDER, 0.0)
    assert alone["References"] is None


async def test_an_absent_server_is_told_as_such() -> None:
    with pytest.raises(MailError) as caught:
        await send(LOCAL, Letter(to="ada@example.org", subject="x", text="x"), 0.0)
    assert (caught.value.permanent, caught.value.answered) == (False, False)


def test_who_greets_says_a_full_name() -> None:
    assert LOCAL.greets_as == "example.org"
    named = SmtpConfig(host="mail.example.org", port=587, sender=SENDER, greeting="hub.example.org")
    assert named.greets_as == "hub.example.org"


@pytest.mark.parametrize("sender", ["Home <h\u00f6me@example.org>", "home@ex\u00e4mple.org", "Home System", ""])
def test_a_sender_that_no_server_carries_is_named_before_a_letter_is_due(sender: str) -> None:
    with pytest.raises(ConfigError, match=r"smtp\.sender"):
        SmtpConfig(host="localhost", port=25, sender=sender).check()


async def test_an_address_that_cannot_be_carried_is_the_fault_of_its_letter_alone() -> None:
    with pytest.raises(MailError, match="carry no such letters") as caught:
        await send(LOCAL, Letter(to="j\u00f6rg@example.org", subject="x", text="x"), 0.0)
    assert (caught.value.permanent, caught.value.answered) == (True, True)
