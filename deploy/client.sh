#!/bin/sh
# What the line of `homesystem client add` runs on a client's machine, as whoever pasted it: makes a key, has the hub certify
# it, and writes key, certificate and authority into a folder. Needs curl and openssl, on Linux or macOS, and no root. Every
# step may be the last: the same line goes on from there, as long as it is good.
# Usage: client.sh NAME HUB:PORT FOLDER      (where the hub's ca.crt lies; the line's token comes on standard input)
set -eu
umask 077

die() { printf 'client: %s\n' "$*" >&2; exit 1; }

name=${1:-} hub=${2:-} to=${3:-}
[ -n "$to" ] || die "paste the whole line that 'homesystem client add' printed on the hub"
case $name in *[!a-z0-9-]* | [!a-z]*) die "'$name' is no name of a client: paste the whole line" ;; esac
token=
IFS= read -r token || [ -n "$token" ] || die "the line's token is missing: paste the whole line"
case $token in *[!0-9a-f]*) die "the line's token is mangled: paste the whole line" ;; esac
[ -f ca.crt ] || die "the hub's ca.crt does not lie here: paste the whole line"

# Only what is ours is written over, and only under the name that it has. The key comes first, so what is ours has one.
has_our_key() { [ -e "$to/client.key" ] || [ -e "$to/client.key.making" ]; }
common_name() { openssl x509 -in "$1" -noout -subject 2>/dev/null | sed -e 's/.*CN *= *//' -e 's|[,/].*||'; }
elsewhere="name another folder at the beginning of the line, in place of that after to="
[ ! -e "$to" ] || [ -d "$to" ] || die "$to is no folder; $elsewhere"
[ ! -d "$to" ] || [ -z "$(ls -A "$to")" ] || has_our_key || die "$to holds other things; $elsewhere"
if [ -e "$to/client.crt" ]; then
    its=$(common_name "$to/client.crt")
    [ "$its" = "$name" ] || die "$to holds the certificate of ${its:-somebody else}; $elsewhere"
fi
mkdir -p "$to" || die "$to cannot be made; $elsewhere"
chmod 700 "$to" || die "$to is not yours; $elsewhere"

# Each file appears whole or not at all.
settle() { chmod 600 "$to/$1.making" && mv -f "$to/$1.making" "$to/$1"; }
public() { openssl pkey -in "$to/client.key" -pubout 2>/dev/null; }
if [ ! -e "$to/client.key" ]; then
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve \
        -out "$to/client.key.making" 2>openssl.log || die "no key can be made in $to: $(cat openssl.log)"
    settle client.key
fi
public >/dev/null || die "$to/client.key is no key; $elsewhere"
# Whose it is the hub knows by the token: the name in the request counts for nothing.
openssl req -new -key "$to/client.key" -subj /CN=client -out client.csr 2>openssl.log ||
    die "no request can be made: $(cat openssl.log)"

# As a page does: with the token that says that a change comes from here, and its cookie.
again="Once it does, paste the line again."
curl -sSf --cacert ca.crt -c cookies -o csrf "https://$hub/api/v1/csrf" || die "$hub does not answer as it should. $again"
{
    printf 'Content-Type: application/json\nOrigin: https://%s\nX-CSRF-Token: ' "${hub%:443}"
    sed -n 's/.*"csrf_token":"\([^"]*\)".*/\1/p' csrf
} >headers
status=$(printf '{"token":"%s","client":"%s","csr":"%s"}' "$token" "$name" "$(awk '{ printf "%s\\n", $0 }' client.csr)" |
    curl -sS --cacert ca.crt -b cookies -H @headers --data-binary @- -o answer -w '%{http_code}' "https://$hub/api/v1/join") ||
    die "$hub does not answer. $again"
said() { sed -nE "s/.*\"$1\":\"(([^\"\\\\]|\\\\.)*)\".*/\1/p" answer; }
detail=$(said detail | sed 's/\\"/"/g')
[ -n "$detail" ] || detail="The answer was $status and gave no reason, so that it came from something between here and $hub."
case $status in
200) ;;
429 | 5??) die "$detail Then paste the line again." ;;
*) die "$detail" ;;
esac

printf '%b' "$(said authority)" >"$to/ca.crt.making"
printf '%b' "$(said certificate)" >"$to/client.crt.making"
[ "$(openssl x509 -in "$to/client.crt.making" -noout -pubkey 2>/dev/null)" = "$(public)" ] ||
    die "the hub gave a certificate for another key. Paste the line again."
openssl verify -CAfile "$to/ca.crt.making" "$to/client.crt.making" >/dev/null 2>&1 ||
    die "the hub gave a certificate that its own authority did not sign."
settle ca.crt
settle client.crt

host=$(said host) port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' answer)
may=$(sed -n 's/.*"may":\[\([^]]*\)\].*/\1/p' answer | tr -d '"' | sed 's/,/, /g')
first=${may%%,*}
cat <<END
This machine is the client $name now${may:+, and may command and hear $may}. In $to:
  ca.crt      the authority by which it believes the broker
  client.crt  its certificate, good until $(openssl x509 -in "$to/client.crt" -noout -enddate | sed 's/.*=//')
  client.key  its key, which was made here and is nowhere else
Give your program the broker $host, port $port, TLS with these three files, and MQTT 5; no user and no password. For example:
  mosquitto_sub -V 5 -h $host -p $port --cafile '$to/ca.crt' --cert '$to/client.crt' --key '$to/client.key' -v -t home/${first:-ROOM/DEVICE}/state
END
