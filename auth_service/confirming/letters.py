"""The letters with a confirmation code, pure: what they say, as text and as HTML."""

import html

from auth_service.confirming import codes
from shared.mail import Letter

SUBJECT = "Home System code"
_MINUTES = int(codes.LIFETIME.total_seconds() // 60)


def code_letter(*, to: str, name: str, code: str, address: str, message_id: str) -> Letter:
    """The letter for one sign-in; `address` is where it was asked from."""
    asked = f"someone gave your e-mail address and your password to Home System, from the address {_line(address)}."
    warning = (
        "If it was not you, somebody knows your password: tell nobody this code, and ask the master user "
        "of your home to give you a new password."
    )
    return _letter(SUBJECT, (to, name), code, message_id, asked=asked, purpose="sign in", warning=warning)


def lockdown_letter(*, to: str, name: str, code: str, address: str, message_id: str, ends: bool) -> Letter:
    """The letter for beginning a lockdown, or for ending one."""
    purpose = "end the lockdown" if ends else "lock your home down"
    asked = f"someone who is signed in as you asked Home System to {purpose}, from the address {_line(address)}."
    warning = (
        "If it was not you, somebody uses your account: tell nobody this code, end the sessions that you do not know, "
        "and have your password changed."
    )
    subject = f"{SUBJECT} to {purpose}"
    return _letter(subject, (to, name), code, message_id, asked=asked, purpose=purpose, warning=warning)


def _letter(
    subject: str, whom: tuple[str, str], code: str, message_id: str, *, asked: str, purpose: str, warning: str
) -> Letter:
    to, name = whom
    hello = f"Hello {name},"
    what = f"To {purpose}, type this code there. It works once and for {_MINUTES} minutes:"
    text = f"{hello}\n\n{asked}\n{what}\n\n{code}\n\n{warning}\nNobody from Home System will ever ask you for a code.\n"
    page = (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;max-width:36em">'
        f"<p>{html.escape(hello)}</p><p>{html.escape(asked)} {html.escape(what)}</p>"
        f'<p style="font:bold 2em monospace;letter-spacing:.1em">{code}</p>'
        f"<p>{html.escape(warning)} Nobody from Home System will ever ask you for a code.</p></body></html>"
    )
    return Letter(to=to, subject=subject, text=text, html=page, message_id=f"code-{message_id}")


def _line(text: str) -> str:
    return " ".join(text.split())
