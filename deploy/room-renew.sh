#!/bin/sh
# Makes the next key of a room's Pi, and the request for its certificate, once the present one has 60 days left or fewer,
# or before, where the agent left word that another authority is to be believed.
# The agent sends the request, and puts key and certificate in place when the answer comes: docs/certificates.md.
# Usage: room-renew.sh ROOM-FILE      (such as /var/lib/homesystem/agents/hall.toml)
set -eu
umask 077
days=60

fail() { echo "room-renew: $1" >&2; exit 1; }
[ $# -eq 1 ] || fail "say which room's file: room-renew.sh /var/lib/homesystem/agents/ROOM.toml"
command -v openssl >/dev/null || fail "openssl is not installed; run: sudo apt install openssl"
[ -r "$1" ] || fail "$1 cannot be read"

# A path from the table [broker.tls] of the room's file.
setting() {
    awk -v name="$1" '
        /^[ \t]*\[/ { inside = ($0 ~ /^[ \t]*\[[ \t]*broker[ \t]*\.[ \t]*tls[ \t]*\]/) }
        inside && $0 ~ ("^[ \t]*" name "[ \t]*=") {
            sub(/^[^"\047]*["\047]/, ""); sub(/["\047].*$/, ""); print; exit
        }' "$2"
}
certificate=$(setting certificate "$1")
key=$(setting key "$1")
if [ -z "$certificate" ] || [ -z "$key" ]; then
    fail "$1 names no certificate and key under [broker.tls]"
fi
openssl x509 -in "$certificate" -noout 2>/dev/null ||
    fail "$certificate is no certificate; on the hub: homesystem room renew ROOM --out FOLDER"
if [ ! -e "$certificate.due" ] && openssl x509 -in "$certificate" -noout -checkend $((days * 86400)) >/dev/null; then
    echo "$certificate is good for more than $days days: nothing to do"
    exit 0
fi

public_of_key() { openssl pkey -in "$1" -pubout 2>/dev/null; }
# OpenSSL 3.6 says on standard output, before the key, that the request is sound; older ones say it on standard error.
public_of_request() {
    said=$(openssl req -in "$1" -noout -verify -pubkey 2>/dev/null) || return 0
    printf '%s\n' "$said" | sed -n '/^-----BEGIN/,/^-----END/p'
}
# Each file appears whole, and on the card, or not at all.
place() { sync "$1" && mv "$1" "$2" && sync "$(dirname "$2")"; }

if [ -z "$(public_of_key "$key.next")" ]; then
    rm -f "$key.next" "$certificate.csr"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$key.making" 2>/dev/null ||
        fail "no key can be made beside $key; is the card full?"
    place "$key.making" "$key.next"
fi
if [ "$(public_of_request "$certificate.csr")" = "$(public_of_key "$key.next")" ]; then
    echo "a request for the next certificate waits already: $certificate.csr"
    exit 0
fi
# Whose it is the hub knows from the topic on which it comes: the name in the request counts for nothing.
openssl req -new -key "$key.next" -subj /CN=room -out "$certificate.csr.making" ||
    fail "no request can be made beside $certificate; is the card full?"
place "$certificate.csr.making" "$certificate.csr"
echo "a request for the next certificate waits: $certificate.csr"
