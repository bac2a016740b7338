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

fail() { echo "move-vault: $1" >&2; exit 1; }
for old in "$home/pki/ca" "$home/signer/vault"; do
    [ -e "$old/device-ca.key" ] || continue
    if [ -e "$vault/device-ca.key" ]; then
        cmp -s "$old/device-ca.key" "$vault/device-ca.key" ||
            fail "$old and $vault hold different authorities; keep the one that signed $home/pki/device-ca.crt, and move the other away"
    else
        rm -rf "$vault.moving"
        mkdir -p "$vault.moving"
        cp -p "$old"/* "$vault.moving/"
        # Older versions kept the authorities' certificates beside the others alone.
        for name in device-ca web-ca; do
            [ -e "$vault.moving/$name.crt" ] || cp "$home/pki/$name.crt" "$vault.moving/$name.crt"
        done
        chown -R "$user:" "$vault.moving"
        chown "$user:" "$state"
        chmod 700 "$state"
        sync
        mv "$vault.moving" "$vault"
        sync
    fi
    # Only now, when the signer's copy is on the disk.
    rm -rf "$old"
    echo "the authorities' keys lie in $vault now, and no service of the home can read them any more"
done
# What a home that ran its signer itself kept beside the keys; its place tells the commands where to look.
if [ -d "$home/signer" ] && [ ! -e "$home/signer/vault" ]; then
    rm -rf "$home/signer"
fi
