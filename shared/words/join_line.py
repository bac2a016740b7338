"""The line that one pastes on a machine: it fetches the home's authority, holds it against its hash, and goes on by it.

Pure. Nobody vouches for the first thing that a machine fetches from a hub that it never saw, so the line does: it names
the SHA-256 of the very bytes by which everything after it is verified.
"""

PATH = "/join"
"""Below this the gateway has what the line and its script fetch."""
AUTHORITY = "ca.crt"
SCRIPT = "join.sh"
CLIENT_SCRIPT = "client.sh"


def line(*, host: str, port: int, sha256: str, name: str, token: str) -> str:
    """One line for a room's Pi, for `sh`; the token goes in by standard input, so that no list of processes has it.

    It asks for nothing that is not on a fresh Debian or Raspberry Pi OS: curl or wget, sha256sum, and sudo of who is
    not root.
    """
    place = f"{host}:{port}"
    stop = _stop(place, "Nothing was installed")
    return (
        '(set -e; d=$(mktemp -d); trap \'rm -rf "$d"\' EXIT; cd "$d"; '
        "if command -v curl >/dev/null; then blind='curl -sSfkO' sure='curl -sSfO --cacert'; "
        "else blind='wget -nv --no-check-certificate' sure='wget -nv --ca-certificate'; fi; "
        f"$blind https://{place}{PATH}/{AUTHORITY}; "
        f"echo '{sha256}  {AUTHORITY}' | sha256sum -c --status || {{ echo '{stop}' >&2; exit 1; }}; "
        f"$sure {AUTHORITY} https://{place}{PATH}/{SCRIPT}; "
        f's=sudo; [ "$(id -u)" != 0 ] || s=; printf %s {token} | $s sh {SCRIPT} {name} {place})'
    )


def client_line(*, host: str, port: int, sha256: str, name: str, token: str) -> str:
    """One line for a trusted client's machine, Linux or macOS: with curl and openssl, and without root.

    It begins with the folder that it writes into, which whoever pastes it may change.
    """
    place = f"{host}:{port}"
    stop = _stop(place, "Nothing was written")
    return (
        f'(to="$PWD/{name}"; set -e; d=$(mktemp -d); trap \'rm -rf "$d"\' EXIT; cd "$d"; '
        f"curl -sSfkO https://{place}{PATH}/{AUTHORITY}; "
        f"case \"$(openssl dgst -sha256 {AUTHORITY})\" in (*{sha256}) ;; (*) echo '{stop}' >&2; exit 1;; esac; "
        f"curl -sSfO --cacert {AUTHORITY} https://{place}{PATH}/{CLIENT_SCRIPT}; "
        f'printf %s {token} | sh {CLIENT_SCRIPT} {name} {place} "$to")'
    )


def _stop(place: str, done: str) -> str:
    return (
        f"STOP: {place} is not the hub of this line. {done}. Have the hub print another line; "
        "if that one stops too, somebody is in the middle."
    )
