"""Wires the auth service together, and runs it until it is cancelled."""

import asyncio
import logging
import ssl
import time
from datetime import UTC, datetime, timedelta

from auth_service.account.appointments import Appointments
from auth_service.account.confirm_ways import ConfirmWays
from auth_service.account.current_password import CurrentPassword
from auth_service.account.factor_demand import FactorDemand
from auth_service.account.farewells import Farewells
from auth_service.account.guests import Guests
from auth_service.account.home_looks import HomeLooks
from auth_service.account.invitations import Invitations
from auth_service.account.masters import Masters
from auth_service.account.others import Others
from auth_service.account.own_email import OwnEmail
from auth_service.account.own_factors import OwnFactors
from auth_service.account.own_looks import OwnWays
from auth_service.account.own_passkeys import OwnPasskeys
from auth_service.account.own_password import OwnPassword
from auth_service.account.own_profile import OwnProfile
from auth_service.account.owners import Owners
from auth_service.account.pending_watch import PendingWatch
from auth_service.account.pending_wishes import PendingWishes
from auth_service.account.room_files import RoomFiles
from auth_service.account.step_up import StepUp
from auth_service.account.tokens import Tokens
from auth_service.account.waiting import Waiting
from auth_service.answers.granting import Granting
from auth_service.answers.joining import ByLine
from auth_service.answers.locking import Locking
from auth_service.answers.looks import ByLooks
from auth_service.answers.own import Own
from auth_service.answers.passkeys import ByPasskey
from auth_service.answers.pending import ByPending
from auth_service.answers.people import ForPeople
from auth_service.answers.proving import Proving
from auth_service.answers.reading import Reading
from auth_service.answers.room_files import ByRoomFile
from auth_service.answers.signing import Signing
from auth_service.answers.tokens import ByToken
from auth_service.answers.waiting import ByWaiting
from auth_service.api import make_app
from auth_service.config import AuthConfig
from auth_service.confirming.errands import Errands
from auth_service.confirming.mail_watch import MailWatch
from auth_service.home import authorities, lockdown, lockouts, signer_orders
from auth_service.home.confirmed_lockdown import ConfirmedLockdown
from auth_service.home.expected import Expected
from auth_service.home.keeping import Keeping
from auth_service.home.lockdown import Lockdown
from auth_service.home.lockouts import Lockouts
from auth_service.home.notices import Noticeboard
from auth_service.home.renewals import Renewals
from auth_service.home.rooms import Rooms
from auth_service.joining.by_person import WindowsByPerson
from auth_service.joining.joining import Joining
from auth_service.joining.windows import Windows
from auth_service.mending import waiting
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import upkeep
from auth_service.signing_in.passkey_sign_in import PasskeySignIn
from auth_service.signing_in.rehearsal import Rehearsal
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Announcer, Sessions
from auth_service.signing_in.sign_in import SignIn
from shared import mail
from shared.broker.bus import Bus, Delivery
from shared.broker.mqtt import Subscription
from shared.door.web import REVOKED, serve_https
from shared.keeping.database import Store
from shared.keeping.torn import TornError
from shared.mail import MailError
from shared.proof.courier import Courier
from shared.proof.spool import Spool
from shared.running import systemd
from shared.running.config import ConfigError, read_secret
from shared.running.lifecycle import stay_alive
from shared.running.log import facts
from shared.trust import renewal
from shared.trust.revoked import RevocationList
from shared.words import topics
from shared.words.problem import HomeError

log = logging.getLogger(__name__)


async def serve(config: AuthConfig) -> None:
    """Serve until cancelled. Raises ConfigError for what an owner can mend."""
    context = renewal.server_context(config.listen.tls)
    passwords = Passwords(read_secret(config.pepper_file), rounds=config.passwords.bcrypt_rounds)
    spool = _open_spool(config)
    try:
        while True:
            store = await waiting.opened(config, spool, now=_now)
            try:
                await _serve(config, store, spool, passwords, context)
            except* TornError as torn:
                log.error("The accounts cannot be used any more", extra=facts(reason=torn.exceptions[0]))
            finally:
                await store.close()
    finally:
        spool.close()
        passwords.close()


