"""The HTTPS floor: a bare aiohttp handler, JSON in and out. `python -m tests.bench.bare CERT KEY PORT`."""

import asyncio
import sys
from pathlib import Path

import msgspec
import uvloop
from aiohttp import web

from shared.trust import tls


async def handle(request: web.Request) -> web.Response:
    """Read, answer."""
    body = msgspec.json.decode(await request.read())
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")


async def serve(certificate: Path, key: Path, port: int) -> None:
    """Until killed."""
    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls.web_context(certificate, key)).start()
    print("up", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop_runner:
        loop_runner.run(serve(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
