#!/bin/sh
# Makes the folders of a home in containers, each its user's alone, before anything else starts. Changes nothing that is
# right. Docker makes the folders that it mounts as root's; here they get their owners.
set -eu
home=/var/lib/homesystem
install -d -m 0700 -o homesystem -g homesystem "$home" "$home/parts"
for part in broker auth alerts readings gateway; do
    state=data
    [ "$part" != broker ] || state=mosquitto
    install -d -m 0700 -o homesystem -g homesystem "$home/parts/$part" "$home/parts/$part/$state"
done
install -d -m 0700 -o homesystem-signer -g homesystem-signer /var/lib/homesystem-signer
install -d -m 0700 -o root -g root /var/lib/homesystem-backup
install -d -m 0700 -o postgres -g postgres /var/lib/postgresql
