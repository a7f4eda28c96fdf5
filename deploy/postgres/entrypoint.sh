#!/bin/sh
# Makes the cluster and the hub's role once, then becomes PostgreSQL.
set -eu
secrets=${SECRETS:-/secrets}
data=${DATA:-/data}
conf=${CONF:-/etc/postgresql}
sockets=${SOCKETS:-/tmp}

waited=0
until [ -r "$secrets/superuser_password" ] && [ -r "$secrets/hub_password" ]; do
    if [ "$waited" -ge 120 ]; then
        echo "no passwords in $secrets after $waited s: did the init service fail?" >&2
        exit 1
    fi
    sleep 1
    waited=$((waited + 1))
done

# Built beside and moved into place, so that a power cut leaves no half cluster.
if [ ! -s "$data/cluster/PG_VERSION" ]; then
    rm -rf "$data/new"
    initdb --pgdata="$data/new" --username=postgres --pwfile="$secrets/superuser_password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums >/dev/null
    # Only through its socket, and only for this user, while the role is made.
    echo 'local all postgres trust' > "$data/new/setup_hba.conf"
    pg_ctl --pgdata="$data/new" --wait --silent \
        --options="-c listen_addresses='' -c unix_socket_directories='$data' -c hba_file='$data/new/setup_hba.conf'" start
    password=$(cat "$secrets/hub_password")
    psql --host="$data" --username=postgres --dbname=postgres --quiet --set=ON_ERROR_STOP=1 <<SQL
CREATE ROLE iothome LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 40 PASSWORD '$password';
CREATE DATABASE iothome OWNER iothome;
REVOKE ALL ON DATABASE iothome FROM PUBLIC;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
\connect iothome
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO iothome;
SQL
    pg_ctl --pgdata="$data/new" --wait --silent --mode=fast stop
    rm "$data/new/setup_hba.conf"
    mv "$data/new" "$data/cluster"
fi

exec postgres -D "$data/cluster" -c config_file="$conf/postgresql.conf" \
    -c hba_file="$conf/pg_hba.conf" -c unix_socket_directories="$sockets"
