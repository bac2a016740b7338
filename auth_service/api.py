"""Internal HTTPS: routes, and which certificate may call which (one of our authority is not enough: ASVS 12.3.5)."""

from aiohttp import web

from auth_service.account.guests import Guests
from auth_service.account.own_factors import OwnFactors
from auth_service.account.own_passkeys import OwnPasskeys
from auth_service.account.own_password import OwnPassword
from auth_service.account.tokens import Tokens
from auth_service.by_passkey import ByPasskey
from auth_service.confirming.mail_watch import MailWatch
from auth_service.home.confirmed_lockdown import ConfirmedLockdown
from auth_service.home.lockouts import Lockouts
from auth_service.home.rooms import Rooms
from auth_service.people import user_rows
from auth_service.signing_in.passkey_sign_in import PasskeySignIn
from auth_service.signing_in.rehearsal import Rehearsal
from auth_service.signing_in.sessions import Sessions
from auth_service.signing_in.sign_in import SignIn
from shared.door.web import USER, Handler, allow, caller, internal_app, json_response, read_json
from shared.keeping.database import Store
from shared.words import (
    internal,
    internal_account,
    internal_factors,
    internal_grants,
    internal_passkeys,
    internal_tokens,
)
from shared.words.problem import HomeError

GATEWAYS = ("gateway", "gateway-*")
_MAIL_PATIENCE_SECONDS = 1.0
"""A page waits no longer for a mail server that does not answer; what it then shows is asked for again."""


def make_app(
    store: Store,
    sign_in: SignIn,
    sessions: Sessions,
    rooms: Rooms,
    lockouts: Lockouts,
    lockdown: ConfirmedLockdown,
    rehearsal: Rehearsal,
    mail: MailWatch,
    own_password: OwnPassword,
    guests: Guests,
    tokens: Tokens,
    own_factors: OwnFactors,
    own_passkeys: OwnPasskeys,
    passkey_sign_in: PasskeySignIn,
) -> web.Application:
    """The application; every route names who may call it."""
    app = internal_app()
    signing = _Signing(sign_in, sessions, rehearsal, mail)
    reading = _Reading(store, rooms, sessions)
    locking = _Locking(lockouts, lockdown, mail)
    own = _Own(own_password, own_factors)
    granting = _Granting(guests)
    by_token = _ByToken(tokens)
    by_passkey = ByPasskey(own_passkeys, passkey_sign_in)

    def route(method: str, path: str, handler: Handler, *names: str) -> None:
        app.router.add_route(method, path, allow(*names)(handler))

    route("POST", internal.LOGIN_CODE, signing.ask_code, *GATEWAYS)
    route("POST", internal.LOGIN, signing.enter, *GATEWAYS)
    route("GET", internal.MAIL_PATH, signing.mail_path, *GATEWAYS)
    route("GET", internal.SIGN_IN_REHEARSAL, signing.rehearse, "admin")
    route("POST", internal.SESSION, signing.verify, *GATEWAYS)
    route("POST", internal.SESSION_END, signing.end, *GATEWAYS)
    route("GET", internal.SESSIONS, signing.rows, *GATEWAYS)
    route("DELETE", internal.SESSIONS + "/{id}", signing.end_one, *GATEWAYS)
    route("POST", internal_account.PASSWORD, own.change_password, *GATEWAYS)
    route("POST", internal_tokens.TOKEN_USE, by_token.use, *GATEWAYS)
    route("POST", internal_tokens.TOKENS, by_token.make, *GATEWAYS)
    route("GET", internal_tokens.TOKENS, by_token.rows, *GATEWAYS)
    route("DELETE", internal_tokens.TOKENS + "/{id}", by_token.revoke, *GATEWAYS)
    route("POST", internal_factors.FACTORS, own.factors, *GATEWAYS)
    route("POST", internal_factors.FACTOR_BEGIN, own.begin_factor, *GATEWAYS)
    route("POST", internal_factors.FACTOR_CONFIRM, own.confirm_factor, *GATEWAYS)
    route("POST", internal_factors.FACTOR_REMOVE, own.remove_factor, *GATEWAYS)
    route("POST", internal_factors.RECOVERY, own.renew_recovery, *GATEWAYS)
    route("POST", internal_passkeys.PASSKEY_BEGIN, by_passkey.begin, *GATEWAYS)
    route("POST", internal_passkeys.PASSKEY_FINISH, by_passkey.finish, *GATEWAYS)
    route("POST", internal_passkeys.LOGIN_CHALLENGE, by_passkey.ask, *GATEWAYS)
    route("POST", internal_passkeys.LOGIN_PASSKEY, by_passkey.enter, *GATEWAYS)
    route("GET", internal.USERS, reading.users, *GATEWAYS, "admin")
    route("PUT", internal_grants.GRANTS, granting.change, *GATEWAYS)
    route("GET", internal.REGISTRY, reading.registry, *GATEWAYS, "admin")
    route("PUT", internal.ROOM_SEEN + "/{room}", reading.room_seen, *GATEWAYS)
    route("PUT", internal.DEVICE + "/{room}/{device}/lockout", locking.lock_out, *GATEWAYS)
    route("POST", internal.LOCKDOWN_CODE, locking.ask_code, *GATEWAYS)
    route("PUT", internal.LOCKDOWN, locking.lock_down, *GATEWAYS)
    route("GET", internal.RECIPIENTS, reading.recipients, "alerts")
    route("GET", internal.AT_HOME, reading.at_home, "alerts")
    route("GET", internal.READY, reading.ready, *GATEWAYS, "alerts", "admin")
    return app


