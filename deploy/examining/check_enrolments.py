"""What the doctor sees of rooms and trusted clients: wholly enrolled, or wholly out."""

import asyncio
from collections.abc import Iterator

from auth_service import config as auth_config
from auth_service.home.identity_rows import IdentityRow
from auth_service.hub import accounts
from deploy.allowing import orders, rights
from deploy.examining.finding import Finding, well, wrong
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from shared.keeping import database
from shared.running.config import ConfigError
from shared.words.names import is_reserved


def enrolments(home: Home) -> Iterator[Finding]:
    """Registry and broker say the same of everyone."""
    # To look is not to make: opened, it would be an empty one, in which all is well.
    if (path := database.missing(auth_config.read(home.config("auth")).database)) is not None:
        text = f"{path} is not there: nobody has an account, and no room is known"
        yield wrong("enrolments", text, "bring it back: `homesystem restore` of a backup")
        return
    known = asyncio.run(_identities(home))
    document = brokers.read(home)
    faults = 0
    for identity in known:
        standing = orders.written(document, identity.name)
        name, role = identity.name, identity.role
        if identity.revoked_at is None and standing.holds and standing.disabled:
            faults += 1
            text = f"{role} {name} is disabled at the broker: it was being dropped, and that was interrupted"
            yield wrong("enrolments", text, f"`homesystem {role} renew {name}` again")
        elif identity.revoked_at is None and not standing.holds:
            faults += 1
            text = f"{role} {name} is in the registry and has no rights: its enrolment was interrupted"
            yield wrong(
                "enrolments", text, f"`homesystem {role} add` again finishes it, `homesystem {role} revoke` ends it"
            )
        if identity.revoked_at is not None and standing.admitted:
            faults += 1
            text = f"{role} {name} was revoked and still has its rights: the revocation was interrupted"
            yield wrong("enrolments", text, f"`homesystem {role} revoke {name}` again")
        if identity.revoked_at is None and is_reserved(name):
            faults += 1
            text = f"{role} {name} is called like something of the hub's own, which an older version let be"
            yield wrong("enrolments", text, f"`homesystem {role} revoke {name}`, then `{role} add` under another name")
    rooms = {identity.name for identity in known if identity.role == "room" and identity.revoked_at is None}
    for role in document["roles"]:
        if role["rolename"] in rooms and rights.speaks_for_all(role):
            faults += 1
            text = f"room {role['rolename']} may still speak of any device that it makes up, as older versions let it"
            yield wrong("enrolments", text, "it ends once the room is online; if it is, restart the gateway")
    if not faults:
        live = sum(identity.revoked_at is None for identity in known)
        yield well(
            "enrolments", f"{live} rooms and clients have their rights, {len(known) - live} revoked ones have none"
        )


def enrolled_rooms(home: Home) -> list[str]:
    """Those that are enrolled. Raises ConfigError where the accounts are not there, HomeError where nobody can read."""
    if (path := database.missing(auth_config.read(home.config("auth")).database)) is not None:
        raise ConfigError(f"{path} is not there")
    return [row.name for row in asyncio.run(_identities(home)) if row.role == "room" and row.revoked_at is None]


async def _identities(home: Home) -> list[IdentityRow]:
    async with accounts.opened(auth_config.read(home.config("auth"))) as book:
        return [row for row in await book.list_identities() if row.role in ("room", "client")]
