"""The line that one pastes on a Pi: it fetches the home's authority, holds it against its hash, and has the rest of it.

Pure. Nobody vouches for the first thing that a machine fetches from a hub that it never saw, so the line does: it names
the SHA-256 of the very bytes by which everything after it is verified.
"""

PATH = "/join"
"""Below this the gateway has what the line and its script fetch."""
AUTHORITY = "ca.crt"
SCRIPT = "join.sh"


def line(*, host: str, port: int, sha256: str, room: str, token: str) -> str:
    """One line for `sh`; the token goes in by standard input, so that no list of processes has it.

    It asks for nothing that is not on a fresh Debian or Raspberry Pi OS: curl or wget, sha256sum, and sudo of who is
    not root.
    """
    place = f"{host}:{port}"
    stop = (
        f"STOP: {place} is not the hub of this line. Nothing was installed. Have the hub print another line; "
        "if that one stops too, somebody is in the middle."
    )
    return (
        '(set -e; d=$(mktemp -d); trap \'rm -rf "$d"\' EXIT; cd "$d"; '
        "if command -v curl >/dev/null; then blind='curl -sSfkO' sure='curl -sSfO --cacert'; "
        "else blind='wget -nv --no-check-certificate' sure='wget -nv --ca-certificate'; fi; "
        f"$blind https://{place}{PATH}/{AUTHORITY}; "
        f"echo '{sha256}  {AUTHORITY}' | sha256sum -c --status || {{ echo '{stop}' >&2; exit 1; }}; "
        f"$sure {AUTHORITY} https://{place}{PATH}/{SCRIPT}; "
        f's=sudo; [ "$(id -u)" != 0 ] || s=; printf %s {token} | $s sh {SCRIPT} {room} {place})'
    )
