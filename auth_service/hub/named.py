"""Whether there is what somebody names to `homesystem`, in the service's own database, whether it runs or not."""

from collections.abc import Iterable

from auth_service.config import AuthConfig
from auth_service.home import places, room_rows
from auth_service.hub import opening


async def check_places(config: AuthConfig, devices: Iterable[str]) -> tuple[str, ...]:
    """Those of `devices` (`hall/lamp`) of which nobody knows yet, since their room never came up.

    Raises HomeError: not-found (the room), unknown-device; ConfigError as opening.opened does.
    """
    async with opening.opened(config) as (store, _, _), store.read() as connection:
        return places.check(await room_rows.all_enrolled(connection), devices)
