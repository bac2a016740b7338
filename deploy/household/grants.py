"""What guests may do, for the `homesystem` command: in the auth service's own database, whether it runs or not."""

from datetime import datetime
from zoneinfo import ZoneInfo

from auth_service import config as auth_config
from auth_service.hub import grants as book
from deploy.enrolling import enrol
from deploy.folder import home as homes
from shared.words import grant_text
from shared.words.grant_times import DAY, outlook
from shared.words.internal import Grant
from shared.words.names import Action, Role
from shared.words.problem import HomeError

_LOOK = "look"


def read(
    home: homes.Home,
    may: list[str],
    *,
    only: str | None,
    days: str | None,
    hours: str | None,
    since: str | None,
    until: str | None,
) -> tuple[Grant, ...]:
    """The grants of a command line. Raises HomeError("invalid-value") that names the option."""
    if not may and any(option is not None for option in (only, days, hours, since, until)):
        raise HomeError("invalid-value", "Say for which device: --may ROOM/DEVICE.")
    zone = ZoneInfo(home.settings.timezone)
    option = ""
    try:
        option = "--days"
        weekdays = grant_text.read_days(days) if days is not None else tuple(range(7))
        option = "--hours"
        from_minute, to_minute = grant_text.read_hours(hours) if hours is not None else (0, DAY)
        option = "--from"
        begins = grant_text.read_moment(since, zone) if since is not None else None
        option = "--until"
        ends = grant_text.read_moment(until, zone, ends=True) if until is not None else None
        option = "--only"
        actions = _actions(only)
    except ValueError as error:
        raise HomeError("invalid-value", f"{option}: {error}.") from error
    return tuple(
        Grant(
            room=room,
            device=device,
            actions=actions,
            weekdays=weekdays,
            from_minute=from_minute,
            to_minute=to_minute,
            since=begins,
            until=ends,
        )
        for room, device in map(enrol.device_ref, may)
    )


async def change(home: homes.Home, email: str, wanted: tuple[Grant, ...], *, none: bool) -> list[str]:
    """Grant these besides what was granted, or with `none` instead of it; what stands then, in lines.

    A second try changes nothing. Raises HomeError: not-found, invalid-value.
    """
    async with book.opened(auth_config.read(home.config("auth"))) as guests:
        row = await guests.of(email)
        if wanted or none:
            row = await guests.grant(email, wanted, instead=none)
    if row.user.role is not Role.GUEST:
        return [f"{email} is no guest, and may use every room."]
    return [*told(email, row.grants, datetime.now(ZoneInfo(home.settings.timezone)))]


def told(email: str, grants: tuple[Grant, ...], now: datetime) -> list[str]:
    """What stands, grant by grant, each with whether it holds now and what comes next; `now` is in the home's zone."""
    if not grants:
        return [f"{email} may use nothing."]
    lines = [f"{email} may use, in the home's time ({now.tzinfo}):"]
    for grant in grants:
        holds, changes = outlook([grant], now)
        at = f"{changes.astimezone(now.tzinfo):%a %Y-%m-%d %H:%M}" if changes is not None else None
        if holds:
            stands = f"now, until {at}" if at is not None else "now"
        else:
            stands = f"next on {at}" if at is not None else "over"
        lines.append(f"  {grant_text.written(grant, now.tzinfo)} ({stands})")
    return lines


def _actions(only: str | None) -> tuple[Action, ...] | None:
    if only is None:
        return None
    if only == _LOOK:
        return ()
    wanted = [name.strip() for name in only.split(",")]
    known = {action.value: action for action in Action}
    if strange := [name for name in wanted if name not in known]:
        raise ValueError(f"{strange[0] or 'nothing'} is no action; there are {', '.join(known)}, and look")
    return tuple(known[name] for name in wanted)
