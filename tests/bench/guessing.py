"""Signing in as who wants to find out who has an account: how long each answer takes, for every kind of account.

Kinds come in random order, one request after the other over one connection, so that nothing but the kind differs.
"""

import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import pyotp
from rich.table import Table

from tests.bench import apart, floors, load
from tests.demo import Client, Demo

ROUNDS = "10"
"""bcrypt's cost while this is measured: the less it takes, the more of anything else is seen beside it."""
PASSWORD = "lanterns over quiet harbours"
WRONG = "not the password of anybody"
BASE = "no such account"
_REQUEST = re.compile(rb"urn:request:[0-9a-f]{16}")
"""What differs in two answers that say the same."""
_SPENT = 60
"""Wrong passwords, more than an account hears in an hour."""

Times = dict[str, dict[str, list[float]]]
"""By step, then by what was asked of: seconds."""


class Asked(NamedTuple):
    """A request, and what it is called in the table."""

    step: str
    method: str
    path: str
    body: dict[str, str] | None = None


Kinds = dict[str, Callable[[], Sequence[Asked]]]
"""By what is asked of: what is asked, anew for each round."""


def lift(demo: Demo) -> None:
    """In a home that does not run: limits that are none of an account's are out of the way."""
    demo.lift_limits("password", "invitation")


def cheapen(demo: Demo) -> None:
    """In a home that does not run: let bcrypt cost little, also for those who have a password already."""
    path = demo.var / "auth.toml"
    text = path.read_text()
    assert "bcrypt_rounds = 12" in text
    path.write_text(text.replace("bcrypt_rounds = 12", f"bcrypt_rounds = {ROUNDS}"))
    for user in demo.users().values():
        with_password(demo, user["password"], "user", "reset", user["email"])


def kinds(demo: Demo) -> Kinds:
    """Signing in to each kind of account; they are made, all at the cost that now stands."""
    names = ("wrong", "right", "disabled", "app", "spent")
    for name in names:
        add(demo, name)
    assert demo.command("user", "disable", mail("disabled")).returncode == 0
    with_app(demo, mail("app"))
    stranger = demo.client()
    stranger.csrf = stranger.call("GET", "/api/v1/csrf").body["csrf_token"]
    for _ in range(_SPENT):
        tried = {"email": mail("spent"), "password": WRONG, "code": "AAAA-AAAA"}
        assert stranger.call("POST", "/api/v1/login", tried).status == 401
    return {
        BASE: lambda: signing_in(f"{random.randbytes(4).hex()}@example.org", WRONG),
        "wrong password": lambda: signing_in(mail("wrong"), WRONG),
        "right password": lambda: signing_in(mail("right"), PASSWORD),
        "disabled, right password": lambda: signing_in(mail("disabled"), PASSWORD),
        "with an app, right password": lambda: signing_in(mail("app"), PASSWORD),
        "nothing left, right password": lambda: signing_in(mail("spent"), PASSWORD),
    }


def signing_in(email: str, password: str) -> tuple[Asked, ...]:
    """What a page asks, with a code that nobody was sent."""
    asked = {"email": email, "password": password}
    return (
        Asked("code asked for", "POST", "/api/v1/login/code", asked),
        Asked("then: how is the mail", "GET", "/api/v1/login/attempt"),
        Asked("code typed", "POST", "/api/v1/login", asked | {"code": "AAAA-AAAA"}),
    )


def mail(name: str) -> str:
    """An account's address."""
    return f"{name}@bench.example.org"


def add(demo: Demo, name: str) -> None:
    """One more member."""
    with_password(demo, PASSWORD, "user", "add", mail(name), "--name", name.title())


def with_password(demo: Demo, password: str, *command: str) -> None:
    """Run a command of the hub's that reads a password."""
    secret = demo.var / "bench-password"
    secret.write_text(password)
    done = demo.command(*command, "--password-file", str(secret))
    assert done.returncode == 0, done.stdout + done.stderr


def with_app(demo: Demo, email: str) -> None:
    """Let an account have an authenticator app."""
    person = Client(demo)
    person.sign_in_as(email, PASSWORD)
    begun = person.call("POST", "/api/v1/factors", {"current": PASSWORD, "name": "Phone"}).body
    code = pyotp.TOTP(begun["secret"]).now()
    assert person.call("POST", f"/api/v1/factors/{begun['id']}", {"code": code}).status == 200


async def stranger(demo: Demo) -> load.Connection:
    """The open connection of somebody who is not signed in, and may send forms."""
    port, context = demo.ports["HTTPS"], floors.trusting(demo.var / "pki" / "web-ca.crt")
    first = load.Connection(port, context, {})
    await first.open()
    _, cookies, answer = await first.ask("GET", "/api/v1/csrf", b"")
    await first.close()
    headers = {
        "Content-Type": "application/json",
        "Cookie": cookies,
        "X-CSRF-Token": msgspec.json.decode(answer)["csrf_token"],
        "Origin": demo.url,
    }
    connection = load.Connection(port, context, headers)
    await connection.open()
    return connection


async def measure(demo: Demo, asking: Kinds, rounds: int) -> Times:
    """Each step of each kind so many times."""
    connection = await stranger(demo)
    times: Times = {}
    answers: dict[str, set[tuple[int, bytes]]] = {}
    order = [kind for kind in asking for _ in range(rounds)]
    random.shuffle(order)
    for kind in order:
        for asked in asking[kind]():
            body = b"" if asked.body is None else msgspec.json.encode(asked.body)
            begun = time.perf_counter()
            status, _, answer = await connection.ask(asked.method, asked.path, body)
            taken = time.perf_counter() - begun
            times.setdefault(asked.step, {kind: [] for kind in asking})[kind].append(taken)
            answers.setdefault(asked.step, set()).add((status, _REQUEST.sub(b"", answer)))
    await connection.close()
    assert all(len(found) == 1 for found in answers.values()), "they need no clock: answers differ"
    return times


def table(times: Times, base: str = BASE) -> Table:
    """Median and p90 of each, and whether it can be told from `base`, one that does not exist."""
    made = Table("answer", "asked of", "p50 ms", "p90 ms", f"beside {base}", "")
    for step, by_kind in times.items():
        for number, (kind, some) in enumerate(by_kind.items()):
            beside = apart.compare(some, by_kind[base])
            p90 = statistics.quantiles(some, n=10)[8]
            cells = (f"{1000 * statistics.median(some):.2f}", f"{1000 * p90:.2f}")
            verdict = ("told apart" if beside.told else "not told apart") if kind != base else ""
            made.add_row(step if number == 0 else "", kind, *cells, str(beside) if kind != base else "", verdict)
    return made
