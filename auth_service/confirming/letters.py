"""The letters with a code, and those about addresses, pure: what they say in the reader's language, text and HTML."""

import html
import textwrap

import msgspec

from auth_service.confirming import codes
from shared.mail import Letter
from shared.words.internal import User
from shared.words.languages import Tongue, later

_MINUTES = int(codes.LIFETIME.total_seconds() // 60)
_COLUMNS = 72

_SIGN_IN = (
    later("Home System code"),
    later("To sign in, type this code there. It works once and for {minutes} minutes:"),
    later(
        "Someone gave your e-mail address and your password to Home System, from the address {address}. If it was not "
        "you, somebody knows your password: tell nobody this code, and ask the master user of your home to give you a "
        "new password."
    ),
)
_USED = later(
    "If it was not you, somebody uses your account: tell nobody this code, end the sessions that you do not know, "
    "and have your password changed."
)
_LOCK = (
    later("Home System code to lock your home down"),
    later("To lock your home down, type this code there. It works once and for {minutes} minutes:"),
    later("Someone who is signed in as you asked for it, from the address {address}."),
)
_END = (
    later("Home System code to end the lockdown"),
    later("To end the lockdown, type this code there. It works once and for {minutes} minutes:"),
    later("Someone who is signed in as you asked for it, from the address {address}."),
)
_OLD_EMAIL = (
    later("Home System code to change your e-mail address"),
    later("To have {email} as your address, type this code there. It works once and for {minutes} minutes:"),
    later("Someone who is signed in as you asked for it, from the address {address}."),
)
_NEW_EMAIL = (
    later("Home System code for your new e-mail address"),
    later("To have this as your address, type this code there. It works once and for {minutes} minutes:"),
    later("If you know of no such home, do nothing: without the code nothing becomes of it."),
)
_TAKEN_EMAIL = (
    later("Somebody wanted your e-mail address for another account"),
    later(
        "Somebody who is signed in at your home wanted this address for their account. It is yours, so nothing was "
        "changed."
    ),
    later("If that was you with another account of yours, choose another address there. Else there is nothing to do."),
)
_FAREWELL = (
    later("Your e-mail address at Home System was changed"),
    later(
        "Your account has another e-mail address now, {email}. You sign in with that one, and letters go there: this "
        "is the last one here."
    ),
    later(
        "If it was not you, somebody has taken your account over: tell the master user of your home at once. On the "
        "hub, `homesystem user email` gives you your address back, and `homesystem user reset` another password."
    ),
)
_INVITED = (
    later("You are invited to a Home System"),
    later(
        "{by} invites you to their home. Open this page, type the code below there, and choose a password. "
        "The code works once, for {hours} hours:"
    ),
    later("If you know of no such home, do nothing: without the code nobody can use this invitation."),
)
_HELLO = later("Hello {name},")
_NEVER = later("Nobody from Home System will ever ask you for a code.")


def code_letter(*, to: User, code: str, address: str, message_id: str, tongue: Tongue) -> Letter:
    """The letter for one sign-in; `address` is where it was asked from."""
    subject, what, asked = _SIGN_IN
    what = tongue.say(what, minutes=_MINUTES)
    return _letter(to, code, message_id, tongue, subject, what, tongue.say(asked, address=_line(address)))


def lockdown_letter(*, to: User, code: str, address: str, message_id: str, ends: bool, tongue: Tongue) -> Letter:
    """The letter for beginning a lockdown, or for ending one."""
    subject, what, asked = _END if ends else _LOCK
    told = f"{tongue.say(asked, address=_line(address))} {tongue.say(_USED)}"
    return _letter(to, code, message_id, tongue, subject, tongue.say(what, minutes=_MINUTES), told)


def invitation_letter(
    *, to: User, by: str, link: str, code: str, hours: int, message_id: str, tongue: Tongue
) -> Letter:
    """The letter for who is invited by `by`. `link` opens a page, and no more: mailboxes open links by themselves."""
    subject, what, warning = _INVITED
    asked = tongue.say(what, by=_line(by), hours=hours)
    return _letter(to, code, message_id, tongue, subject, asked, tongue.say(warning), link=link)


def old_email_letter(*, to: User, code: str, email: str, address: str, message_id: str, tongue: Tongue) -> Letter:
    """The letter to the address that there is; `email` is the one that is wanted, told as `masked` has it."""
    subject, what, asked = _OLD_EMAIL
    told = f"{tongue.say(asked, address=_line(address))} {tongue.say(_USED)}"
    return _letter(to, code, message_id, tongue, subject, tongue.say(what, email=masked(email), minutes=_MINUTES), told)


def new_email_letter(*, to: User, email: str, code: str, message_id: str, tongue: Tongue) -> Letter:
    """The letter to the address that is wanted, `email`; it tells a stranger nothing but a name."""
    subject, what, warning = _NEW_EMAIL
    there = msgspec.structs.replace(to, email=email)
    return _letter(there, code, message_id, tongue, subject, tongue.say(what, minutes=_MINUTES), tongue.say(warning))


def taken_email_letter(to: User, *, message_id: str, tongue: Tongue) -> Letter:
    """The letter to whose address it is that somebody else wanted; it says not who."""
    subject, what, warning = _TAKEN_EMAIL
    return _letter(to, "", message_id, tongue, subject, tongue.say(what), tongue.say(warning))


def farewell_letter(user: User, *, to: str, message_id: str, tongue: Tongue) -> Letter:
    """The letter to an address that was `user`'s."""
    subject, what, warning = _FAREWELL
    there = msgspec.structs.replace(user, email=to)
    told = tongue.say(what, email=masked(user.email))
    return _letter(there, "", message_id, tongue, subject, told, tongue.say(warning))


def masked(email: str) -> str:
    """An address as its owner knows it again: the mailbox in which this is read may be somebody else's by now."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"


def _letter(
    to: User, code: str, message_id: str, tongue: Tongue, subject: str, what: str, warning: str, *, link: str = ""
) -> Letter:
    hello, never = tongue.say(_HELLO, name=_line(to.name)), tongue.say(_NEVER)
    lines = (_wrapped(hello), _wrapped(what), *filter(None, (link, code)), _wrapped(warning), _wrapped(never))
    said = {name: html.escape(one) for name, one in (("what", what), ("warning", warning), ("never", never))}
    shown = _LINK.format(link=html.escape(link)) if link else ""
    shown += _CODE.format(code=html.escape(code)) if code else ""
    page = _PAGE.format(language=tongue.language, hello=html.escape(hello), shown=shown, **said)
    text = "\n\n".join(lines) + "\n"
    return Letter(to=to.email, subject=tongue.say(subject), text=text, html=page, message_id=f"code-{message_id}")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _COLUMNS, break_long_words=False, break_on_hyphens=False)


def _line(text: str) -> str:
    return " ".join(text.split())


_LINK = """<p style="margin: 0 0 16px"><a href="{link}" style="color: inherit">{link}</a></p>
"""
_CODE = """<p class="code" style="margin: 0 0 16px; padding: 14px 16px; border-radius: 8px; background: #f1f3f5; \
color: #1b1f23; font: 600 30px ui-monospace, Consolas, monospace; letter-spacing: 2px; text-align: center">{code}</p>
"""
_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<style>
:root {{ color-scheme: light dark; supported-color-schemes: light dark }}
@media (prefers-color-scheme: dark) {{
.page {{ background: #14171a !important; color: #e8eaed !important }}
.code {{ background: #23282d !important; color: #ffffff !important }}
.quiet {{ color: #a8b0b8 !important }}
}}
</style></head>
<body class="page" style="margin: 0; padding: 0; background: #ffffff; color: #1b1f23">
<table class="page" role="presentation" width="100%" style="border-collapse: collapse; background: #ffffff; \
color: #1b1f23"><tr><td align="center" style="padding: 24px 16px">
<table role="presentation" width="100%" style="border-collapse: collapse; max-width: 560px; table-layout: fixed; \
font-family: system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; font-size: 16px; line-height: 1.45; \
text-align: left"><tr><td style="overflow-wrap: anywhere; word-break: break-word">
<p style="margin: 0 0 12px">{hello}</p>
<p style="margin: 0 0 16px">{what}</p>
{shown}\
<p style="margin: 0 0 12px">{warning}</p>
<p class="quiet" style="margin: 0; font-size: 13px; color: #5b636b">{never}</p>
</td></tr></table>
</td></tr></table>
</body></html>
"""
