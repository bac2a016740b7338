"""What a certificate of the home says of its holder: put into a new one, and looked for in one that is there.

The words come from the registry and from the hub's settings, never from a request.
"""

import ipaddress
from collections.abc import Iterable

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.trust.tls import ROLE

DEVICE_CA = "device-ca"
WEB_CA = "web-ca"


class Leaf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One certificate: whose it is, in which role, for which names and addresses, and whether it serves or calls."""

    name: str
    role: str | None = None
    hosts: tuple[str, ...] = ()
    serves: bool = False
    authority: str = DEVICE_CA


def client(name: str, role: str) -> Leaf:
    """For an identity at the broker and at internal services: a service, a room or a trusted client."""
    return Leaf(name=name, role=role)


def server(name: str, role: str, hosts: Iterable[str]) -> Leaf:
    """For the broker or an internal service, under the hub's names."""
    return Leaf(name=name, role=role, hosts=tuple(hosts), serves=True)


def web(hosts: Iterable[str]) -> Leaf:
    """For the gateway's HTTPS, which browsers see."""
    hosts = tuple(hosts)
    return Leaf(name=hosts[0], hosts=hosts, serves=True, authority=WEB_CA)


def subject(name: str) -> x509.Name:
    """A name as certificates carry it."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def extensions(leaf: Leaf, public: ec.EllipticCurvePublicKey) -> list[tuple[x509.ExtensionType, bool]]:
    """What the certificate of `leaf` is to carry, each with whether it is critical."""
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (key_usage(authority=False), True),
        (x509.ExtendedKeyUsage([_usage(leaf)]), False),
        (x509.SubjectAlternativeName(_alternatives(leaf)), False),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
    ]


def says(certificate: x509.Certificate, leaf: Leaf) -> bool:
    """Whether a certificate tells of its holder what `leaf` does, in whatever order its names stand."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return (
        certificate.subject == subject(leaf.name)
        and list(usages) == [_usage(leaf)]
        and set(names) == set(_alternatives(leaf))
    )


def holder(certificate: x509.Certificate) -> tuple[str, str | None]:
    """Of whom a certificate of ours tells: the name, and the role, None where it says none."""
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return str(name.value), None
    told = names.get_values_for_type(x509.UniformResourceIdentifier)
    roles = (uri.removeprefix(ROLE) for uri in told if uri.startswith(ROLE))
    return str(name.value), next(roles, None)


def key_usage(*, authority: bool) -> x509.KeyUsage:
    """An authority signs certificates and lists; everybody else signs handshakes."""
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def name_constraints(hosts: Iterable[str]) -> x509.NameConstraints:
    """For these names and addresses alone, and nothing else (RFC 5280, 4.2.1.10)."""
    return x509.NameConstraints([_constraint(host) for host in hosts], None)


def permits(authority: x509.Certificate, hosts: Iterable[str]) -> bool:
    """Whether what an authority signs for these names and addresses is believed by those who believe it."""
    try:
        permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    except x509.ExtensionNotFound:
        permitted = None
    return permitted is None or all(any(_is_within(host, tree) for tree in permitted) for host in hosts)


def permitted(authority: x509.Certificate) -> tuple[str, ...]:
    """The names and addresses that an authority is held to, as `name_constraints` takes them; none for any."""
    try:
        trees = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    except x509.ExtensionNotFound:
        return ()
    return tuple(str(tree.value) for tree in trees or () if isinstance(tree, (x509.DNSName, x509.IPAddress)))


def permitted_names(authority: x509.Certificate) -> list[str]:
    """The names that an authority is held to, the hub's own first; addresses are left out."""
    try:
        permitted = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    except x509.ExtensionNotFound:
        return []
    return [str(tree.value) for tree in permitted or () if isinstance(tree, x509.DNSName)]


def _is_within(host: str, tree: x509.GeneralName) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A name stands for all below it (RFC 5280, 4.2.1.10).
        return isinstance(tree, x509.DNSName) and f".{host}".endswith(f".{tree.value}")
    return isinstance(tree, x509.IPAddress) and address in ipaddress.ip_network(str(tree.value))


def _usage(leaf: Leaf) -> x509.ObjectIdentifier:
    return ExtendedKeyUsageOID.SERVER_AUTH if leaf.serves else ExtendedKeyUsageOID.CLIENT_AUTH


def _alternatives(leaf: Leaf) -> list[x509.GeneralName]:
    names = [_general_name(host) for host in leaf.hosts]
    return names if leaf.role is None else [*names, x509.UniformResourceIdentifier(f"{ROLE}{leaf.role}")]


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _constraint(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_network(host))
    except ValueError:
        return x509.DNSName(host)
