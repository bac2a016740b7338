"""What the doctor asks a running home: the broker, each service, and the mail server."""

import asyncio
import threading
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from deploy.examining.finding import Finding, examine, skipped, well, wrong
from deploy.folder import turns
from deploy.folder.home import Home
from deploy.live_broker import broker as brokers
from deploy.running import ready
from deploy.running.installation import Installation
from shared import mail
from shared.door.client import Address, AlertsAddress, AuthAddress, ReadingsAddress, ServiceClient
from shared.keeping import database
from shared.mail import MailError, SmtpConfig
from shared.running.config import ConfigError
from shared.words import internal
from shared.words.internal_alerts import AlertsReady
from shared.words.internal_readings import ReadingsReady
from shared.words.problem import HomeError

_FOREIGN = "not of our authority"
_LOOKS = 5
_LOOK_AGAIN_SECONDS = 1.0


def broker(home: Home, here: Installation) -> Iterator[Finding]:
    """It answers over TLS, and believes the certificate that we show."""
    try:
        with turns.turn(home.var, "homesystem doctor"), brokers.as_admin(home):
            yield well("broker", f"answers over TLS on port {home.settings.mqtt_port} and knows us")
    except HomeError as error:
        running = brokers.runs(home) if home.apart else brokers.process(home) is not None
        yield wrong("broker", error.detail, _step(error, here.log("broker") if running else here.start("broker")))


def services(home: Home, here: Installation) -> Iterator[Finding]:
    """Each says of itself that it could do its work."""
    yield from examine("auth", lambda: _auth(home, here))
    yield from examine("alerts", lambda: _alerts(home, here))
    yield from examine("readings", lambda: _readings(home, here))
    yield from _gateway(home, here)


def _gateway(home: Home, here: Installation) -> Iterator[Finding]:
    port = home.settings.https_port
    if (said := gateway_says(home)) == HTTPStatus.OK:
        yield well("gateway", f"is ready on port {port}")
    elif said is None:
        yield wrong(
            "gateway", f"does not answer on port {port}, or with another home's certificate", here.mend("gateway")
        )
    else:
        yield wrong("gateway", f"is not ready on port {port}", f"mend what stands above; {here.log('gateway')}")


def gateway_says(home: Home) -> int | None:
    """With what it answers whether it is ready; None where it does not.

    It gives its parts less than a second, and we give it five: one hiccup of a small machine is no fault of the home.
    """
    pause = threading.Event()
    said = None
    for look in range(_LOOKS):
        pause.wait(_LOOK_AGAIN_SECONDS if look else 0)
        said = ready.ask_web(home, "/readyz")
        if said not in (None, HTTPStatus.SERVICE_UNAVAILABLE):
            break
    return said


def mail_server(home: Home, here: Installation) -> Iterator[Finding]:
    """It takes our sender and the master users' addresses; no letter is sent."""
    from alert_service import config as alerts

    try:
        smtp = alerts.read(home.config("alerts")).smtp
    except ConfigError:
        yield skipped("mail", "not looked at: alerts.toml has to be mended first")
        return
    try:
        refused = asyncio.run(_try_mail(home, smtp))
    except MailError as error:
        mended = here.start("mailbox") if home.settings.demo else "check [smtp] in alerts.toml and auth.toml"
        yield wrong("mail", f"{smtp.host}:{smtp.port} does not take letters: {error}", mended)
    else:
        yield well("mail", f"{smtp.host}:{smtp.port} takes letters from {smtp.sender} ({smtp.security})")
        for address, reason in refused.items():
            yield wrong("mail", f"{smtp.host}:{smtp.port} refuses {address}: {reason}", "check `homesystem user list`")


async def _try_mail(home: Home, smtp: SmtpConfig) -> dict[str, str]:
    return await mail.check(smtp, await _masters(home))


async def _masters(home: Home) -> list[str]:
    """Whom letters go to. Where the accounts cannot be read, which is told elsewhere, nobody is asked for by name."""
    from auth_service import config as auth
    from auth_service.hub import accounts

    try:
        config = auth.read(home.config("auth"))
        if database.missing(config.database) is not None:
            return []
        async with accounts.opened(config) as book:
            rows = await book.list_users()
    except (ConfigError, HomeError):
        return []
    return [row.user.email for row in rows if row.is_acting_master]


def _auth(home: Home, here: Installation) -> Iterator[Finding]:
    address = AuthAddress(host=home.called("auth"), port=home.settings.auth_port)
    try:
        asyncio.run(_ask(home, address, "auth-unreachable", dict))
    except HomeError as error:
        yield wrong("auth", f"does not answer: {error.detail}", _step(error, here.mend("auth")))
    else:
        yield well("auth", f"is ready on port {address.port}")


def _alerts(home: Home, here: Installation) -> Iterator[Finding]:
    address = AlertsAddress(host=home.called("alerts"), port=home.settings.alerts_port)
    try:
        said: AlertsReady = asyncio.run(_ask(home, address, "alerts-unreachable", AlertsReady))
    except HomeError as error:
        yield wrong("alerts", f"does not answer: {error.detail}", _step(error, here.mend("alerts")))
        return
    if not said.recording or not said.broker:
        what = "cannot write its record" if not said.recording else "does not reach the broker"
        yield wrong("alerts", f"answers, and {what}", here.log("alerts"))
    else:
        yield well("alerts", f"is recording; {said.mail.letters_waiting} letters wait")
    if said.mail.failing_since is not None:
        text = f"no letter goes out since {said.mail.failing_since:%Y-%m-%d %H:%M} UTC: {said.mail.failure}"
        yield wrong("letters", text, "check [smtp] in alerts.toml")
    for recipient, reason in said.refusals.items():
        text = f"those to {recipient} wait: {reason}"
        yield wrong("letters", text, "check the address: `homesystem user list`, and `rules` in alerts.toml")
    if not said.mail.recipients_known:
        yield wrong(
            "letters", "nobody is known to write to", f"see whether the auth service runs; {here.log('alerts')}"
        )
    for name, failure in said.ways.items():
        yield wrong("letters", f"the way {name} is closed: {failure}", "check its url_file and the service behind it")


def _readings(home: Home, here: Installation) -> Iterator[Finding]:
    address = ReadingsAddress(host=home.called("readings"), port=home.settings.readings_port)
    try:
        said: ReadingsReady = asyncio.run(_ask(home, address, "readings-unreachable", ReadingsReady))
    except HomeError as error:
        yield wrong("readings", f"does not answer: {error.detail}", _step(error, here.mend("readings")))
        return
    if not said.recording or not said.broker:
        what = "cannot write readings" if not said.recording else "does not reach the broker"
        yield wrong("readings", f"answers, and {what}", here.log("readings"))
    else:
        yield well("readings", f"is recording {said.devices} devices")


def _step(error: HomeError, usual: str) -> str:
    return "another home may hold this port: stop it, or choose other ports" if _FOREIGN in error.detail else usual


async def _ask(home: Home, address: Address, absent: str, kind: type[Any]) -> Any:
    async with ServiceClient(address, brokers.config(home).tls, absent=absent) as service:
        return await service.call("GET", internal.READY, kind)
