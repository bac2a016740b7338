"""Whose ids are whose: a command's id is known to the ledger together with the party that chose it.

On a gateway's word that is the person, whichever gateway carried the wish: a browser that comes back through another
one means the same wish. Everybody else is the identity that the broker vouches for.
"""

import sqlite3

from shared.words.messages import UserRef
from shared.words.names import is_gateway

_PERSON = "user:"
"""No identity has a colon."""
_BEFORE_USER = 3
"""In a row's wish: device, action, value, user."""


def party(issuer: str, user: UserRef | None) -> str:
    """Who chose the id of a command that `issuer` published. `user` is believed from gateways only."""
    if not is_gateway(issuer):
        return issuer
    return _PERSON + (user.id if user is not None else "")


def rekey(db: sqlite3.Connection) -> None:
    """Give the rows of gateways, as earlier versions wrote them, to their people.

    The wish of such a row ends with its user's id. Where one id came through two gateways the first row counts.
    """
    rows = db.execute(
        "SELECT issuer, id, wish FROM command WHERE issuer >= 'gateway' AND issuer < 'gateway:' ORDER BY begun"
    ).fetchall()
    for issuer, id_, wish in rows:
        if is_gateway(issuer) and wish.count(" ") >= _BEFORE_USER:
            values = (_PERSON + wish.split(" ", _BEFORE_USER)[_BEFORE_USER], issuer, id_)
            db.execute("UPDATE OR IGNORE command SET issuer = ? WHERE issuer = ? AND id = ?", values)
