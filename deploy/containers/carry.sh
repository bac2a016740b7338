#!/bin/sh
# carry room add NAME, carry client renew NAME …: does what `homesystem` does with these words, and writes the folder that
# comes of it as a tar to standard output, so that no folder of the machine's has to be opened to the container's user.
set -eu
[ $# -ge 3 ] && [ ! -t 1 ] || {
    echo "usage: carry room|client add|renew NAME … > NAME.tar" >&2
    exit 2
}
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap : INT TERM HUP
homesystem "$@" --out "$work/$3" >&2
tar -C "$work" -c "$3"
