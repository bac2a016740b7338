"""The visits to what a master user looks after, people and the house, and to how everybody arranges theirs."""

from contextlib import nullcontext
from typing import Final

from playwright.sync_api import Page

from tests.visited_home import VisitedHome
from tests.visits.visit import Phase, Visit, opens, sends


def _lost_its_token_of_the_form(page: Page, home: VisitedHome) -> None:
    page.locator("form.fields [name=csrf_token]").evaluate("(it) => (it.value = '')")
    sends("form.fields")(page, home)


_ARRANGING: Final = (
    Visit("arrange", "/arrange", "/arrange", "member"),
    Visit("arrange-room", "/arrange/{room}", "/arrange/hall", "guest"),
    Visit("arrange-kitchen", "/arrange/{room}", "/arrange/kitchen", "member", steps=opens),
    Visit("arrange-home", "/house/arrange", "/house/arrange", "master"),
    Visit("arrange-homes-room", "/house/arrange/{room}", "/house/arrange/kitchen", "master", steps=opens),
    Visit("join", "/house/join", "/house/join", "alex"),
    Visit("join-none", "/house/join", "/house/join", "master"),
    Visit("join-wrong", "/house/join", "/house/join", "alex", steps=sends("main form", name="attic", code="AAAA-AAAA")),
    Visit("join-client", "/house/join/client", "/house/join/client", "alex"),
    Visit("join-client-none", "/house/join/client", "/house/join/client", "master"),
    Visit(
        "join-client-wrong",
        "/house/join/client",
        "/house/join/client",
        "alex",
        steps=sends("main form", name="tablet", code="AAAA-AAAA"),
    ),
    Visit("name-room", "/house/names/{room}", "/house/names/hall", "master"),
    Visit("name-device", "/house/names/{room}/{device}", "/house/names/hall/lamp", "master"),
    Visit(
        "name-wrong",
        "/house/names/{room}/{device}",
        "/house/names/hall/lamp",
        "master",
        steps=sends("main form", name="Front door"),
    ),
    Visit("devices", "/house/devices/{room}", "/house/devices/hall", "master"),
    Visit("device-new", "/house/new-device/{room}", "/house/new-device/hall?kind=cover", "alex"),
    Visit("device-button", "/house/new-device/{room}", "/house/new-device/hall?kind=button", "alex"),
    Visit("device", "/house/devices/{room}/{device}", "/house/devices/hall/lamp", "alex", steps=opens),
    Visit("device-no-factor", "/house/devices/{room}/{device}", "/house/devices/kitchen/blind", "master"),
    Visit(
        "device-unproved",
        "/house/devices/{room}/{device}",
        "/house/devices/hall/lamp",
        "alex",
        steps=sends("main form", code="AAAA-AAAA"),
    ),
    Visit("devices-forbidden", "/house/devices/{room}", "/house/devices/hall", "member", 403),
    Visit("name-forbidden", "/house/names/{room}", "/house/names/hall", "member", 403),
)
_PEOPLE: Final = (
    Visit("users", "/users", "/users", "master"),
    Visit("users-forbidden", "/users", "/users", "member", 403),
    Visit("demand", "/users/factors", "/users/factors", "alex"),
    Visit("demand-none", "/users/factors", "/users/factors", "master"),
    Visit("demand-wrong", "/users/factors", "/users/factors", "alex", steps=sends("main form", code="AAAA-AAAA")),
    Visit("grants", "/users/{user}/grants", "/users/{guest}/grants", "master", steps=opens),
    Visit(
        "grant",
        "/users/{user}/grants/edit",
        "/users/{guest}/grants/edit?device=hall/front-door",
        "master",
    ),
    Visit("grant-old", "/users/{user}/grants/edit", "/users/{guest}/grants/edit?grant=1", "master"),
    Visit(
        "grant-wrong",
        "/users/{user}/grants/edit",
        "/users/{guest}/grants/edit?device=hall/front-door",
        "master",
        steps=sends("main form", begin="08:00", end="08:00"),
    ),
    Visit("invite", "/users/invite", "/users/invite", "master"),
    Visit("invite-proof", "/users/invite", "/users/invite", "alex"),
    Visit("grants-none", "/users/{user}/grants", "/users/{nora}/grants", "master"),
    Visit(
        "invite-done",
        "/users",
        "/users/invite",
        "master",
        steps=sends("main form", email="lee@home.example", name="Lee", current="MASTER"),
    ),
    Visit(
        "invite-wrong",
        "/users/invite",
        "/users/invite",
        "master",
        steps=sends("main form", email="nobody", name="Ben", current="not the password"),
    ),
    Visit(
        "invite-known",
        "/users/invite",
        "/users/invite",
        "master",
        steps=sends("main form", email="member@home.example", name="Ben", current="MASTER"),
    ),
    Visit("person", "/users/{user}", "/users/{member}", "master", steps=opens),
    Visit("person-proof", "/users/{user}", "/users/{guest}", "alex", steps=opens),
    Visit("person-disabled", "/users/{user}", "/users/{bo}", "master", steps=opens),
    Visit(
        "person-wrong",
        "/users/{user}",
        "/users/{member}",
        "master",
        steps=sends("main form >> nth=0", name="Member", current="not the password"),
    ),
    Visit("person-unknown", "/users/{user}", "/users/00000000", "master", 404),
    Visit("house", "/house", "/house", "master", steps=opens),
    Visit("waiting", "/waiting", "/waiting", "master"),
    Visit("lockdown", "/lockdown", "/lockdown", "member"),
    Visit("lockdown-wrong", "/lockdown", "/lockdown", "member", steps=sends("form.fields", password="not it")),
    Visit("lockdown-forbidden", "/lockdown", "/lockdown", "guest", 403),
    Visit("lockdown-code", "/lockdown/code", "/lockdown/code", "member"),
    Visit("csrf", "/account/profile", "/account/profile", "member", steps=_lost_its_token_of_the_form),
)
PHASES: Final = (Phase("arranging", nullcontext, _ARRANGING), Phase("people", nullcontext, _PEOPLE))
