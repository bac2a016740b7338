"""GET /api/v1/house: how the house is kept, for the master user."""

from aiohttp import web

from gateway.desk import house
from gateway.picture.kept import checks
from gateway.picture.plain import without_addresses
from shared.door.web import json_response


async def show(request: web.Request) -> web.Response:
    """What is known, what was looked at, and what could not be."""
    facts = await house.facts(request)
    kept, alerts, doctor = facts.house, facts.alerts, facts.doctor
    mail = None
    if alerts is not None:
        failure = without_addresses(alerts.mail.failure) if alerts.mail.failure is not None else None
        mail = {
            "letters_waiting": alerts.mail.letters_waiting,
            "letters_refused": alerts.mail.letters_refused,
            "recipients_known": alerts.mail.recipients_known,
            "accepted_at": alerts.mail.accepted_at,
            "failing_since": alerts.mail.failing_since,
            "failure": failure,
        }
    return json_response(
        {
            "version": facts.version,
            "rooms": facts.rooms,
            "enrolled": kept.enrolled if kept is not None else None,
            "mail": mail,
            "disk": facts.disk,
            "backup": facts.backup,
            "authorities": facts.authorities,
            "doctor_at": doctor.at if doctor is not None else None,
            "waiting": kept.waiting if kept is not None else None,
            "checks": checks(facts),
            "missing": facts.missing,
        }
    )
