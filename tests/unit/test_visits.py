"""Every page that the gateway has is looked at by the test of all pages, or it is written down why not."""

from aiohttp import web

from gateway.door import routes
from gateway.pages.routes import add_pages
from tests.visits.every import PHASES, UNVISITED


def pages() -> set[str]:
    """What a GET brings to people: the route table without the files that pages are made of."""
    app = web.Application()
    app[routes.ROUTE_LIMITS] = {}
    app[routes.BY_TOKEN] = set()
    add_pages(app)
    found = {
        route.resource.canonical
        for route in app.router.routes()
        if route.method == "GET" and route.resource is not None
    }
    return found - {"/service-worker.js", "/static/{version}/{name}"}


def visited() -> set[str]:
    return {visit.route for phase in PHASES for visit in phase.visits}


def test_every_page_is_visited_or_it_says_why_not() -> None:
    assert len(pages()) > 20
    assert pages() - visited() - set(UNVISITED) == set(), "add a Visit for it in tests/visits"
    assert visited() - pages() == set(), "there is no such page any more"
    assert set(UNVISITED) <= pages() - visited(), "it is visited, or gone"


def test_each_state_has_a_name_of_its_own() -> None:
    names = [visit.name for phase in PHASES for visit in phase.visits]
    assert len(set(names)) == len(names)
