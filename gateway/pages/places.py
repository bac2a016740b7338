"""Where a form about a device stood, and what to call the device."""

from aiohttp import web
from yarl import URL

from gateway import keys
from gateway.pages.speaking import say


def where_from(back: str, room: str, device: str) -> URL:
    """The page that the form stood on, at its device. Only our own two pages, whatever the form says."""
    page = URL("/") / "rooms" / room if back == "room" else URL("/")
    return page.with_fragment(f"{room}.{device}")


def named(request: web.Request, room: str, device: str) -> tuple[str, str]:
    """What to call the device, "Lamp in Hall", and its kind; what is not there is refused by `ask` all the same."""
    home = request.app[keys.HOME]
    view, around = home.view(room, device), home.room(room)
    if view is None or around is None:
        return device, ""
    return say("{device} in {room}", device=view.name, room=around.name), view.kind
