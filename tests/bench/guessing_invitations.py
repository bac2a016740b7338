"""Typing codes at invitations as who wants to find out which of them are open: how long each answer takes.

Kinds come in random order, one request after the other over one connection, so that nothing but the kind differs.
"""

import itertools
import random
import time
from collections.abc import Callable

import msgspec

from tests.bench import guessing
from tests.demo import Client, Demo

BASE = "no such invitation"
STEP = "code typed at an invitation"
OPEN = 30
"""As many as a home may have open are a few more."""
TRIES = 4
"""At each of them: a fifth wrong code would spend it."""
ROUNDS = OPEN * TRIES


def kinds(demo: Demo) -> dict[str, Callable[[], str]]:
    """Each kind's invitation, for so many rounds as `ROUNDS` says; they are made over HTTP."""
    master = demo.client("master")
    password = demo.users()["master"]["password"]
    still_open = [_invited(master, password, number) for number in range(OPEN)]
    spent, withdrawn = (_invited(master, password, OPEN + number) for number in range(2))
    assert master.call("DELETE", f"/api/v1/invitations/{withdrawn}").status == 204
    stranger = Client(demo)
    stranger.csrf = stranger.call("GET", "/api/v1/csrf").body["csrf_token"]
    for _ in range(TRIES + 1):
        assert stranger.call("POST", f"/api/v1/invitations/{spent}", _typed()).status == 403
    each = itertools.cycle(still_open)
    return {
        BASE: lambda: random.randbytes(8).hex(),
        "open": lambda: next(each),
        "open, with all tries spent": lambda: spent,
        "withdrawn": lambda: withdrawn,
    }


async def measure(demo: Demo, invitations: dict[str, Callable[[], str]]) -> guessing.Times:
    """A wrong code at each kind, so many times as the open ones bear."""
    connection = await guessing.stranger(demo)
    times: dict[str, list[float]] = {kind: [] for kind in invitations}
    answers: set[tuple[int, bytes]] = set()
    order = [kind for kind in invitations for _ in range(ROUNDS)]
    random.shuffle(order)
    body = msgspec.json.encode(_typed())
    for kind in order:
        path = f"/api/v1/invitations/{invitations[kind]()}"
        begun = time.perf_counter()
        status, _, answer = await connection.ask("POST", path, body)
        times[kind].append(time.perf_counter() - begun)
        answers.add((status, guessing.REQUEST.sub(b"", answer)))
    await connection.close()
    assert len(answers) == 1, f"they need no clock: {answers}"
    return {STEP: times}


def _invited(master: Client, password: str, number: int) -> str:
    """The id of one more."""
    asked = {"current": password, "email": f"invited-{number}@bench.example.org", "name": f"Invited {number}"}
    made = master.call("POST", "/api/v1/invitations", asked | {"role": "member"})
    assert made.status == 201, made
    return str(made.body["id"])


def _typed() -> dict[str, str]:
    return {"code": "AAAA-AAAA", "new": guessing.PASSWORD}
