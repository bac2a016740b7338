"""Load: a lean HTTPS client that keeps its connection, and the figures that come out of a run."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple


class Figures(NamedTuple):
    """One run: how many clients, how long each answer took (seconds, sorted), how long the run took."""

    clients: int
    latencies: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def quantile(self, q: float) -> float:
        """A latency in milliseconds."""
        return self.latencies[min(int(len(self.latencies) * q), len(self.latencies) - 1)] * 1000


class Connection:
    """One keep-alive HTTPS connection; knows just enough of HTTP/1.1 for answers with a Content-Length."""

    def __init__(self, port: int, context: ssl.SSLContext, headers: dict[str, str]) -> None:
        self._port = port
        self._context = context
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    async def open(self) -> None:
        """Connect and shake hands."""
        self._reader, self._writer = await asyncio.open_connection("localhost", self._port, ssl=self._context)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of one POST; as lean as it can be, so that the floor is one."""
        head, answer = await self._ask("POST", path, body)
        return int(head[9:12]), answer

    async def ask(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        """Status, the cookies that were set (as a Cookie header sends them) and body of one request."""
        head, answer = await self._ask(method, path, body)
        lines = [line.partition(": ") for line in head.decode().split("\r\n")]
        cookies = "; ".join(value.partition(";")[0] for name, _, value in lines if name.lower() == "set-cookie")
        return int(head[9:12]), cookies, answer

    async def _ask(self, method: str, path: str, body: bytes) -> tuple[bytes, bytes]:
        host = f"Host: localhost:{self._port}"
        request = f"{method} {path} HTTP/1.1\r\n{host}\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(request.encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return head, await self._reader.readexactly(length)


async def run(clients: int, seconds: float, make: Callable[[int], Awaitable[Callable[[], Awaitable[None]]]]) -> Figures:
    """Let `clients` callers from `make` call again and again for `seconds`; the first tenth warms up."""
    calls = [await make(number) for number in range(clients)]
    latencies: list[float] = []
    begin = time.perf_counter()
    warm, end = begin + seconds / 10, begin + seconds

    async def caller(call: Callable[[], Awaitable[None]]) -> None:
        while (start := time.perf_counter()) < end:
            await call()
            if start >= warm:
                latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(caller(call) for call in calls))
    return Figures(clients, sorted(latencies), time.perf_counter() - warm)
