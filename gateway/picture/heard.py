"""What was heard of one room, and what that comes down to for whoever looks; folded by `gateway.picture.home`."""

from gateway.picture.devices import Device
from gateway.picture.sums import RoomSum
from gateway.picture.views import DeviceView, Status
from shared.words.messages import Description, State


class Heard:
    """One room. Its views and sums are made when they are asked for, and kept until something about them changes."""

    __slots__ = ("description", "devices", "heard_at", "session", "states", "status", "total", "views")

    def __init__(self) -> None:
        self.description: Description | None = None
        self.session: str | None = None
        self.status: Status = "unknown"
        self.heard_at = 0.0
        self.states: dict[str, State] = {}
        self.devices: dict[str, Device] = {}
        self.views: dict[str, DeviceView] = {}
        self.total: RoomSum | None = None

    def changed(self, device: str | None = None) -> None:
        """How it looks is to be worked out anew, of one device or of all."""
        self.total = None
        if device is None:
            self.views.clear()
        else:
            self.views.pop(device, None)

    def become(self, status: Status) -> None:
        """Be there, or not: every device looks another way."""
        self.status = status
        self.changed()
