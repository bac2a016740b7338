"""The typed keys under which a request finds what stands behind the door: `request.app[keys.HOME]`.

Set once, in app.py. Everything else gets what it needs as arguments; what the door itself needs, each of its rooms has
the key of.
"""

from typing import Final

from aiohttp import web

from gateway.acting.commands import Commands
from gateway.acting.proof import Proof
from gateway.acting.readiness import Readiness
from gateway.acting.room_files import RoomFiles
from gateway.config import GatewayConfig
from gateway.inside.alerts_client import AlertsClient
from gateway.inside.auth_client import AuthClient
from gateway.inside.readings_client import ReadingsClient
from gateway.inside.registry import Registrar
from gateway.picture.home import Home
from gateway.streams.events import Hub

CONFIG: Final = web.AppKey("config", GatewayConfig)
HOME: Final = web.AppKey("home", Home)
AUTH: Final = web.AppKey("auth", AuthClient)
ALERTS: Final = web.AppKey("alerts", AlertsClient)
READINGS: Final = web.AppKey("readings", ReadingsClient)
COMMANDS: Final = web.AppKey("commands", Commands)
PROOF: Final = web.AppKey("proof", Proof)
ROOM_FILES: Final = web.AppKey("room_files", RoomFiles)
HUB: Final = web.AppKey("hub", Hub)
REGISTRAR: Final = web.AppKey("registrar", Registrar)
READINESS: Final = web.AppKey("readiness", Readiness)
