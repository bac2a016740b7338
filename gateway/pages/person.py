"""GET and POST /users/{user}: one account, for the master user.

Form fields: `do` ("save", "disable", "enable" or "erase"), `name` and `role` of saving, `sure` of erasing, and for all
of them `current` (the password) and `code` (where there is a strong factor).
"""

from typing import Final

from aiohttp import web

from gateway.desk import people
from gateway.pages import faults, flash, proving
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from gateway.pages.speaking import say
from gateway.picture.plain import plain
from shared.words.internal import UserRow
from shared.words.names import Role
from shared.words.problem import HomeError

_MOST_NAME: Final = 64
_MOST_PASSWORD: Final = 1024
_DOES: Final = ("save", "disable", "enable", "erase")
_SHOWN_HERE: Final = frozenset(
    {
        *("wrong-password", "confirmation-failed", "invalid-value", "last-master", "rate-limited"),
        *("auth-unreachable", "no-proof"),
    }
)


async def show(request: web.Request) -> web.StreamResponse:
    """The account, and what can be done with it."""
    row = await people.find(request, request.match_info["user"])
    return await _page(request, row, Form({"name": row.user.name, "role": row.user.role}))


async def change(request: web.Request) -> web.StreamResponse:
    """Do it, and back to the people; or say beside the field what was wrong."""
    row = await people.find(request, request.match_info["user"])
    form = await read_form(request)
    try:
        _check(form)
        said = await _do(request, row, form)
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, row, form, error)
    await flash.put(request, said)
    raise web.HTTPSeeOther("/users")


async def _do(request: web.Request, row: UserRow, form: Form) -> Said:
    do, current, code = form.text("do"), form.text("current"), proving.code(form)
    user_id, name = row.user.id, plain(row.user.name, _MOST_NAME)
    if do == "erase":
        await people.erase(request, user_id, current=current, code=code)
        return Said("good", say("The account is erased"), say("It opens nothing any more, anywhere."))
    if do == "save":
        after = await people.change(
            request, user_id, current=current, code=code, name=form.text("name"), role=Role(form.text("role"))
        )
        return Said("good", say("The account is changed"), plain(after.user.name, _MOST_NAME))
    await people.change(request, user_id, current=current, code=code, disabled=do == "disable")
    if do == "disable":
        told = say("Every browser of theirs is signed out, and every token revoked.")
        return Said("good", say("{name} may not sign in any more", name=name), told)
    return Said("good", say("{name} may sign in again", name=name), say("With the password that they had."))


def _check(form: Form) -> None:
    """What needs no asking. Raises invalid-value with the field."""
    do = form.text("do")
    if do not in _DOES:
        raise HomeError("bad-request", "The form does not say what to do.")
    if do == "save" and not 1 <= len(form.text("name").strip()) <= _MOST_NAME:
        raise HomeError("invalid-value", "Type a name of 1 to 64 characters.", field="name")
    if do == "save" and form.text("role") not in set(Role):
        raise HomeError("invalid-value", "Choose what they may do.", field="role")
    if do == "erase" and form.text("sure") != "yes":
        raise HomeError("invalid-value", "Tick that you mean it: it cannot be taken back.", field="sure")
    if not 1 <= len(form.text("current")) <= _MOST_PASSWORD:
        raise HomeError("invalid-value", "Type the password that you have.", field="current")


async def _page(request: web.Request, row: UserRow, form: Form, error: HomeError | None = None) -> web.Response:
    return await faults.page(
        request,
        "person.html",
        error,
        row=row,
        form=form,
        roles=list(Role),
        proof=await proving.of_account(request),
        at=form.text("do"),
    )
