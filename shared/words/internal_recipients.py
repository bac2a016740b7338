"""What the alert service asks the auth service over internal HTTPS: who gets letters, who is in, who is no more."""

import msgspec

from shared.words.internal import Email
from shared.words.languages import Language
from shared.words.messages import Text

RECIPIENTS = "/internal/recipients"
AT_HOME = "/internal/at-home"
ERASURES = "/internal/erasures"
ERASED = "/internal/erasures/{user}"


class Recipient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who may get letters; critical ones go to the master users."""

    id: Text
    email: Email
    master: bool
    language: Language | None = None


class Recipients(msgspec.Struct, frozen=True, kw_only=True):
    """GET RECIPIENTS: every user who may sign in; and what the master user calls rooms ("hall") and devices
    ("hall/lamp"), for letters.
    """

    people: tuple[Recipient, ...]
    names: dict[str, str] = msgspec.field(default_factory=dict)


class AtHome(msgspec.Struct, frozen=True, kw_only=True):
    """GET AT_HOME: whether somebody is signed in at home; who that is is nobody's business here."""

    somebody: bool


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose account was erased; the record is to know nothing of the `id` nor of any address that they had."""

    id: Text
    emails: tuple[Email, ...]


class Erasures(msgspec.Struct, frozen=True, kw_only=True):
    """GET ERASURES: who is still to be erased from the record. DELETE ERASED says that they are."""

    people: tuple[Erasure, ...]