class _Signing:
    """Signing in and out, and the sessions in between."""

    def __init__(self, sign_in: SignIn, sessions: Sessions, rehearsal: Rehearsal, mail: MailWatch) -> None:
        self._mail = mail
        self._sign_in = sign_in
        self._sessions = sessions
        self._rehearsal = rehearsal

    async def ask_code(self, request: web.Request) -> web.Response:
        asked = await read_json(request, internal.LoginCodeRequest)
        await self._sign_in.ask_code(asked, _issuer(request))
        self._mail.look()
        return web.Response(status=202)

    async def mail_path(self, _request: web.Request) -> web.Response:
        self._mail.look()
        return json_response(await self._mail.known(patience=_MAIL_PATIENCE_SECONDS))

    async def enter(self, request: web.Request) -> web.Response:
        answer = await self._sign_in.enter(await read_json(request, internal.LoginRequest), _issuer(request))
        request[USER] = answer.session.user.id
        return json_response(answer)

    async def rehearse(self, _request: web.Request) -> web.Response:
        return json_response(await self._rehearsal.sign_in())

    async def verify(self, request: web.Request) -> web.Response:
        asked = await read_json(request, internal.SessionToken)
        info = await self._sessions.verify(asked.token, asked.address[:200])
        request[USER] = info.user.id
        return json_response(info)

    async def end(self, request: web.Request) -> web.Response:
        await self._sessions.end_token((await read_json(request, internal.SessionToken)).token, _issuer(request))
        return web.Response(status=204)

    async def rows(self, request: web.Request) -> web.Response:
        user = request.query.get("user")
        if not user:
            raise HomeError("bad-request", "Name a user: ?user=ID.")
        return json_response(await self._sessions.of(user))

    async def end_one(self, request: web.Request) -> web.Response:
        by = request.query.get("by", "")
        await self._sessions.end_id(
            request.match_info["id"],
            owner=request.query.get("user") or None,
            by=by,
            issuer=_issuer(request),
            address=request.query.get("address", "")[:200],
        )
        request[USER] = by or "-"  # for the log, where nothing stands that is only claimed
        return web.Response(status=204)


class _Own:
    """What people change of their own accounts."""

    def __init__(self, password: OwnPassword, factors: OwnFactors) -> None:
        self._password = password
        self._factors = factors

    async def factors(self, request: web.Request) -> web.Response:
        asked = await read_json(request, internal_factors.FactorsAsked)
        return json_response(await self._factors.of(asked.token))

    async def begin_factor(self, request: web.Request) -> web.Response:
        asked = await read_json(request, internal_factors.FactorBegin)
        return json_response(await self._factors.begin(asked, _issuer(request)))

    async def confirm_factor(self, request: web.Request) -> web.Response:
        asked = await read_json(request, internal_factors.FactorConfirm)
        return json_response(await self._factors.confirm(asked, _issuer(request)))

    async def remove_factor(self, request: web.Request) -> web.Response:
        await self._factors.remove(await read_json(request, internal_factors.FactorRemove), _issuer(request))
        return web.Response(status=204)

    async def renew_recovery(self, request: web.Request) -> web.Response:
        asked = await read_json(request, internal_factors.RecoveryAsked)
        return json_response(await self._factors.renew_recovery(asked, _issuer(request)))

    async def change_password(self, request: web.Request) -> web.Response:
        asked = await read_json(request, internal_account.PasswordChange)
        answer = await self._password.change(asked, _issuer(request))
        request[USER] = answer.session.user.id
        return json_response(answer)


