"""People whose sign-ins are being checked, all the time. `python -m tests.bench.sign_ins VAR PORT EMAIL PEOPLE`.

A process of its own, and a patient one: other people's browsers do not run on the hub.
"""

import asyncio
import os
import sys
from pathlib import Path

import msgspec

from tests.bench import floors, load


async def person(port: int, var: Path, body: bytes, started: asyncio.Event) -> None:
    """One person, until killed."""
    connection = load.Connection(port, floors.trusting(var / "pki" / "web-ca.crt"), {})
    await connection.open()
    _, cookies, answer = await connection.ask("GET", "/api/v1/csrf", b"")
    headers = {
        "Content-Type": "application/json",
        "Cookie": cookies,
        "X-CSRF-Token": msgspec.json.decode(answer)["csrf_token"],
        "Origin": f"https://localhost:{port}",
    }
    await connection.close()
    connection = load.Connection(port, floors.trusting(var / "pki" / "web-ca.crt"), headers)
    await connection.open()
    while True:
        status, _, answer = await connection.ask("POST", "/api/v1/login", body)
        assert status == 401, answer
        started.set()


async def main(var: Path, port: int, email: str, people: int) -> None:
    """All of them."""
    os.nice(19)
    started = asyncio.Event()
    body = msgspec.json.encode({"email": email, "password": "not the password", "code": "AAAA-AAAA"})
    async with asyncio.TaskGroup() as group:
        for _ in range(people):
            group.create_task(person(port, var, body, started))
        await started.wait()
        print("up", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
