"""Proving once more who one is, for API and pages alike: the session goes on with another token.

Each raises HomeError: sign-in-required, auth-unreachable, rate-limited, and what stands with it.
"""

from datetime import UTC, datetime

from aiohttp import web

from gateway import keys
from gateway.desk import passkeys
from gateway.desk.own_factors import counted
from gateway.door import cookie, sessions
from shared.running.log import security
from shared.words.internal import SessionInfo
from shared.words.internal_passkeys import Challenge, Credential
from shared.words.internal_proofs import ProofChallengeAsked, ProofShown
from shared.words.problem import CATALOGUE, HomeError


def is_proved(info: SessionInfo) -> bool:
    """Whether a strong factor was shown in this session within the last minutes; by a token nobody proves anything."""
    return info.token is None and info.proved_until is not None and datetime.now(UTC) < info.proved_until


def advice(info: SessionInfo) -> str:
    """What to do where that is asked for."""
    if info.token is not None:
        return "It wants a person with a passkey or an app's code; a program with a token cannot do it."
    return CATALOGUE["step-up-required"].advice


async def challenge(request: web.Request) -> Challenge:
    """What a passkey must answer, in this session, once. Also raises invalid-value where passkeys cannot work."""
    token = counted(request)
    return await request.app[keys.AUTH].ask_proof(ProofChallengeAsked(token=token, site=passkeys.site(request)))


async def prove(request: web.Request, *, code: str = "", credential: Credential | None = None) -> SessionInfo:
    """Prove it by one of the two. Also raises confirmation-failed (`field`), step-up-required (without a factor)."""
    info = sessions.signed_in_owing(request)
    shown = ProofShown(
        token=counted(request),
        code=code,
        credential=credential,
        site=passkeys.site(request) if credential is not None else None,
        address=request.remote or "",
    )
    try:
        answer = await request.app[sessions.SESSIONS].begin(request.app[keys.AUTH].prove(shown))
    except HomeError as error:
        if error.slug == "confirmation-failed":
            security("step_up_failed", user=info.user.id)
        raise
    await cookie.exchange_token(request, answer.token)
    sessions.go_on_as(request, answer)
    return answer.session
