"""The tables, as SQLAlchemy sees them; migrations/ makes them. Times are UTC, kept without a zone."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.types import TypeDecorator

from shared.words.pending import DELAY_MINUTES

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """An aware datetime; SQLite knows no zones, so both databases keep it as naive UTC."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the base class names it
        """On the way in."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the base class names it
        """On the way out."""
        return None if value is None else value.replace(tzinfo=UTC)


def _home_look() -> tuple[Column[Any], ...]:
    """What the master user says of a room or a device for everybody; `place` counts from 0, NULL stands behind."""
    return (
        Column("home_name", String(64)),
        Column("icon", String(16)),
        Column("hidden", Boolean, nullable=False, server_default=false()),
        Column("place", Integer),
    )


users = Table(
    "users",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("email_key", String(254), nullable=False, unique=True),  # lower case: unique however it is typed
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", String(72), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("signed_in_at", Moment),
    Column("disabled_at", Moment),
    Column("language", String(8)),  # None: the home's
    Column("looks", Text),  # how they look at the home, as JSON (own_look_rows.py); NULL: as everybody does
)

grants = Table(
    "grants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("room", String(32), nullable=False),
    Column("device", String(32), nullable=False),
    Column("weekdays", String(7), nullable=False),  # "0123456", 0 is Monday
    Column("from_minute", Integer, nullable=False),
    Column("to_minute", Integer, nullable=False),
    Column("since", Moment),
    Column("until", Moment),
    Column("actions", String(64)),  # "on off"; None: all that the device does, "": looking alone
)

codes = Table(
    "codes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("browser_hash", String(64), nullable=False),
    Column("code_hash", String(64), nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("attempt", String(16), nullable=False, server_default="", index=True),  # the name that the page shows
    Column("address", String(200), nullable=False, server_default=""),
    UniqueConstraint("user_id", "browser_hash", name="one_code_per_browser"),
    Index("codes_by_expiry", "expires_at"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),  # the absolute limit; the idle one counts from seen_at
    Column("address", String(200), nullable=False),
    Column("agent", String(200), nullable=False),
    Column("seen_from", String(200), nullable=False, server_default=""),  # where it was last used, or ''
    Column("own", Boolean, nullable=False, server_default=false()),  # in a browser that is the person's own
    Column("proved_at", Moment),  # when a strong factor was shown in it last
)

endings = Table(
    # Why sessions ended, for whoever comes with the token of one.
    "endings",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("reason", String(24), nullable=False),
    Column("ended_at", Moment, nullable=False, index=True),
)

places = Table(
    # From where somebody signed in before: a keyed digest of network and browser, which tells nobody where that is.
    "places",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("place_hash", String(64), primary_key=True),
    Column("seen_at", Moment, nullable=False, index=True),
)

tokens = Table(
    # API tokens; one that was revoked is gone.
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("scope", Text, nullable=False),  # JSON of shared.words.scopes.Allowed, each
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("used_from", String(200), nullable=False, server_default=""),
)

revocations = Table(
    # Sessions and tokens that ended and that the gateways have not been told of yet.
    "revocations",
    metadata,
    Column("session_id", String(32), primary_key=True),
    Column("ended_at", Moment, nullable=False),
)

factors = Table(
    # Passkeys, and authenticator apps, whose secrets are made of the pepper and the id (factors/totp.py): none is here.
    "factors",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("confirmed", Boolean, nullable=False),  # its first code was typed: before that it counts for nothing
    Column("last_step", BigInteger),  # whose code was used last: none so early is taken again
    # Of a passkey, in base64url: what it is, by what it is found, its key, its count; until it is made, its challenge.
    Column("credential", Text),
    Column("credential_hash", String(64)),
    Column("public_key", Text),
    Column("sign_count", BigInteger),
    Column("challenge", String(64)),
    Index("factors_by_credential", "credential_hash", unique=True),
)

challenges = Table(
    # What a passkey at sign-in must answer, by the browser (hashed) that asked.
    "challenges",
    metadata,
    Column("place_hash", String(64), primary_key=True),
    Column("challenge", String(64), nullable=False),
    Column("expires_at", Moment, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
)

former_addresses = Table(
    "former_addresses",  # of whom they were, and when a letter told whoever reads there
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("email", String(254), nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("told_at", Moment),
)

changed_rights = Table(
    # Whose rights changed, or "registry", and the gateways have not been told of it yet.
    "changed_rights",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", String(32), nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("name", String(32), primary_key=True),  # never deleted, so never used again
    Column("role", String(16), nullable=False),
    Column("enrolled_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

rooms = Table(
    "rooms",
    metadata,
    Column("id", ForeignKey("identities.name"), primary_key=True),
    Column("name", String(200), nullable=False),
    *_home_look(),
)

devices = Table(
    "devices",
    metadata,
    Column("room", ForeignKey("rooms.id"), primary_key=True),
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("critical", Boolean, nullable=False),
    Column("confirm", Boolean, nullable=False),
    Column("locked_out", Boolean, nullable=False, server_default=false()),  # by the master user, not by the room's file
    Column("confirm_by", String(16), nullable=False, server_default="none"),  # by the master user, too
    Column("delay_minutes", Integer, nullable=False, server_default=str(DELAY_MINUTES)),  # and this
    Column("safe_actions", String(64)),  # beyond its kind's own, with spaces between; NULL where nobody has noted it
    Column("named_at", Moment),  # by its room's description, to a day; NULL where nobody has noted it
    *_home_look(),
)

loosenings = Table(
    # What a room's description would loosen; it waits here for the master user's word.
    "loosenings",
    metadata,
    Column("room", ForeignKey("rooms.id"), primary_key=True),
    Column("device", String(32), primary_key=True),
    Column("field", String(16), primary_key=True),
    Column("stands", String(16), nullable=False),
    Column("wanted", String(16), nullable=False),
    Column("seen_at", Moment, nullable=False),
)

refused_loosenings = Table(
    # What the master user said no to: it is not asked for again.
    "refused_loosenings",
    metadata,
    Column("room", ForeignKey("rooms.id"), primary_key=True),
    Column("device", String(32), primary_key=True),
    Column("field", String(16), primary_key=True),
    Column("stands", String(16), primary_key=True),
    Column("wanted", String(16), primary_key=True),
    Column("refused_at", Moment, nullable=False),
)

lockdown = Table(
    # One row, from the beginning: whoever changes it locks it first.
    "lockdown",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("active", Boolean, nullable=False),
    Column("changed_at", Moment),
)