class _Granting:
    """What the master user lets guests do."""

    def __init__(self, guests: Guests) -> None:
        self._guests = guests

    async def change(self, request: web.Request) -> web.Response:
        wanted = await read_json(request, internal_grants.GrantsChange)
        changed = await self._guests.change(request.match_info["user"], wanted, _issuer(request))
        request[USER] = wanted.by or "-"
        return json_response(changed)


class _ByToken:
    """API tokens, and what programs do by them."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def use(self, request: web.Request) -> web.Response:
        asked = await read_json(request, internal.SessionToken)
        info = await self._tokens.use(asked.token, asked.address[:200])
        request[USER] = info.user.id
        return json_response(info)

    async def make(self, request: web.Request) -> web.Response:
        wanted = await read_json(request, internal_tokens.TokenWish)
        return json_response(await self._tokens.make(wanted, _issuer(request)), status=201)

    async def rows(self, request: web.Request) -> web.Response:
        user = request.query.get("user")
        if not user:
            raise HomeError("bad-request", "Name a user: ?user=ID.")
        return json_response(await self._tokens.of(user))

    async def revoke(self, request: web.Request) -> web.Response:
        owner = request.query.get("user", "")
        await self._tokens.revoke(
            request.match_info["id"],
            owner=owner,
            issuer=_issuer(request),
            address=request.query.get("address", "")[:200],
        )
        request[USER] = owner or "-"
        return web.Response(status=204)


class _Reading:
    """What gateways and the alert service read, and what a room says of itself."""

    def __init__(self, store: Store, rooms: Rooms, sessions: Sessions) -> None:
        self._store = store
        self._rooms = rooms
        self._sessions = sessions

    async def users(self, _request: web.Request) -> web.Response:
        async with self._store.read() as connection:
            rows = await user_rows.all_rows(connection)
        return json_response(internal.UserRows(users=rows))

    async def recipients(self, _request: web.Request) -> web.Response:
        async with self._store.read() as connection:
            people = await user_rows.recipients(connection)
        return json_response(internal.Recipients(people=people))

    async def at_home(self, _request: web.Request) -> web.Response:
        return json_response(internal.AtHome(somebody=await self._sessions.somebody_at_home()))

    async def registry(self, _request: web.Request) -> web.Response:
        return json_response(await self._rooms.registry())

    async def room_seen(self, request: web.Request) -> web.Response:
        seen = await read_json(request, internal.RoomSeen)
        return json_response(await self._rooms.seen(request.match_info["room"], seen, _issuer(request)))

    async def ready(self, _request: web.Request) -> web.Response:
        await self._store.ping()
        return json_response({"status": "ready"})


class _Locking:
    """What the master user will not have switched, and the lockdown of everything."""

    def __init__(self, lockouts: Lockouts, lockdown: ConfirmedLockdown, mail: MailWatch) -> None:
        self._mail = mail
        self._lockouts = lockouts
        self._lockdown = lockdown

    async def lock_out(self, request: web.Request) -> web.Response:
        wanted = await read_json(request, internal.LockoutChange)
        room, device = request.match_info["room"], request.match_info["device"]
        changed = await self._lockouts.change(room, device, wanted, _issuer(request))
        request[USER] = wanted.by or "-"
        return json_response(changed)

    async def ask_code(self, request: web.Request) -> web.Response:
        await self._lockdown.ask_code(await read_json(request, internal.LockdownCodeRequest))
        self._mail.look()
        return web.Response(status=202)

    async def lock_down(self, request: web.Request) -> web.Response:
        wanted = await read_json(request, internal.LockdownChange)
        return json_response(await self._lockdown.change(wanted, _issuer(request)))


def _issuer(request: web.Request) -> str:
    return caller(request) or ""
