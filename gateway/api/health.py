"""GET /healthz and /readyz, for supervisors and load balancers; they tell no version and no names."""

from aiohttp import web

from gateway import keys


async def alive(_request: web.Request) -> web.Response:
    """200: this process answers."""
    return web.Response(text="ok\n")


async def ready(request: web.Request) -> web.Response:
    """200 while a command would be carried out: broker and auth service answer, proof can be written, rooms known."""
    if await request.app[keys.READINESS].now():
        return web.Response(text="ready\n")
    return web.Response(text="not ready\n", status=503)
