"""The typed keys under which a request finds the gateway's parts: `request.app[keys.HOME]`.

Set once, in app.py. Everything else gets what it needs as arguments.
"""

from collections.abc import Awaitable, Callable, Container
from typing import TYPE_CHECKING

from aiohttp import web

from shared.words.problem import HomeError

if TYPE_CHECKING:
    from gateway.alerts_client import AlertsClient
    from gateway.auth_client import AuthClient
    from gateway.browsers import Browsers
    from gateway.commands import Commands
    from gateway.config import GatewayConfig
    from gateway.events import Hub
    from gateway.home import Home
    from gateway.limits import Limits
    from gateway.proof import Proof
    from gateway.proxies import Proxies
    from gateway.readiness import Readiness
    from gateway.registry import Registrar
    from gateway.sessions import Sessions
    from shared.broker.bus import Bus

ProblemPage = Callable[[web.Request, HomeError], Awaitable[web.StreamResponse]]

CONFIG: "web.AppKey[GatewayConfig]" = web.AppKey("config")
HOME: "web.AppKey[Home]" = web.AppKey("home")
BUS: "web.AppKey[Bus]" = web.AppKey("bus")
AUTH: "web.AppKey[AuthClient]" = web.AppKey("auth")
ALERTS: "web.AppKey[AlertsClient]" = web.AppKey("alerts")
SESSIONS: "web.AppKey[Sessions]" = web.AppKey("sessions")
BROWSERS: "web.AppKey[Browsers]" = web.AppKey("browsers")
LIMITS: "web.AppKey[Limits]" = web.AppKey("limits")
COMMANDS: "web.AppKey[Commands]" = web.AppKey("commands")
PROOF: "web.AppKey[Proof]" = web.AppKey("proof")
HUB: "web.AppKey[Hub]" = web.AppKey("hub")
REGISTRAR: "web.AppKey[Registrar]" = web.AppKey("registrar")
READINESS: "web.AppKey[Readiness]" = web.AppKey("readiness")
PROXIES: "web.AppKey[Proxies]" = web.AppKey("proxies")
OWN_ORIGINS: web.AppKey[Container[str]] = web.AppKey("own_origins")
ROUTE_LIMITS: web.AppKey[dict[object, str | None]] = web.AppKey("route_limits")
"""Which limit counts which handler; filled by `gateway.routes.add`."""
RENDER_PROBLEM: web.AppKey[ProblemPage] = web.AppKey("render_problem")
"""How a problem looks as a page; set by the pages. Without it every problem is a JSON document."""
