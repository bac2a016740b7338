"""The API's routes at a glance: method, address, what answers, and the limit that counts it."""

from typing import Final

from aiohttp import web

from gateway.api import (
    audit,
    authority,
    commands,
    confirm_by,
    csrf,
    devices,
    events,
    factor_demand,
    factors,
    health,
    house,
    hub_time,
    invitations,
    lockdown,
    lockout,
    login,
    mail,
    me,
    passkeys,
    password,
    pending,
    people,
    readings,
    rooms,
    session_list,
    step_up,
    tokens,
    users,
    waiting,
)
from gateway.door import routes

_BY_TOKEN: Final = frozenset(
    {
        "/api/v1/rooms",
        "/api/v1/devices",
        "/api/v1/devices/{room}/{device}",
        "/api/v1/devices/{room}/{device}/commands",
        "/api/v1/events",
        "/api/v1/time",
        "/api/v1/readings/{room}/{device}",
    }
)
"""What API tokens open, within their scope."""


def add_api(app: web.Application) -> None:
    """Add them all."""
    for method, path, handler, limit in (
        ("GET", "/healthz", health.alive, None),
        ("GET", "/readyz", health.ready, "reads"),
        ("GET", "/web-ca.crt", authority.certificate, "reads"),
        ("GET", "/.well-known/webauthn", authority.related_origins, "reads"),
        ("GET", "/api/v1/csrf", csrf.show, "reads"),
        ("POST", "/api/v1/login/code", login.ask_code, "login_code"),
        ("GET", "/api/v1/login/attempt", login.show_attempt, "reads"),
        ("POST", "/api/v1/login", login.sign_in, "login"),
        ("POST", "/api/v1/login/passkey/challenge", passkeys.challenge, "reads"),
        ("POST", "/api/v1/login/passkey", passkeys.sign_in, "login"),
        ("POST", "/api/v1/logout", login.sign_out, routes.DEFAULT),
        ("GET", "/api/v1/me", me.show, "reads"),
        ("GET", "/api/v1/sessions", session_list.show, "reads"),
        ("DELETE", "/api/v1/sessions", session_list.end_others, routes.DEFAULT),
        ("DELETE", "/api/v1/sessions/{id}", session_list.end, routes.DEFAULT),
        ("GET", "/api/v1/tokens", tokens.show, "reads"),
        ("POST", "/api/v1/tokens", tokens.make, routes.DEFAULT),
        ("DELETE", "/api/v1/tokens/{id}", tokens.revoke, routes.DEFAULT),
        ("GET", "/api/v1/factors", factors.show, "reads"),
        ("POST", "/api/v1/factors", factors.begin, "password"),
        ("GET", "/api/v1/factors/demand", factor_demand.show, "reads"),
        ("PUT", "/api/v1/factors/demand", factor_demand.put, "password"),
        ("POST", "/api/v1/factors/recovery", factors.renew_recovery, "password"),
        ("POST", "/api/v1/factors/passkey", passkeys.begin, "password"),
        ("POST", "/api/v1/factors/passkey/{id}", passkeys.finish, "password"),
        ("POST", "/api/v1/factors/{id}", factors.confirm, "password"),
        ("DELETE", "/api/v1/factors/{id}", factors.remove, "password"),
        ("POST", "/api/v1/password", password.change, "password"),
        ("POST", "/api/v1/step-up/challenge", step_up.challenge, "password"),
        ("POST", "/api/v1/step-up", step_up.prove, "password"),
        ("GET", "/api/v1/users", users.show, "reads"),
        ("PATCH", "/api/v1/users/{user}", people.change, "password"),
        ("DELETE", "/api/v1/users/{user}", people.erase, "password"),
        ("PATCH", "/api/v1/me", people.change_own, routes.DEFAULT),
        ("GET", "/api/v1/users/{user}/grants", users.show_grants, "reads"),
        ("PUT", "/api/v1/users/{user}/grants", users.put_grants, routes.DEFAULT),
        ("GET", "/api/v1/invitations", invitations.show, "reads"),
        ("POST", "/api/v1/invitations", invitations.invite, "password"),
        ("POST", "/api/v1/invitations/{id}", invitations.take, "invitation"),
        ("DELETE", "/api/v1/invitations/{id}", invitations.withdraw, routes.DEFAULT),
        ("GET", "/api/v1/rooms", rooms.show, "reads"),
        # First of those that begin alike: aiohttp tries one after the other, and this is what is asked most.
        ("POST", "/api/v1/devices/{room}/{device}/commands", commands.post, "commands"),
        ("GET", "/api/v1/devices", devices.show_all, "reads"),
        ("GET", "/api/v1/devices/{room}/{device}", devices.show, "reads"),
        ("PUT", "/api/v1/devices/{room}/{device}/lockout", lockout.put, "commands"),
        ("PUT", "/api/v1/devices/{room}/{device}/confirm-by", confirm_by.put, "commands"),
        ("DELETE", "/api/v1/devices/{room}/{device}/pending/{id}", pending.take_back, "commands"),
        ("GET", "/api/v1/house", house.show, "reads"),
        ("GET", "/api/v1/registry/waiting", waiting.show, "reads"),
        ("POST", "/api/v1/registry/waiting/{room}/{device}", waiting.decide, routes.DEFAULT),
        ("GET", "/api/v1/lockdown", lockdown.show, "reads"),
        ("POST", "/api/v1/lockdown/code", lockdown.ask_code, "lockdown_code"),
        ("PUT", "/api/v1/lockdown", lockdown.put, "lockdown"),
        ("GET", "/api/v1/events", events.stream, "streams"),
        ("GET", "/api/v1/time", hub_time.show, "reads"),
        ("GET", "/api/v1/audit", audit.show, "reads"),
        ("GET", "/api/v1/audit/export", audit.export, "exports"),
        ("GET", "/api/v1/readings/{room}/{device}", readings.show, "reads"),
        ("GET", "/api/v1/mail", mail.show, "reads"),
    ):
        routes.add(app, method, path, handler, limit=limit, by_token=path in _BY_TOKEN)
