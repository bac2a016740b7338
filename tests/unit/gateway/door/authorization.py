"""Who may what, as a table of rules: one for each route of the gateway, in the order of its route table.

test_authorization.py asks every route of the real application as everyone named here; docs/authorization.md is this
table in words (`make matrix`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple


class Answer(StrEnum):
    """What somebody is answered; the words stand in docs/authorization.md."""

    YES = "yes"
    SIGN_IN = "sign in"
    FORBIDDEN = "forbidden"
    HIDDEN = "not there"


class Visitor(StrEnum):
    """Who asks. The guest has a grant for `hall/lamp`; the tokens are the master user's, by no cookie."""

    NOBODY = "nobody"
    ENDED = "ended session"
    GUEST_OUTSIDE = "guest outside the hour"
    GUEST_INSIDE = "guest inside the hour"
    MEMBER = "member"
    MASTER = "master user"
    TOKEN = "token in scope"
    OTHER_TOKEN = "token of another scope"
    REVOKED_TOKEN = "revoked token"


SIGNED_IN: Final = (Visitor.GUEST_OUTSIDE, Visitor.GUEST_INSIDE, Visitor.MEMBER, Visitor.MASTER)
Row = Mapping[Visitor, Answer]

_YES, _SIGN_IN, _FORBIDDEN, _HIDDEN = Answer.YES, Answer.SIGN_IN, Answer.FORBIDDEN, Answer.HIDDEN


def _row(
    outside: Answer,
    inside: Answer,
    member: Answer,
    master: Answer,
    *,
    others: Answer = Answer.SIGN_IN,
    tokens: tuple[Answer, Answer, Answer] = (Answer.FORBIDDEN, Answer.FORBIDDEN, Answer.SIGN_IN),
) -> Row:
    return dict(zip(Visitor, (others, others, outside, inside, member, master, *tokens), strict=True))


FREE: Final = _row(_YES, _YES, _YES, _YES, others=_YES, tokens=(_YES, _YES, _YES))
EVERYBODY: Final = _row(_YES, _YES, _YES, _YES, others=_YES)
THE_DOCUMENT: Final = _row(_YES, _YES, _YES, _YES, others=_YES, tokens=(_YES, _YES, _SIGN_IN))
WHO_SIGNED_IN: Final = _row(_YES, _YES, _YES, _YES)
WHAT_IS_THEIRS: Final = _row(_YES, _YES, _YES, _YES, tokens=(_YES, _YES, _SIGN_IN))
WHOSE_PAGE: Final = _row(_HIDDEN, _YES, _YES, _YES)
WHOSE_DEVICE: Final = _row(_HIDDEN, _YES, _YES, _YES, tokens=(_YES, _HIDDEN, _SIGN_IN))
WHOSE_WISH: Final = WHOSE_PAGE
"""In person: what is pending is refused by people."""
HOUSEHOLD: Final = _row(_FORBIDDEN, _FORBIDDEN, _YES, _YES)
MASTER: Final = _row(_FORBIDDEN, _FORBIDDEN, _FORBIDDEN, _YES)
MASTER_OF_A_DEVICE: Final = _row(_HIDDEN, _FORBIDDEN, _FORBIDDEN, _YES)


class Rule(NamedTuple):
    """Who gets which answer at a route, and a request that fits it: nothing but who asks may be in its way.

    `when` tells apart what one route does by its body. `acts`: where it is permitted, something happens for it.
    """

    route: str
    row: Row
    body: Mapping[str, Any] | None = None
    query: str = ""
    when: str = ""
    acts: bool = False

    @property
    def method(self) -> str:
        """Such as POST."""
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        """As the route table has it, such as /rooms/{room}."""
        return self.route.partition(" ")[2]

    @property
    def name(self) -> str:
        """The route, and when."""
        return f"{self.route} ({self.when})" if self.when else self.route


