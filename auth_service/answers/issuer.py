"""Who asks us: one of our own services, by its certificate."""

from aiohttp import web

from shared.door.web import caller


def issuer(request: web.Request) -> str:
    """The identity of the gateway that asks."""
    return caller(request) or ""
