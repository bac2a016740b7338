"""What the alert service asks the auth service over internal HTTPS: whom it may write to, and who is at home."""

import msgspec

from shared.words.internal import Email
from shared.words.languages import Language
from shared.words.messages import Text

RECIPIENTS = "/internal/recipients"
AT_HOME = "/internal/at-home"


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
