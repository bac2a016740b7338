"""What the doctor sees of the hub's name: whether browsers believe its certificate, and whether it is being changed."""

from collections.abc import Iterator

from deploy.examining.finding import Finding, examine, well, wrong
from deploy.folder import naming
from deploy.folder.home import Home
from deploy.pki import leaf, reading
from deploy.pki.leaf import WEB_CA
from shared.trust import authority as fingerprints
from shared.trust import tls


def names(home: Home) -> Iterator[Finding]:
    """The hub's name is one that its authority may vouch for."""
    yield from examine("name", lambda: _name(home))
    yield from examine("name", lambda: _certificate(home))
    yield from examine("name", lambda: _authorities(home))


def _name(home: Home) -> Iterator[Finding]:
    settings = home.settings
    naming.check(home.var, settings.name, settings.former_names)
    yield well("name", f"the hub is {settings.name}")
    if settings.former_names:
        also = ", ".join(settings.former_names)
        yield well("name", f"browsers still reach it as {also}, until `homesystem rename --done`")
    elif settings.former_broker_names:
        yield well("name", f"rooms may still reach it as {', '.join(settings.former_broker_names)}")


def _certificate(home: Home) -> Iterator[Finding]:
    certified = home.pki / "web.crt"
    authorities = reading.certificates(home.pki / fingerprints.FILE)
    signers = [each for each in authorities if reading.is_signed_by(reading.certificate(certified), each)]
    hosts = sorted(tls.names(certified))
    outside = [host for host in hosts if not leaf.permits(authorities[0], [host])]
    if outside or not signers:
        named = ", ".join(outside or hosts)
        yield wrong("name", f"web.crt is for {named}, which web-ca.crt may not vouch for: browsers refuse it", _RENEW)
    else:
        yield well("name", "its authority may vouch for every name in web.crt")


def _authorities(home: Home) -> Iterator[Finding]:
    """What people are to compare comes from whoever has the keys: a stranger in a service may change what lies here."""
    settings, authorities = home.settings, home.authority().authorities
    if naming.unannounced(home.pki, settings.name, settings.former_names) is not None:
        return  # said above
    kept = authorities.certificate(WEB_CA, settings.web_hosts).decode()
    signs, *others = fingerprints.fingerprints_in(kept)
    follows = list(fingerprints.fingerprints_in(authorities.following_web(settings.web_hosts).pem))
    lies = {each.fingerprint for each in fingerprints.read_all(home.pki / fingerprints.FILE)}
    offered = fingerprints.shown(home.pki / "web.crt").following
    if lies != {signs, *others} or (offered is not None and [offered.authority.fingerprint] != follows):
        text = "web-ca.crt, or what is offered to browsers beside it, is not what the signer has: install nothing"
        yield wrong("name", text, f"{_RENEW}, and find out who wrote there")
    yield well("name", f"the authority that browsers trust has the SHA-256 fingerprint {signs}")
    for each in follows:
        yield well("name", f"the one that follows it has the SHA-256 fingerprint {each}")


_RENEW = "run `homesystem renew`"
