"""Whether people could sign in, as the doctor asks the auth service: path and body, one truth for both ends."""

import msgspec

SIGN_IN_REHEARSAL = "/internal/login/rehearsal"


class SignInRehearsal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """GET SIGN_IN_REHEARSAL: what stands in the way of signing in, in words, part by part; None where nothing does."""

    password: str | None = None
    account: str | None = None
    database: str | None = None
    mail: str | None = None
