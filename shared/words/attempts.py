"""The short name of one attempt at signing in (or at what else a code is mailed for), pure: the page shows it, the auth
service keeps it, and `homesystem code NAME` at the hub makes a code for it.

It is worked out of the attempt's own place, so everybody is shown one, whether the account exists or not.
"""

import hashlib
import unicodedata

SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What cannot be mistaken: without 0 O, 1 I L, and U, which is V by hand."""
LENGTH = 5


def name_of(place: str) -> str:
    """Five signs for a browser's pre-login id, or for a session's."""
    number = int.from_bytes(hashlib.sha256(f"attempt {place}".encode()).digest())
    signs = []
    for _ in range(LENGTH):
        number, sign = divmod(number, len(SIGNS))
        signs.append(SIGNS[sign])
    return "".join(signs)


def read(typed: str) -> str:
    """What a person meant by a name or a code: any case, any dashes and spaces."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    return "".join(sign for sign in plain if unicodedata.category(sign) not in {"Pd", "Zs", "Cc", "Cf"})
