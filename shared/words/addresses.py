"""Which e-mail addresses are taken: of the form that HTML forms take, in ASCII, which every mail server carries.

An address beyond ASCII needs SMTPUTF8 (RFC 6531) on every server on its way; letters to it fail on most.
"""

import re

LONGEST = 254
_FORM = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")


def fault(address: str) -> str | None:
    """Why no letter can be trusted to reach `address`, as a sentence that says what would be right; None if one can."""
    if not address.isascii():
        return (
            f"The e-mail address holds {_foreign(address)}: most mail servers carry no such letters{_instead(address)}."
        )
    if len(address) > LONGEST or _FORM.fullmatch(address) is None:
        return "The e-mail address is not of the form name@example.org."
    return None


def _foreign(address: str) -> str:
    return ", ".join(dict.fromkeys(repr(sign) for sign in address if not sign.isascii()))


def _instead(address: str) -> str:
    """What to write in its place: a domain has a form in ASCII, the part before the @ has none."""
    local, at, domain = address.rpartition("@")
    if not at or not local.isascii():
        return "; use an address without"
    try:
        plain = domain.encode("idna").decode()
        # The standard library has the older rules, by which some signs (ß among them) give a domain of somebody else.
        if plain.encode().decode("idna") == domain.lower():
            return f"; write {local}@{plain}"
    except UnicodeError:
        pass
    return "; use an address without"
