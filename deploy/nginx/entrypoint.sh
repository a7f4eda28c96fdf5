#!/bin/sh
# Waits for the certificate, starts Nginx, and loads the certificate again when the
# hub has renewed it.
set -eu
tls=${TLS:-/tls}
conf=${CONF:-/etc/nginx/nginx.conf}
nginx=${NGINX:-nginx}

waited=0
until [ -r "$tls/web.pem" ] && [ -r "$tls/web.key" ]; do
    if [ "$waited" -ge 120 ]; then
        echo "no certificate in $tls after $waited s: did the init service fail?" >&2
        exit 1
    fi
    sleep 1
    waited=$((waited + 1))
done

# Before the start, so that what is renewed during it is noticed.
stamp() { cksum "$tls/web.pem" "$tls/web.key"; }
known=$(stamp)

"$nginx" -c "$conf" -g 'daemon off;' &
master=$!
trap 'kill -QUIT "$master" 2>/dev/null' TERM INT QUIT

while kill -0 "$master" 2>/dev/null; do
    # In the background, so that a signal is heard at once.
    sleep "${LOOK_EVERY_S:-60}" &
    wait $! 2>/dev/null || true
    now=$(stamp 2>/dev/null || echo "$known")
    if [ "$now" != "$known" ] && "$nginx" -c "$conf" -t -q 2>/dev/null; then
        known=$now
        kill -HUP "$master" 2>/dev/null || true
    fi
done
wait "$master"
