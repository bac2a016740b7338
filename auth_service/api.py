"""Internal HTTPS: routes, and which certificate may call which (one of our authority is not enough: ASVS 12.3.5)."""

from aiohttp import web

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
from shared.door.web import Handler, allow, internal_app
from shared.words import (
    internal,
    internal_account,
    internal_factors,
    internal_grants,
    internal_house,
    internal_joining,
    internal_looks,
    internal_passkeys,
    internal_people,
    internal_proofs,
    internal_recipients,
    internal_room_file,
    internal_tokens,
    internal_waiting,
    pending,
)
from shared.words.internal_rehearsal import SIGN_IN_REHEARSAL

GATEWAYS = ("gateway", "gateway-*")


def make_app(
    signing: Signing,
    reading: Reading,
    locking: Locking,
    own: Own,
    granting: Granting,
    by_token: ByToken,
    by_passkey: ByPasskey,
    for_people: ForPeople,
    proving: Proving,
    by_waiting: ByWaiting,
    by_pending: ByPending,
    by_looks: ByLooks,
    by_line: ByLine,
    by_room_file: ByRoomFile,
) -> web.Application:
    """The application; every route names who may call it."""
    app = internal_app()

    def route(method: str, path: str, handler: Handler, *names: str) -> None:
        app.router.add_route(method, path, allow(*names)(handler))

    route("POST", internal.LOGIN_CODE, signing.ask_code, *GATEWAYS)
    route("POST", internal.LOGIN, signing.enter, *GATEWAYS)
    route("GET", internal.MAIL_PATH, signing.mail_path, *GATEWAYS)
    route("GET", SIGN_IN_REHEARSAL, signing.rehearse, "admin")
    route("POST", internal.SESSION, signing.verify, *GATEWAYS)
    route("POST", internal.SESSION_END, signing.end, *GATEWAYS)
    route("GET", internal.SESSIONS, signing.rows, *GATEWAYS)
    route("DELETE", internal.SESSIONS + "/{id}", signing.end_one, *GATEWAYS)
    route("POST", internal_account.PASSWORD, own.change_password, *GATEWAYS)
    route("POST", internal_account.EMAIL, own.begin_email, *GATEWAYS)
    route("POST", internal_account.EMAIL_STATE, own.email_state, *GATEWAYS)
    route("PUT", internal_account.EMAIL, own.confirm_email, *GATEWAYS)
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
    route("POST", internal_proofs.PROOF_CHALLENGE, proving.ask, *GATEWAYS)
    route("POST", internal_proofs.PROOF, proving.prove, *GATEWAYS)
    route("GET", internal_proofs.FACTOR_DEMAND, proving.demand, *GATEWAYS)
    route("PUT", internal_proofs.FACTOR_DEMAND, proving.change_demand, *GATEWAYS)
    route("PUT", internal_proofs.CONFIRM_BY, proving.confirm_by, *GATEWAYS)
    route("POST", pending.PRESS, by_pending.press, *GATEWAYS)
    route("DELETE", pending.PENDING, by_pending.take_back, *GATEWAYS)
    route("POST", pending.DUE, by_pending.came_due, *GATEWAYS)
    route("POST", pending.WENT, by_pending.went, *GATEWAYS)
    route("GET", internal.USERS, reading.users, *GATEWAYS, "admin")
    route("PUT", internal_grants.GRANTS, granting.change, *GATEWAYS)
    route("PUT", internal_people.USER, for_people.change, *GATEWAYS)
    route("POST", internal_people.USER_ERASED, for_people.erase, *GATEWAYS)
    route("PUT", internal_people.PROFILE, for_people.change_profile, *GATEWAYS)
    route("GET", internal_people.INVITATIONS, for_people.invitations, *GATEWAYS)
    route("POST", internal_people.INVITATIONS, for_people.invite, *GATEWAYS)
    route("DELETE", internal_people.INVITATIONS + "/{id}", for_people.withdraw, *GATEWAYS)
    route("POST", internal_people.INVITATION_TAKEN, for_people.take, *GATEWAYS)
    route("POST", internal_joining.JOIN, by_line.join, *GATEWAYS)
    route("POST", internal_joining.WINDOWS, by_line.open, *GATEWAYS)
    route("GET", internal.REGISTRY, reading.registry, *GATEWAYS, "admin")
    route("GET", internal_house.HOUSE, reading.house, *GATEWAYS)
    route("PUT", internal.ROOM_SEEN + "/{room}", reading.room_seen, *GATEWAYS)
    route("GET", internal_waiting.WAITING, by_waiting.rows, *GATEWAYS)
    route("POST", internal_waiting.WAITING + "/{room}/{device}", by_waiting.decide, *GATEWAYS)
    route("PUT", internal_room_file.ROOM_FILE, by_room_file.change, *GATEWAYS)
    route("PUT", internal_looks.HOME, by_looks.arrange, *GATEWAYS)
    route("PUT", internal_looks.ROOM, by_looks.change_room, *GATEWAYS)
    route("PUT", internal_looks.DEVICE, by_looks.change_device, *GATEWAYS)
    route("PUT", internal_looks.OWN, by_looks.arrange_own, *GATEWAYS)
    route("PUT", internal_looks.OWN_ROOM, by_looks.change_own_room, *GATEWAYS)
    route("PUT", internal_looks.OWN_DEVICE, by_looks.change_own_device, *GATEWAYS)
    route("PUT", internal.DEVICE + "/{room}/{device}/lockout", locking.lock_out, *GATEWAYS)
    route("POST", internal.LOCKDOWN_CODE, locking.ask_code, *GATEWAYS)
    route("PUT", internal.LOCKDOWN, locking.lock_down, *GATEWAYS)
    route("GET", internal_recipients.RECIPIENTS, reading.recipients, "alerts")
    route("GET", internal_recipients.AT_HOME, reading.at_home, "alerts")
    route("GET", internal_recipients.ERASURES, reading.erasures, "alerts")
    route("DELETE", internal_recipients.ERASED, reading.erased, "alerts")
    route("GET", internal.READY, reading.ready, *GATEWAYS, "alerts", "admin")
    return app
