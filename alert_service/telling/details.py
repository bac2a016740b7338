"""The details of an event in the reader's language, pure: what we know by name, and a browser in words.

A room's details stand under a name of ours, so that it cannot write a line "Who" of its own.
"""

from alert_service.chain.chain import Row
from alert_service.chain.sources import is_trusted
from alert_service.telling import acts
from alert_service.telling import granted as granted_to
from alert_service.telling.cleaning import clean, moment_of, words
from alert_service.telling.reader import Reader
from shared.words import user_agents
from shared.words.languages import later
from shared.words.messages import AuditEvent
from shared.words.pending_words import ENDED
from shared.words.problem import CATALOGUE

MOST = 12
REASON = "reason"
_BROWSER = "browser"
_FACTOR = "factor"
_TOLD = "told"
_DUE = "due"
_MADE_AT = "made_at"
_OWN_CHARACTERS = 32
_SAID = frozenset({"button", "user", "partner", "value", "name", "since", "away"})
"""Details that the sentence tells already."""
_OF_APPOINTMENTS = frozenset({"action", _DUE, "command"})
"""Those, of what befalls an appointment; but not to what something is to be set."""
_RENAMES = "account:changed"
"""Its sentence has the former name; the new one is a detail."""
_NAMES = {
    "action": later("action"),
    "aside": later("put aside as"),
    "asked_from": later("asked from"),
    "attempt": later("attempt"),
    "authority": later("authority"),
    "because": later("because"),
    "before": later("before"),
    "changes": later("changes over"),
    "client": later("client"),
    "command": later("command"),
    "confirm": later("asks for a confirmation"),
    "count": later("how many"),
    "critical": later("critical"),
    "day": later("day"),
    "days": later("days"),
    _DUE: later("appointed for"),
    "email": later("e-mail"),
    "ends": later("ends"),
    "events": later("events"),
    _FACTOR: later("factor"),
    "field": later("what about it"),
    "fingerprint": later("SHA-256 fingerprint"),
    "first": later("first"),
    "hash": later("hash"),
    "kind": later("kind"),
    "last": later("last"),
    _MADE_AT: later("backup of"),
    "left": later("how many are left"),
    "may": later("may use"),
    "name": later("new name"),
    "names": later("names"),
    "network": later("network"),
    "own_device": later("on a device of their own"),
    "pin": later("pin"),
    "process": later("process"),
    "reads": later("reads"),
    "revoked": later("revoked since"),
    REASON: later("reason"),
    "request": later("request"),
    "role": later("role"),
    "room": later("room"),
    "row": later("row"),
    "rows": later("rows"),
    "stands": later("stands"),
    "step": later("next step"),
    "times": later("times"),
    "token": later("token"),
    "told": later("told"),
    "until": later("until"),
    "wanted": later("wanted"),
    "was": later("was"),
    "wrote": later("wrote"),
}

_FACTORS = {
    "mailed code": later("a mailed code"),
    "authenticator app": later("an authenticator app"),
    "passkey": later("a passkey"),
    "recovery code": later("a recovery code"),
    "recovery codes": later("recovery codes"),
    "all": later("all of them"),
}
"""What a sign-in was confirmed by, as the auth service writes it."""


def told(row: Row, reader: Reader) -> list[tuple[str, str]]:
    """The name and the text of each line, as far as the sentence has not told it."""
    event, say, lines = row.event, reader.say, list[tuple[str, str]]()
    if (reason := event.detail.get(REASON)) in CATALOGUE:
        lines.append((say(later("Why")), say(CATALOGUE[reason].title)))
    if is_trusted(row.source) and _BROWSER in event.detail:
        lines.append((say(later("Browser")), browser(event.detail[_BROWSER], reader)))
    granted = is_trusted(row.source) and event.what == granted_to.CHANGED
    if granted:
        lines += [(say(later("From now on")), one) for one in granted_to.told(event.detail, reader)]
    rest = [
        f"{_name(name, reader)}: {_value(row, name, reader)}"
        for name, value in event.detail.items()
        if _is_left_to_tell(event, name)
        and not (granted and name.startswith("grant"))
        and not (name == REASON and value in CATALOGUE)
        and not (name == _BROWSER and is_trusted(row.source))
    ]
    return lines + [(say(later("Detail")), one) for one in rest[:MOST]]


def _is_left_to_tell(event: AuditEvent, name: str) -> bool:
    if name == "name":
        return event.what == _RENAMES
    if _DUE in event.detail and event.what in acts.OF_DEVICES:
        return name == "value" or name not in (_SAID | _OF_APPOINTMENTS)
    return name not in _SAID


def browser(agent: str, reader: Reader) -> str:
    """ "Firefox on Android"; of what names no browser its own first word, short and cleaned."""
    known = user_agents.read(agent)
    if known.browser is None:
        return clean(known.own, _OWN_CHARACTERS) or reader.say(later("a program that does not say what it is"))
    if known.system is None:
        return known.browser
    return reader.say(later("{browser} on {system}"), browser=known.browser, system=reader.say(known.system))


def _value(row: Row, name: str, reader: Reader) -> str:
    value = row.event.detail[name]
    if name == _BROWSER:
        return browser(value, reader)
    if is_trusted(row.source) and name == REASON and value in ENDED:
        return reader.say(ENDED[value])
    if is_trusted(row.source) and name in (_DUE, _MADE_AT) and (moment := moment_of(value)) is not None:
        return reader.exactly(moment)
    if name == _FACTOR and value in _FACTORS and is_trusted(row.source):
        return reader.say(_FACTORS[value])
    # What the record finds wrong is a sentence of ours; a room's word is no sentence at all.
    return clean(reader.say(value) if name == _TOLD and value and is_trusted(row.source) else value)


def _name(name: str, reader: Reader) -> str:
    return reader.say(_NAMES[name]) if name in _NAMES else words(name, 40)
