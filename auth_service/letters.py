"""The letter with a confirmation code, pure: what it says, as text and as HTML."""

import html

from auth_service import codes
from shared.mail import Letter

SUBJECT = "Home System code"
_MINUTES = int(codes.LIFETIME.total_seconds() // 60)


def code_letter(*, to: str, name: str, code: str, address: str, message_id: str) -> Letter:
    """The letter for one code; `address` is where the sign-in was asked from."""
    hello = f"Hello {name},"
    origin = " ".join(address.split())
    asked = f"someone gave your e-mail address and your password to Home System, from the address {origin}."
    what = f"To sign in, type this code there. It works once and for {_MINUTES} minutes:"
    warning = (
        "If it was not you, somebody knows your password: tell nobody this code, and ask the master user "
        "of your home to give you a new password."
    )
    text = f"{hello}\n\n{asked}\n{what}\n\n{code}\n\n{warning}\nNobody from Home System will ever ask you for a code.\n"
    page = (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;max-width:36em">'
        f"<p>{html.escape(hello)}</p><p>{html.escape(asked)} {html.escape(what)}</p>"
        f'<p style="font:bold 2em monospace;letter-spacing:.1em">{code}</p>'
        f"<p>{html.escape(warning)} Nobody from Home System will ever ask you for a code.</p></body></html>"
    )
    return Letter(to=to, subject=SUBJECT, text=text, html=page, message_id=f"code-{message_id}")
