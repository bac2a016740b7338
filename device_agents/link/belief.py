"""Which authorities a room believes: those that it believes already, and one for which they vouch.

Without a library for certificates: OpenSSL looks at signatures as it does at every connection, in a handshake of the
room with itself.
"""

import contextlib
import logging
import ssl
from pathlib import Path

from shared.running.log import facts
from shared.trust import authority, der, tls
from shared.words.problem import HomeError
from shared.words.renewing import Certificate

log = logging.getLogger(__name__)


def vouched(present: Path, answer: Certificate, certificate: Path, key: Path) -> str | None:
    """What the room is to believe of the authorities in `answer` (PEM); None where that is what it does.

    `present` holds those of today, and `certificate` and `key` the pair that the answer is about. Raises
    HomeError("invalid-value") for what is no certificate, and where none is left.
    """
    if not answer.authorities:
        return None
    try:
        known = set(authority.ders(present.read_text(encoding="ascii")))
        told = {one: authority.ders(one) for one in answer.authorities}
        word = authority.ders(answer.voucher) if answer.voucher is not None else []
        vouched_for = der.public_key(word[0]) if word and _speaks_for_us(present, word[0], certificate, key) else None
        kept = [
            one
            for one, ders in told.items()
            if len(ders) == 1 and (ders[0] in known or der.public_key(ders[0]) == vouched_for)
        ]
    except (OSError, ValueError, IndexError) as error:
        raise HomeError("invalid-value", f"The authorities that came cannot be read: {error}.") from error
    if len(kept) < len(told):
        log.warning("Authority that nobody vouches for is not believed", extra=facts(count=len(told) - len(kept)))
    if not kept:
        raise HomeError("invalid-value", "None of the authorities that came is one that this room may believe.")
    if {told[one][0] for one in kept} == known:
        return None
    return "".join(one if one.endswith("\n") else f"{one}\n" for one in kept)


def shake_hands(authorities: Path, certificate: Path, key: Path) -> str | None:
    """The name that a server which believes `authorities` reads in the pair.

    Raises ssl.SSLError where it would refuse it.
    """
    asked, asks = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asks.check_hostname, asks.verify_mode = False, ssl.CERT_NONE  # it speaks to nobody but `asked`
    asked.verify_mode = ssl.CERT_REQUIRED
    asked.load_verify_locations(cafile=authorities)
    asked.load_cert_chain(certificate, key)
    asks.load_cert_chain(certificate, key)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server, client = asked.wrap_bio(there, back, server_side=True), asks.wrap_bio(back, there)
    for _ in range(5):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return tls.common_name(server.getpeercert())  # type: ignore[arg-type]  # typeshed allows more than there is


def _speaks_for_us(present: Path, voucher: bytes, certificate: Path, key: Path) -> bool:
    """Whether those whom the room believes signed `voucher`, and its key signed the room's certificate."""
    chain = certificate.with_name(f"{certificate.name}.chain")
    chain.write_text(certificate.read_text(encoding="ascii") + ssl.DER_cert_to_PEM_cert(voucher), encoding="ascii")
    try:
        shake_hands(present, chain, key)
    except ssl.SSLError:
        return False
    finally:
        chain.unlink(missing_ok=True)
    return True
