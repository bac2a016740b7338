"""Which page lives where. Called once, by the gateway's wiring."""

from pathlib import Path

from aiohttp import web

from gateway.door import problem_pages, routes
from gateway.pages import (
    account,
    command,
    confirm,
    end_session,
    factors,
    history,
    lockdown,
    lockout,
    login,
    own_password,
    problems,
    readings,
    render,
    show_home,
    show_room,
    sign_out,
    tokens,
    users,
)
from gateway.pages.guests import show
from gateway.pages.static_files import StaticFiles


def add_pages(app: web.Application, compiled: Path | None = None) -> None:
    """Add every page, the static files, and how problems look; `compiled` is where compiled templates are kept."""
    files = StaticFiles()
    render.set_up(app, files, compiled)
    app[problem_pages.RENDER_PROBLEM] = problems.render_problem
    routes.add(app, "GET", "/", show_home.show_home, limit="pages")
    routes.add(app, "GET", "/login", login.show_login, limit="pages")
    routes.add(app, "POST", "/login", login.take_login, limit="login")
    routes.add(app, "GET", "/login/code", login.show_code, limit="pages")
    routes.add(app, "POST", "/logout", sign_out.leave, limit="pages")
    routes.add(app, "GET", "/rooms/{room}", show_room.show_room, limit="pages")
    routes.add(app, "GET", "/rooms/{room}/{device}/confirm", confirm.ask_confirmation, limit="pages")
    routes.add(app, "GET", "/rooms/{room}/{device}/lockout", lockout.ask_lift, limit="pages")
    routes.add(app, "POST", "/rooms/{room}/{device}/lockout", lockout.change_lockout, limit="commands")
    routes.add(app, "POST", "/rooms/{room}/{device}", command.send_command, limit="commands")
    routes.add(app, "GET", "/history", history.show_history, limit="pages")
    routes.add(app, "GET", "/readings/{room}/{device}", readings.show_readings, limit="pages")
    routes.add(app, "GET", "/account", account.show_account, limit="pages")
    routes.add(app, "GET", "/account/tokens", tokens.show_form, limit="pages")
    routes.add(app, "POST", "/account/tokens", tokens.make_token, limit=routes.DEFAULT)
    routes.add(app, "POST", "/account/tokens/revoke", tokens.revoke_token, limit="pages")
    routes.add(app, "GET", "/account/password", own_password.show_password, limit="pages")
    routes.add(app, "POST", "/account/password", own_password.change_password, limit="password")
    routes.add(app, "GET", "/account/factors", factors.show_factors, limit="pages")
    routes.add(app, "POST", "/account/factors", factors.begin, limit="password")
    routes.add(app, "POST", "/account/factors/confirm", factors.confirm, limit="password")
    routes.add(app, "POST", "/account/factors/remove", factors.remove, limit="password")
    routes.add(app, "POST", "/account/factors/recovery", factors.renew_recovery, limit="password")
    routes.add(app, "POST", "/account/sessions/end", end_session.end_session, limit="pages")
    routes.add(app, "POST", "/account/sessions/end-others", end_session.end_other_sessions, limit="pages")
    routes.add(app, "GET", "/users", users.show_users, limit="pages")
    routes.add(app, "GET", "/users/{user}/grants", show.show_grants, limit="pages")
    routes.add(app, "GET", "/users/{user}/grants/edit", show.show_form, limit="pages")
    routes.add(app, "POST", "/users/{user}/grants", show.change_grants, limit="pages")
    routes.add(app, "POST", "/users/end-sessions", users.end_users_sessions, limit="pages")
    routes.add(app, "GET", "/lockdown", lockdown.show_lockdown, limit="pages")
    routes.add(app, "GET", "/lockdown/code", lockdown.show_code, limit="pages")
    routes.add(app, "POST", "/lockdown/code", lockdown.ask_code, limit="lockdown_code")
    routes.add(app, "POST", "/lockdown", lockdown.change, limit="lockdown")
    routes.add(app, "GET", "/problems/{slug}", problems.explain, limit="pages")
    routes.add(app, "GET", "/static/{version}/{name}", files.serve, limit=None)
