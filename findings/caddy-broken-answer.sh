#!/bin/bash
# Caddy 2.6.2 (Debian 12, package 2.6.2-5) as a reverse proxy, Python's http.client as the caller.
#
# What one would expect: a server announces an answer in chunks, sends some, and dies before the chunk that ends it. The
# caller must be able to tell: a proxy breaks its own answer off too (RFC 9112, section 8: such a message is incomplete).
# What happens: Caddy ends its own answer as if all were there. The caller has a file that looks whole and lacks its end;
# asked directly, the same server's answer is recognised as incomplete. Whoever saves a log or a record through such a
# proxy needs a mark in the file itself that says where it ends.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'clean_up' EXIT
clean_up() {
    for pid in ${caddy:-} ${server:-}; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}

mkdir -p "$work/apt/partial" "$work/root"
apt-get -qq -y --no-install-recommends --download-only -o Dir::State::status=/dev/null -o Dir::Cache::archives="$work/apt" \
    -o Debug::NoLocking=1 install 'caddy=2.6.2*' >"$work/apt.log" 2>&1 || { tail -5 "$work/apt.log" >&2; exit 1; }
dpkg-deb -x "$work"/apt/caddy_*.deb "$work/root"

cat >"$work/server.py" <<'P'
import socket

listener = socket.create_server(("127.0.0.1", 18813))
while True:
    caller, _ = listener.accept()
    caller.recv(65536)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    caller.sendall(head + b"6\r\nline 1\r\n")  # and no last chunk
    caller.close()
P
cat >"$work/look.py" <<'P'
import http.client
import sys

for name, port in (("directly", 18813), ("through Caddy", 18814)):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    try:
        print(f"{name}: whole, {connection.getresponse().read().decode()!r}")
    except http.client.IncompleteRead as error:
        print(f"{name}: incomplete after {error.partial.decode()!r}")
P
cat >"$work/Caddyfile" <<'C'
{
	admin off
	auto_https off
}
http://127.0.0.1:18814 {
	reverse_proxy 127.0.0.1:18813
}
C
python3 "$work/server.py" & server=$!
HOME=$work "$work/root/usr/bin/caddy" run --config "$work/Caddyfile" --adapter caddyfile >"$work/caddy.log" 2>&1 & caddy=$!
for port in 18813 18814; do
    for _ in $(seq 100); do
        python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null && break
        sleep 0.1
    done
done
"$work/root/usr/bin/caddy" version
seen=$(python3 "$work/look.py")
printf '%s\n' "$seen"
expected="directly: incomplete after 'line 1'
through Caddy: whole, 'line 1'"
[ "$seen" = "$expected" ] || { echo "CHANGED: an answer that broke off is no longer passed on as whole"; exit 1; }
echo "as stated: what broke off arrives as if it were whole"
