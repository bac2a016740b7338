"""Typing codes at invitations as who wants to find out which of them are open, to be measured as guessing.py does."""

import itertools
import random

from tests.bench import guessing
from tests.demo import Client, Demo

BASE = "no such invitation"
OPEN = 30
"""As many as a home may have open are a few more."""
TRIES = 4
"""At each of them: a fifth wrong code would spend it."""
ROUNDS = OPEN * TRIES


def kinds(demo: Demo) -> guessing.Kinds:
    """A wrong code at each kind, for so many rounds as `ROUNDS` says; the invitations are made over HTTP."""
    master = demo.client("master")
    password = demo.users()["master"]["password"]
    still_open = [_invited(master, password, number) for number in range(OPEN)]
    spent, withdrawn = (_invited(master, password, OPEN + number) for number in range(2))
    assert master.call("DELETE", f"/api/v1/invitations/{withdrawn}").status == 204
    stranger = Client(demo)
    stranger.csrf = stranger.call("GET", "/api/v1/csrf").body["csrf_token"]
    for _ in range(TRIES + 1):
        typed = _typed_at(spent)[0]
        assert stranger.call(typed.method, typed.path, typed.body).status == 403
    each = itertools.cycle(still_open)
    return {
        BASE: lambda: _typed_at(random.randbytes(8).hex()),
        "open": lambda: _typed_at(next(each)),
        "open, with all tries spent": lambda: _typed_at(spent),
        "withdrawn": lambda: _typed_at(withdrawn),
    }


def _invited(master: Client, password: str, number: int) -> str:
    """The id of one more."""
    asked = {"current": password, "email": f"invited-{number}@bench.example.org", "name": f"Invited {number}"}
    made = master.call("POST", "/api/v1/invitations", asked | {"role": "member"})
    assert made.status == 201, made
    return str(made.body["id"])


def _typed_at(invitation: str) -> tuple[guessing.Asked]:
    body = {"code": "AAAA-AAAA", "new": guessing.PASSWORD}
    return (guessing.Asked("code typed at an invitation", "POST", f"/api/v1/invitations/{invitation}", body),)
