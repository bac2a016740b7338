"""A room in sums as one viewer may see it."""

from datetime import datetime

from gateway.picture import guards
from gateway.picture.guards import Viewer
from gateway.picture.home import Home
from gateway.picture.sums import RoomSum, sum_of


def sum_for(viewer: Viewer, home: Home, room: str, now: datetime) -> RoomSum | None:
    """The room, of those of its devices that the viewer may see; None for one that they may not know of."""
    if guards.sees_all(viewer):
        return home.sum(room)
    found = home.room(room) if guards.may_see_room(viewer, room, now) else None
    visible = guards.visible(viewer, (found,), now) if found is not None else ()
    return sum_of(visible[0]) if visible else None
