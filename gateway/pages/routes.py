"""Which page lives where. Called once, by the gateway's wiring."""

from pathlib import Path

from aiohttp import web

from gateway.door import problem_pages, routes
from gateway.pages import (
    account,
    arrange,
    authority,
    called,
    command,
    confirm,
    confirm_by,
    end_session,
    factor_demand,
    factors,
    history,
    house,
    invitation,
    invitations,
    joining,
    joining_client,
    lockdown,
    lockout,
    login,
    own_email,
    own_password,
    pending,
    person,
    phone,
    problems,
    profile,
    readings,
    render,
    room_devices,
    shell,
    show_home,
    show_room,
    sign_out,
    speaking,
    tokens,
    users,
    waiting,
)
from gateway.pages.guests import show
from gateway.pages.static_files import StaticFiles
from shared.door.web import Handler


def add_pages(app: web.Application, compiled: Path | None = None) -> None:
    """Add every page, the static files, and how problems look; `compiled` is where compiled templates are kept, all of
    them from the start.
    """
    lay_out(app, StaticFiles(), compiled)
    app.on_startup.append(render.compile_all)


def lay_out(app: web.Application, files: StaticFiles, compiled: Path | None) -> None:
    """As `add_pages`, with these static files, and each template compiled when it is needed."""
    render.set_up(app, files, compiled)
    app[problem_pages.RENDER_PROBLEM] = problems.render_problem

    def page(method: str, path: str, handler: Handler, *, limit: str) -> None:
        routes.add(app, method, path, speaking.spoken(handler), limit=limit)

    page("GET", "/", show_home.show_home, limit="pages")
    page("GET", "/authority", authority.show_authority, limit="pages")
    page("POST", "/authority/known", authority.note_known, limit="pages")
    page("GET", "/login", login.show_login, limit="pages")
    page("POST", "/login", login.take_login, limit="login")
    page("GET", "/login/code", login.show_code, limit="pages")
    page("POST", "/logout", sign_out.leave, limit="pages")
    page("GET", "/rooms/{room}", show_room.show_room, limit="pages")
    page("GET", "/rooms/{room}/{device}/confirm", confirm.ask_confirmation, limit="pages")
    page("GET", "/rooms/{room}/{device}/lockout", lockout.ask_lift, limit="pages")
    page("POST", "/rooms/{room}/{device}/lockout", lockout.change_lockout, limit="commands")
    page("GET", "/rooms/{room}/{device}/confirm-by", confirm_by.show_ways, limit="pages")
    page("POST", "/rooms/{room}/{device}/confirm-by", confirm_by.decide, limit="commands")
    page("POST", "/rooms/{room}/{device}/pending", pending.take_back, limit="commands")
    page("POST", "/rooms/{room}/{device}", command.send_command, limit="commands")
    page("GET", "/history", history.show_history, limit="pages")
    page("GET", "/readings/{room}/{device}", readings.show_readings, limit="pages")
    page("GET", "/account", account.show_account, limit="pages")
    page("GET", "/account/tokens", tokens.show_form, limit="pages")
    page("POST", "/account/tokens", tokens.make_token, limit=routes.DEFAULT)
    page("POST", "/account/tokens/revoke", tokens.revoke_token, limit="pages")
    page("GET", "/account/password", own_password.show_password, limit="pages")
    page("POST", "/account/password", own_password.change_password, limit="password")
    page("GET", "/account/email", own_email.show, limit="pages")
    page("POST", "/account/email", own_email.begin, limit="password")
    page("POST", "/account/email/confirm", own_email.confirm, limit="password")
    page("GET", "/account/factors", factors.show_factors, limit="pages")
    page("POST", "/account/factors", factors.begin, limit="password")
    page("POST", "/account/factors/confirm", factors.confirm, limit="password")
    page("POST", "/account/factors/remove", factors.remove, limit="password")
    page("POST", "/account/factors/recovery", factors.renew_recovery, limit="password")
    page("POST", "/account/sessions/end", end_session.end_session, limit="pages")
    page("POST", "/account/sessions/end-others", end_session.end_other_sessions, limit="pages")
    page("GET", "/users", users.show_users, limit="pages")
    page("GET", "/users/factors", factor_demand.show_demand, limit="pages")
    page("POST", "/users/factors", factor_demand.change_demand, limit="password")
    page("GET", "/users/{user}/grants", show.show_grants, limit="pages")
    page("GET", "/users/{user}/grants/edit", show.show_form, limit="pages")
    page("POST", "/users/{user}/grants", show.change_grants, limit="pages")
    page("GET", "/users/invite", invitations.show_form, limit="pages")
    page("POST", "/users/invite", invitations.invite, limit="password")
    page("POST", "/users/invitations/withdraw", invitations.withdraw, limit="pages")
    page("GET", "/invitations/{id}", invitation.show, limit="pages")
    page("POST", "/invitations/{id}", invitation.take, limit="invitation")
    page("GET", "/users/{user}", person.show, limit="pages")
    page("POST", "/users/{user}", person.change, limit="password")
    page("GET", "/account/profile", profile.show, limit="pages")
    page("POST", "/account/profile", profile.change, limit="pages")
    page("POST", "/users/end-sessions", users.end_users_sessions, limit="pages")
    page("GET", "/arrange", arrange.show_rooms, limit="pages")
    page("POST", "/arrange", arrange.arrange, limit="arranging")
    page("GET", "/arrange/{room}", arrange.show_devices, limit="pages")
    page("POST", "/arrange/{room}", arrange.change_room, limit="arranging")
    page("POST", "/arrange/{room}/{device}", arrange.change_device, limit="arranging")
    page("GET", "/house", house.show_house, limit="pages")
    page("GET", "/house/join", joining.show_form, limit="pages")
    page("POST", "/house/join", joining.open_window, limit="password")
    page("GET", "/house/join/client", joining_client.show_form, limit="pages")
    page("POST", "/house/join/client", joining_client.open_window, limit="password")
    page("GET", "/join/phone", phone.show, limit="pages")
    page("POST", "/join/phone", phone.take, limit="join")
    page("GET", "/house/arrange", arrange.show_rooms_of_home, limit="pages")
    page("POST", "/house/arrange", arrange.arrange_home, limit="arranging")
    page("GET", "/house/arrange/{room}", arrange.show_devices_of_home, limit="pages")
    page("POST", "/house/arrange/{room}", arrange.change_room_of_home, limit="arranging")
    page("POST", "/house/arrange/{room}/{device}", arrange.change_device_of_home, limit="arranging")
    page("GET", "/house/names/{room}", called.show, limit="pages")
    page("POST", "/house/names/{room}", called.change, limit="arranging")
    page("GET", "/house/names/{room}/{device}", called.show, limit="pages")
    page("POST", "/house/names/{room}/{device}", called.change, limit="arranging")
    page("GET", "/house/devices/{room}", room_devices.show_devices, limit="pages")
    page("GET", "/house/new-device/{room}", room_devices.show_new, limit="pages")
    page("POST", "/house/new-device/{room}", room_devices.add, limit="arranging")
    page("GET", "/house/devices/{room}/{device}", room_devices.show_device, limit="pages")
    page("POST", "/house/devices/{room}/{device}", room_devices.change, limit="arranging")
    page("GET", "/waiting", waiting.show_waiting, limit="pages")
    page("POST", "/waiting/{room}/{device}", waiting.decide, limit="pages")
    page("GET", "/lockdown", lockdown.show_lockdown, limit="pages")
    page("GET", "/lockdown/code", lockdown.show_code, limit="pages")
    page("POST", "/lockdown/code", lockdown.ask_code, limit="lockdown_code")
    page("POST", "/lockdown", lockdown.change, limit="lockdown")
    page("GET", "/problems/{slug}", problems.explain, limit="pages")
    page("GET", "/offline", shell.show_offline, limit="pages")
    routes.add(app, "GET", "/service-worker.js", files.serve_worker, limit=None)
    routes.add(app, "GET", "/static/{version}/{name}", files.serve, limit=None)
