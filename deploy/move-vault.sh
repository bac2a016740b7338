#!/bin/sh
# Gives the signer the authorities' keys that lie in the home, where every service of the hub can read them. To be run by
# root, with homesystem-signer.service stopped; may be run again at any time. deploy/install.sh does both.
# Usage: move-vault.sh [HOME-FOLDER [SIGNER-FOLDER]]
set -eu
umask 077
home=${1:-/var/lib/homesystem}
state=${2:-/var/lib/homesystem-signer}
user=${HOMESYSTEM_SIGNER_USER:-homesystem-signer}
vault=$state/vault

# Root touches nothing in the home but by its user's hand: what lies there may be a link to anywhere.
owner=$(stat -L -c %U "$home")
as() { who=$1; shift; if [ "$(id -un)" = "$who" ]; then "$@"; else (cd / && exec runuser -u "$who" -- "$@"); fi; }

fail() { echo "move-vault: $1" >&2; exit 1; }
for old in "$home/pki/ca" "$home/signer/vault"; do
    [ -e "$old/device-ca.key" ] || continue
    [ ! "$old" -ef "$vault" ] || fail "$old is a link to $vault: take it away"
    as "$owner" test -r "$old/device-ca.key" ||
        fail "$owner, whose home this is, cannot read $old; run: sudo chown -R --reference=$home $home"
    if [ -e "$vault/device-ca.key" ]; then
        as "$owner" cat "$old/device-ca.key" | cmp -s - "$vault/device-ca.key" ||
            fail "$old and $vault hold different authorities; keep the one that signed $home/pki/device-ca.crt, and move the other away"
    else
        rm -rf "$vault.moving" "$vault.tar"
        mkdir -p "$vault.moving"
        chown "$user:" "$state" "$vault.moving"
        chmod 700 "$state"
        as "$owner" tar -C "$old" -cf - . >"$vault.tar"
        as "$user" tar -C "$vault.moving" --no-same-owner -xpf - <"$vault.tar"
        rm "$vault.tar"
        # Older versions kept the authorities' certificates beside the others alone.
        for name in device-ca web-ca; do
            [ -e "$vault.moving/$name.crt" ] ||
                as "$owner" cat "$home/pki/$name.crt" | as "$user" tee "$vault.moving/$name.crt" >/dev/null
        done
        [ -s "$vault.moving/device-ca.key" ] && [ -s "$vault.moving/device-ca.crt" ] || fail "$old could not be copied"
        sync
        mv "$vault.moving" "$vault"
        sync
    fi
    # Only now, when the signer's copy is on the disk.
    as "$owner" rm -rf "$old"
    echo "the authorities' keys lie in $vault now, and no service of the home can read them any more"
done
# What a home that ran its signer itself kept beside the keys; its place tells the commands where to look.
if [ -d "$home/signer" ] && [ ! -e "$home/signer/vault" ]; then
    as "$owner" rm -rf "$home/signer"
fi
