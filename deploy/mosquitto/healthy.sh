#!/bin/sh
# Healthy is: over TLS and with the hub's account the broker gives an answer. A bare
# connection would tell less, and Mosquitto writes an error for each of them.
set -eu
secrets=${SECRETS:-/secrets}
exec mosquitto_sub -h localhost -p "${1:-8883}" --cafile "$secrets/ca.pem" \
    -u iothome-hub -P "$(cat "$secrets/hub_password")" -i "health-$$" \
    -t '$SYS/broker/version' -C 1 -W 3 >/dev/null
