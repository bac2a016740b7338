"""What the doctor rehearses: whether somebody could sign in now, up to the letter, which is not sent."""

import asyncio
import http
from collections.abc import Iterator

from deploy.examining.finding import Finding, well, wrong
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from deploy.running import ready
from deploy.running.installation import Installation
from shared.door.client import AuthAddress, ServiceClient
from shared.words.internal_rehearsal import SIGN_IN_REHEARSAL, SignInRehearsal
from shared.words.problem import HomeError

_STEPS = {
    "password": "`homesystem doctor` again in a minute",
    "account": "`homesystem user list`, then `homesystem user add`",
    "database": "check `database` in auth.toml, its disk, owner and mode",
    "mail": "check [smtp] in auth.toml",
}


def sign_in(home: Home, here: Installation) -> Iterator[Finding]:
    """The page is there, and the auth service can do each part of it in its own process, under its own limits."""
    told, away = SignInRehearsal(), {}
    if (status := ready.ask_web(home, "/login")) != http.HTTPStatus.OK:
        away["gateway"] = f"its page {f'answers {status}' if status else 'is not there'}"
    try:
        told = asyncio.run(_rehearse(home))
    except HomeError as error:
        away["auth"] = f"the auth service does not get through it ({error.detail})"
    faults = {part: fault for part in _STEPS if (fault := getattr(told, part)) is not None}
    if away:
        yield wrong("sign-in", f"nobody can sign in: {', and '.join(away.values())}", here.mend([*away][-1]))
    for part, fault in faults.items():
        yield wrong("sign-in", f"nobody can sign in: {part}: {fault}", f"{_STEPS[part]}; {here.log('auth')}")
    if not away and not faults:
        yield well("sign-in", "was gone through up to the letter: page, password, code, mail server")


async def _rehearse(home: Home) -> SignInRehearsal:
    address = AuthAddress(host=home.called("auth"), port=home.settings.auth_port)
    async with ServiceClient(address, brokers.config(home).tls, absent="auth-unreachable", seconds=60) as service:
        return await service.call("GET", SIGN_IN_REHEARSAL, SignInRehearsal)
