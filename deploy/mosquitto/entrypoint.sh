#!/bin/sh
# Waits for certificate and first accounts, then becomes Mosquitto.
set -eu
secrets=${SECRETS:-/secrets}
data=${DATA:-/data}
conf=${CONF:-/etc/mosquitto/iothome.conf}
mosquitto=${MOSQUITTO:-mosquitto}

waited=0
until [ -r "$secrets/broker.pem" ] && [ -r "$secrets/broker.key" ] && [ -r "$secrets/dynamic-security.json" ]; do
    if [ "$waited" -ge 120 ]; then
        echo "no certificate or accounts in $secrets after $waited s: did the init service fail?" >&2
        exit 1
    fi
    sleep 1
    waited=$((waited + 1))
done

# The accounts begin with the hub's own; from then on the plugin keeps them.
if [ ! -s "$data/dynamic-security.json" ]; then
    umask 077
    cp "$secrets/dynamic-security.json" "$data/dynamic-security.json.new"
    mv "$data/dynamic-security.json.new" "$data/dynamic-security.json"
fi
exec "$mosquitto" -c "$conf"