_LOGIN: Final = {"email": "member@example.org", "password": "a long password"}
_CODE: Final = {"code": "ABCD-2345"}
_PASSWORDS: Final = {"current": "a long password", "new": "quite another long one"}
_CURRENT: Final = {"current": "a long password"}
_ADDRESS: Final = _CURRENT | {"email": "another@example.org"}
_BOTH_CODES: Final = {"old_code": "ABCD-2345", "new_code": "ABCD-2345"}
_BEGUN: Final = {"id": "f1", "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "uri": "otpauth://totp/Home"}
_CREDENTIAL: Final = {"id": "aa", "rawId": "aa", "type": "public-key", "response": {"clientDataJSON": "aa"}}
_LAMP: Final = {"room": "hall", "device": "lamp"}
_TOKEN: Final = {
    "current": "a long password",
    "name": "Panel",
    "scope": [{"room": "hall", "device": "lamp", "actions": ["on"]}],
    "expires_at": "2100-01-01T00:00:00Z",
}
_INVITED: Final = _CURRENT | {"email": "ben@example.org", "name": "Ben", "role": "member"}
_JOINING: Final = _CODE | {"new": "quite another long one"}
_GRANT: Final = {
    "do": "save",
    "stands": "e3b0c44298fc1c14",  # nothing so far
    "device": "hall/lamp",
    "actions": "all",
    "day-0": "on",
}
_NEW_DEVICE: Final = {"of": "0" * 64, "kind": "switch", "name": "Lamp", "pin": "17"}
_DECISION: Final = {"decision": "refuse", "digest": "0" * 32}
_BEGIN: Final = {"active": True, "password": "a long password"}
_END: Final = {"active": False, "password": "a long password", "code": "ABCD-2345"}

RULES: Final = (
    Rule("GET /healthz", FREE),
    Rule("GET /readyz", EVERYBODY),
    Rule("GET /web-ca.crt", EVERYBODY),
    Rule("GET /web-ca-next.crt", EVERYBODY),
    Rule("GET /.well-known/webauthn", EVERYBODY),
    Rule("GET /join/ca.crt", EVERYBODY),
    Rule("GET /join/join.sh", EVERYBODY),
    Rule("GET /join/client.sh", EVERYBODY),
    Rule("GET /join/home-ca.crt", EVERYBODY),
    Rule("GET /join/agent/{release}/{architecture}", EVERYBODY),
    Rule("POST /api/v1/join", EVERYBODY, {"token": "0" * 32, "room": "attic", "csr": "-"}, acts=True),
    Rule("GET /api/v1/csrf", EVERYBODY),
    Rule("POST /api/v1/login/code", EVERYBODY, _LOGIN, acts=True),
    Rule("GET /api/v1/login/attempt", EVERYBODY),
    Rule("POST /api/v1/login", EVERYBODY, _LOGIN | _CODE),
    Rule("POST /api/v1/login/passkey/challenge", EVERYBODY),
    Rule("POST /api/v1/login/passkey", EVERYBODY, {"credential": _CREDENTIAL}),
    Rule("POST /api/v1/logout", EVERYBODY),
    Rule("GET /api/v1/sessions", WHO_SIGNED_IN),
    Rule("GET /api/v1/sessions", MASTER, query="user=u-other", when="somebody else's"),
    Rule("DELETE /api/v1/sessions", WHO_SIGNED_IN, acts=True),
    Rule("DELETE /api/v1/sessions/{id}", WHO_SIGNED_IN, acts=True),
    Rule("DELETE /api/v1/sessions/{id}", MASTER, query="user=u-other", when="somebody else's", acts=True),
    Rule("GET /api/v1/tokens", WHO_SIGNED_IN),
    Rule("POST /api/v1/tokens", WHOSE_PAGE, _TOKEN, acts=True),
    Rule("DELETE /api/v1/tokens/{id}", WHO_SIGNED_IN, acts=True),
    Rule("POST /api/v1/password", WHO_SIGNED_IN, _PASSWORDS, acts=True),
    Rule("GET /api/v1/email", WHO_SIGNED_IN),
    Rule("POST /api/v1/email", WHO_SIGNED_IN, _ADDRESS, acts=True),
    Rule("PUT /api/v1/email", WHO_SIGNED_IN, _BOTH_CODES, acts=True),
    Rule("GET /api/v1/factors", WHO_SIGNED_IN),
    Rule("POST /api/v1/factors", WHO_SIGNED_IN, _CURRENT, acts=True),
    Rule("GET /api/v1/factors/demand", MASTER),
    Rule("PUT /api/v1/factors/demand", MASTER, {"demanded": True}, acts=True),
    Rule("POST /api/v1/factors/recovery", WHO_SIGNED_IN, _CURRENT, acts=True),
    Rule("POST /api/v1/factors/passkey", WHO_SIGNED_IN, _CURRENT, acts=True),
    Rule("POST /api/v1/factors/passkey/{id}", WHO_SIGNED_IN, {"credential": _CREDENTIAL}, acts=True),
    Rule("POST /api/v1/factors/{id}", WHO_SIGNED_IN, {"code": "123456"}, acts=True),
    Rule("DELETE /api/v1/factors/{id}", WHO_SIGNED_IN, _CURRENT, acts=True),
    Rule("GET /api/v1/me", WHO_SIGNED_IN),
    Rule("POST /api/v1/step-up/challenge", WHO_SIGNED_IN, acts=True),
    Rule("POST /api/v1/step-up", WHO_SIGNED_IN, {"code": "123456"}, acts=True),
    Rule("GET /api/v1/users", MASTER),
    Rule("POST /api/v1/users", MASTER, _INVITED, acts=True),
    Rule("GET /api/v1/users/{user}/grants", MASTER),
    Rule("PUT /api/v1/users/{user}/grants", MASTER, {"grants": [_LAMP]}, acts=True),
    Rule("PATCH /api/v1/users/{user}", MASTER, _CURRENT | {"name": "Ben"}, acts=True),
    Rule("DELETE /api/v1/users/{user}", MASTER, _CURRENT, acts=True),
    Rule("PATCH /api/v1/me", WHO_SIGNED_IN, {"name": "Ben"}, acts=True),
    Rule("GET /api/v1/invitations", MASTER),
    Rule("POST /api/v1/invitations", MASTER, _INVITED, acts=True),
    Rule("POST /api/v1/invitations/{id}", EVERYBODY, _JOINING, acts=True),
    Rule("DELETE /api/v1/invitations/{id}", MASTER, acts=True),
    Rule("GET /api/v1/rooms", WHAT_IS_THEIRS),
    Rule("POST /api/v1/rooms", MASTER, {"name": "attic"}, acts=True),
    Rule("POST /api/v1/clients", MASTER, {"name": "tablet", "may": ["hall/lamp"]}, acts=True),
    Rule("GET /api/v1/rooms/{room}/file", MASTER_OF_A_DEVICE),
    Rule("PUT /api/v1/rooms/{room}/file", MASTER_OF_A_DEVICE, {"of": "0" * 64, "devices": []}, acts=True),
    Rule("POST /api/v1/devices/{room}/{device}/commands", WHOSE_DEVICE, {"action": "on"}, acts=True),
    Rule(
        "POST /api/v1/devices/{room}/{device}/commands",
        WHOSE_DEVICE,
        {"action": "off"},
        when="a safe action",
        acts=True,
    ),
    Rule("GET /api/v1/devices", WHAT_IS_THEIRS),
    Rule("GET /api/v1/devices/{room}/{device}", WHOSE_DEVICE),
    Rule("PUT /api/v1/devices/{room}/{device}/lockout", MASTER_OF_A_DEVICE, {"locked_out": True}, acts=True),
    Rule(
        "PUT /api/v1/devices/{room}/{device}/lockout",
        MASTER_OF_A_DEVICE,
        {"locked_out": False},
        when="lifting",
        acts=True,
    ),
    Rule("PUT /api/v1/devices/{room}/{device}/confirm-by", MASTER_OF_A_DEVICE, {"confirm_by": "dialog"}, acts=True),
    Rule("DELETE /api/v1/devices/{room}/{device}/pending/{id}", WHOSE_WISH, acts=True),
    Rule("PATCH /api/v1/looks", MASTER, {"order": ["hall"]}, acts=True),
    Rule("PATCH /api/v1/looks/{room}", MASTER_OF_A_DEVICE, {"hidden": True}, acts=True),
    Rule("PATCH /api/v1/looks/{room}/{device}", MASTER_OF_A_DEVICE, {"name": "Reading lamp"}, acts=True),
    Rule("PATCH /api/v1/me/looks", WHO_SIGNED_IN, {"order": []}, acts=True),
    Rule("PATCH /api/v1/me/looks/{room}", WHOSE_PAGE, {"hidden": True}, acts=True),
    Rule("PATCH /api/v1/me/looks/{room}/{device}", WHOSE_PAGE, {"favourite": True}, acts=True),
    Rule("GET /api/v1/house", MASTER),
    Rule("GET /api/v1/registry/waiting", MASTER),
    Rule("POST /api/v1/registry/waiting/{room}/{device}", MASTER_OF_A_DEVICE, _DECISION, acts=True),
    Rule("GET /api/v1/lockdown", WHO_SIGNED_IN),
    Rule("POST /api/v1/lockdown/code", HOUSEHOLD, acts=True),
    Rule("PUT /api/v1/lockdown", HOUSEHOLD, _BEGIN, when="beginning", acts=True),
    Rule("PUT /api/v1/lockdown", MASTER, _END, when="ending", acts=True),
    Rule("GET /api/v1/events", WHAT_IS_THEIRS),
    Rule("GET /api/v1/time", WHAT_IS_THEIRS),
    Rule("GET /api/v1/openapi.json", THE_DOCUMENT),
    Rule("GET /api/v1/audit", WHO_SIGNED_IN),
    Rule("GET /api/v1/audit/export", WHO_SIGNED_IN, query="format=csv"),
    Rule("GET /api/v1/readings/{room}/{device}", WHOSE_DEVICE),
    Rule("GET /api/v1/mail", MASTER),
    Rule("GET /", WHO_SIGNED_IN),
    Rule("GET /authority", EVERYBODY),
    Rule("POST /authority/known", WHO_SIGNED_IN),
    Rule("GET /join/phone", EVERYBODY),
    Rule("POST /join/phone", EVERYBODY, {"code": "abcdefghjkmn"}, acts=True),
    Rule("GET /login", EVERYBODY),
    Rule("POST /login", EVERYBODY, _LOGIN, when="first step", acts=True),
    Rule("POST /login", EVERYBODY, _LOGIN | _CODE, when="second step"),
    Rule("GET /login/code", EVERYBODY),
    Rule("POST /logout", EVERYBODY),
    Rule("GET /rooms/{room}", WHOSE_PAGE),
    Rule("GET /rooms/{room}/{device}/confirm", WHOSE_PAGE, query="action=on"),
    Rule("GET /rooms/{room}/{device}/lockout", MASTER_OF_A_DEVICE),
    Rule("POST /rooms/{room}/{device}/lockout", MASTER_OF_A_DEVICE, {"locked_out": "true"}, when="locking", acts=True),
    Rule(
        "POST /rooms/{room}/{device}/lockout",
        MASTER_OF_A_DEVICE,
        {"locked_out": "false", "confirm": "true"},
        when="lifting",
        acts=True,
    ),
    Rule("GET /rooms/{room}/{device}/confirm-by", MASTER_OF_A_DEVICE),
    Rule("POST /rooms/{room}/{device}/confirm-by", MASTER_OF_A_DEVICE, {"confirm_by": "dialog"}, acts=True),
    Rule("POST /rooms/{room}/{device}/pending", WHOSE_PAGE, {"id": "another"}, acts=True),
    Rule("POST /rooms/{room}/{device}", WHOSE_PAGE, {"action": "on"}, acts=True),
    Rule("POST /rooms/{room}/{device}", WHOSE_PAGE, {"action": "off"}, when="a safe action", acts=True),
    Rule("GET /history", WHO_SIGNED_IN),
    Rule("GET /readings/{room}/{device}", WHOSE_PAGE),
    Rule("GET /account", WHO_SIGNED_IN),
    Rule("POST /account/sessions/end", WHO_SIGNED_IN, {"session": "another"}, acts=True),
    Rule("POST /account/sessions/end-others", WHO_SIGNED_IN, acts=True),
    Rule("GET /account/tokens", WHO_SIGNED_IN),
    Rule(
        "POST /account/tokens",
        WHOSE_PAGE,
        _CURRENT | {"name": "Panel", "days": "30", "hall/lamp look": "yes", "hall/lamp on": "yes"},
        acts=True,
    ),
    Rule("POST /account/tokens/revoke", WHO_SIGNED_IN, {"token": "another"}, acts=True),
    Rule("GET /account/password", WHO_SIGNED_IN),
    Rule("POST /account/password", WHO_SIGNED_IN, _PASSWORDS | {"again": "quite another long one"}, acts=True),
    Rule("GET /account/email", WHO_SIGNED_IN),
    Rule("POST /account/email", WHO_SIGNED_IN, _ADDRESS, acts=True),
    Rule("POST /account/email/confirm", WHO_SIGNED_IN, _BOTH_CODES, acts=True),
    Rule("GET /account/factors", WHO_SIGNED_IN),
    Rule("POST /account/factors", WHO_SIGNED_IN, _CURRENT, acts=True),
    Rule("POST /account/factors/confirm", WHO_SIGNED_IN, _BEGUN | {"code": "123456"}, acts=True),
    Rule("POST /account/factors/remove", WHO_SIGNED_IN, _CURRENT | {"id": "f1"}, acts=True),
    Rule("POST /account/factors/recovery", WHO_SIGNED_IN, _CURRENT, acts=True),
    Rule("GET /users", MASTER),
    Rule("GET /users/factors", MASTER),
    Rule("POST /users/factors", MASTER, {"demanded": "true"}, acts=True),
    Rule("GET /users/{user}/grants", MASTER),
    Rule("GET /users/{user}/grants/edit", MASTER, query="device=hall/lamp"),
    Rule("POST /users/{user}/grants", MASTER, _GRANT, acts=True),
    Rule("GET /users/{user}", MASTER),
    Rule("POST /users/{user}", MASTER, _CURRENT | {"do": "disable"}, acts=True),
    Rule("GET /account/profile", WHO_SIGNED_IN),
    Rule("POST /account/profile", WHO_SIGNED_IN, {"name": "Ben", "language": "de"}, acts=True),
    Rule("GET /users/invite", MASTER),
    Rule("POST /users/invite", MASTER, _INVITED, acts=True),
    Rule("POST /users/invitations/withdraw", MASTER, {"invitation": "another"}, acts=True),
    Rule("GET /invitations/{id}", EVERYBODY),
    Rule("POST /invitations/{id}", EVERYBODY, _JOINING | {"again": "quite another long one"}, acts=True),
    Rule("POST /users/end-sessions", MASTER, {"user": "u-guest"}, acts=True),
    Rule("GET /arrange", WHO_SIGNED_IN),
    Rule("POST /arrange", WHO_SIGNED_IN, {"order": "usual"}, acts=True),
    Rule("GET /arrange/{room}", WHOSE_PAGE),
    Rule("POST /arrange/{room}", WHOSE_PAGE, {"hidden": "true"}, acts=True),
    Rule("POST /arrange/{room}/{device}", WHOSE_PAGE, {"favourite": "true"}, acts=True),
    Rule("GET /house", MASTER),
    Rule("GET /house/join", MASTER),
    Rule("POST /house/join", MASTER, {"name": "attic"}, acts=True),
    Rule("GET /house/join/client", MASTER),
    Rule("POST /house/join/client", MASTER, {"name": "tablet", "hall/lamp": "yes"}, acts=True),
    Rule("GET /house/arrange", MASTER),
    Rule("POST /house/arrange", MASTER, {"order": "usual"}, acts=True),
    Rule("GET /house/arrange/{room}", MASTER_OF_A_DEVICE),
    Rule("POST /house/arrange/{room}", MASTER_OF_A_DEVICE, {"hidden": "true"}, acts=True),
    Rule("POST /house/arrange/{room}/{device}", MASTER_OF_A_DEVICE, {"hidden": "true"}, acts=True),
    Rule("GET /house/names/{room}", MASTER_OF_A_DEVICE),
    Rule("POST /house/names/{room}", MASTER_OF_A_DEVICE, {"name": "Entrance", "icon": "sofa"}, acts=True),
    Rule("GET /house/names/{room}/{device}", MASTER_OF_A_DEVICE),
    Rule("POST /house/names/{room}/{device}", MASTER_OF_A_DEVICE, {"name": "Reading lamp", "icon": ""}, acts=True),
    Rule("GET /house/devices/{room}", MASTER_OF_A_DEVICE),
    Rule("GET /house/new-device/{room}", MASTER_OF_A_DEVICE, query="kind=switch"),
    Rule("POST /house/new-device/{room}", MASTER_OF_A_DEVICE, _NEW_DEVICE, acts=True),
    Rule("GET /house/devices/{room}/{device}", MASTER_OF_A_DEVICE),
    Rule("POST /house/devices/{room}/{device}", MASTER_OF_A_DEVICE, _NEW_DEVICE | {"do": "save"}, acts=True),
    Rule("GET /waiting", MASTER),
    Rule("POST /waiting/{room}/{device}", MASTER_OF_A_DEVICE, _DECISION, acts=True),
    Rule("GET /lockdown", HOUSEHOLD),
    Rule("GET /lockdown/code", HOUSEHOLD),
    Rule("POST /lockdown/code", HOUSEHOLD, acts=True),
    Rule("POST /lockdown", HOUSEHOLD, {"active": "true", "password": "a long password"}, when="beginning", acts=True),
    Rule("POST /lockdown", MASTER, _END | {"active": "false"}, when="ending", acts=True),
    Rule("GET /problems/{slug}", EVERYBODY),
    Rule("GET /offline", EVERYBODY),
    Rule("GET /service-worker.js", FREE),
    Rule("GET /static/{version}/{name}", FREE),
)
