#!/bin/sh
# Runs PostgreSQL for a home in containers. It has no port and no password: it listens on a socket in a folder that only
# those parts mount whose databases it has, and the kernel tells it who calls (peer authentication).
set -eu
umask 077
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
socket=/run/postgresql
if [ ! -e "$PGDATA/PG_VERSION" ]; then
    # Whole or not at all: whoever is stopped in between begins anew.
    rm -rf "$PGDATA.new"
    initdb --pgdata="$PGDATA.new" --username=postgres --auth=peer --encoding=UTF8 --locale=C.UTF-8 --data-checksums
    {
        echo "CREATE ROLE homesystem LOGIN;"
        for name in auth alerts readings; do echo "CREATE DATABASE $name OWNER homesystem;"; done
    } | postgres --single -D "$PGDATA.new" postgres >/dev/null
    mv "$PGDATA.new" "$PGDATA"
fi
exec postgres -D "$PGDATA" -c listen_addresses= -c unix_socket_directories="$socket" -c unix_socket_permissions=0777