async def _serve(config: AuthConfig, store: Store, spool: Spool, passwords: Passwords, context: ssl.SSLContext) -> None:
    async with store.read() as connection:
        passwords.reckon_with(await user_rows.password_hashes(connection))
    limits = Limits(
        idle=timedelta(hours=config.sessions.idle_hours),
        absolute=timedelta(days=config.sessions.absolute_days),
        own_idle=timedelta(days=config.sessions.own_idle_days),
        own_absolute=timedelta(days=config.sessions.own_absolute_days),
    )
    announcer = Announcer(store)
    believed = authorities.notice(config.broker.tls.ca)
    board = Noticeboard(store, lockdown.notice(), lockouts.notice(_now), believed, now=_now)

    def hear(delivery: Delivery) -> None:
        if not courier.hear(delivery):
            renewals.hear(delivery)

    async def link_up() -> None:
        courier.link_up()
        announcer.wake()
        board.link_up()

    name = config.broker.identity
    bus = Bus(
        config.broker,
        subscriptions=(
            Subscription(topics.receipt(name)),
            Subscription(topics.resend(name)),
            Subscription(topics.ALL_CSRS, live_only=True, optional=True),
        ),
        on_message=hear,
        on_up=link_up,
    )
    courier = Courier(spool, bus)
    proof = Proof(spool, now=_now, wake=courier.wake)
    renewals = Renewals(store, proof, signer_orders.signing_by(config.signer), now=_now)
    sessions = Sessions(store, proof, limits=limits, now=_now, wake=announcer.wake, home=config.sessions.home_networks)

    def locked_down() -> None:
        board.wake()  # first, so that rooms and gateways know it before the sessions go
        announcer.wake()

    async def send(letter: mail.Letter) -> None:
        await mail.send(config.smtp, letter, time.time())

    async def refused_by_mail() -> dict[str, str]:
        async with store.read() as connection:
            rows = await user_rows.all_rows(connection)
        masters = [row.user.email for row in rows if row.is_acting_master]
        return await mail.check(config.smtp, masters)

    async def check_mail() -> None:
        for address, reason in (await refused_by_mail()).items():
            raise MailError(f"{address} is refused: {reason}", permanent=True)

    async with asyncio.TaskGroup() as group:
        errands = Errands(group)
        sign_in = SignIn(store, passwords, proof, errands, send=send, limits=limits, now=_now, language=config.language)
        sign, give = signer_orders.signing_by(config.signer), signer_orders.rights_by(config.signer)
        expected = Expected()
        rooms = Rooms(store, proof, give, now=_now, wake=board.wake, expected=expected)
        admit = signer_orders.clients_rights_by(config.signer)
        joining = Joining(store, proof, errands, sign, give, admit, authority=config.broker.tls.ca, now=_now)
        confirmed = ConfirmedLockdown(
            store,
            Lockdown(store, proof, now=_now, wake=locked_down),
            sessions,
            passwords,
            proof,
            errands,
            send=send,
            limits=limits,
            now=_now,
            language=config.language,
        )
        current = CurrentPassword(store, passwords, proof, errands, now=_now)
        owners = Owners(sessions, current, limits=limits, now=_now)
        own_factors = OwnFactors(store, passwords, proof, owners, now=_now)
        own_passkeys = OwnPasskeys(store, passwords, proof, owners, now=_now)
        by_passkey = PasskeySignIn(store, passwords, proof, errands, limits=limits, now=_now)
        home_words = config.passwords.home_words
        own_password = OwnPassword(store, passwords, proof, owners, wake=announcer.wake, home_words=home_words)
        farewells = Farewells(store, send=send, now=_now, language=config.language)
        own_email = OwnEmail(
            store,
            passwords,
            proof,
            owners,
            errands,
            farewells,
            send=send,
            now=_now,
            wake=announcer.wake,
            language=config.language,
        )
        step_up = StepUp(store, sessions, passwords, proof, current, limits=limits, now=_now, wake=announcer.wake)
        guests = Guests(store, proof, wake=announcer.wake)
        tokens = Tokens(store, sessions, proof, current, limits=limits, now=_now, wake=announcer.wake)
        masters = Masters(store, owners)
        invitations = Invitations(
            store,
            passwords,
            proof,
            masters,
            errands,
            send=send,
            now=_now,
            language=config.language,
            home_words=home_words,
        )
        lockouts_ = Lockouts(store, proof, wake=board.wake)
        patrol = PendingWatch(store, sessions, proof, now=_now, wake=announcer.wake, issuer=name)
        pending = PendingWishes(store, sessions, proof, patrol, now=_now, wake=announcer.wake)
        rehearsal = Rehearsal(store, passwords, check_mail=check_mail, now=_now)
        watch = MailWatch(refused_by_mail)  # one address that is refused is no reason to say that mail is away
        app = make_app(
            Signing(sign_in, sessions, rehearsal, watch),
            Reading(store, rooms, sessions, Keeping(store, signer_orders.ends_by(config.signer))),
            Locking(lockouts_, confirmed, watch),
            Own(own_password, own_email, own_factors),
            Granting(guests),
            ByToken(tokens),
            ByPasskey(own_passkeys, by_passkey),
            ForPeople(
                invitations,
                Others(store, proof, masters, now=_now, wake=announcer.wake),
                OwnProfile(store, proof, owners, wake=announcer.wake),
            ),
            Proving(
                step_up,
                ConfirmWays(store, sessions, proof, now=_now, wake=announcer.wake),
                FactorDemand(store, sessions, proof, now=_now, wake=announcer.wake),
            ),
            ByWaiting(Waiting(store, proof, now=_now, wake=board.wake)),
            ByPending(pending, Appointments(store, patrol, now=_now, wake=announcer.wake)),
            ByLooks(HomeLooks(store, sessions, proof, wake=announcer.wake), OwnWays(store, sessions, announcer.wake)),
            ByLine(joining, WindowsByPerson(Windows(store, proof, now=_now), sessions, now=_now)),
            ByRoomFile(RoomFiles(store, sessions, proof, expected, bus.publish, now=_now)),
        )
        listen = config.listen
        app[REVOKED] = RevocationList(listen.tls.ca)
        parts = (sign_in, by_passkey, confirmed, current, tokens, invitations, own_email, farewells, joining)
        sweeps = tuple(part.sweep for part in parts)
        async with serve_https(app, listen.host, listen.port, context, bounds=config.connections):
            group.create_task(waiting.watch(store, config, proof), name="file")
            group.create_task(bus.run(), name="bus")
            group.create_task(courier.run(), name="courier")
            group.create_task(announcer.run(bus), name="announcer")
            group.create_task(board.run(bus), name="noticeboard")
            group.create_task(upkeep.keep(store, sessions, proof, sweeps, now=_now), name="upkeep")
            group.create_task(renewals.run(bus), name="renewals")
            group.create_task(patrol.run(), name="pending")
            group.create_task(watch.run(), name="mail")
            systemd.notify("READY=1")
            await stay_alive(lambda: _status(config, bus))


def _status(config: AuthConfig, bus: Bus) -> str:
    """For people, in `systemctl status`."""
    where = f"serving on port {config.listen.port}"
    return f"Signing people in; {where}" if bus.connected else f"The broker cannot be reached; {where}"


def _open_spool(config: AuthConfig) -> Spool:
    try:
        return Spool(config.spool, source=config.broker.identity, alone=True)
    except (HomeError, OSError) as error:
        raise ConfigError(f"spool: {error}; free space, or check the folder's owner") from error


def _now() -> datetime:
    return datetime.now(UTC)
